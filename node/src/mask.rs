//! Masking of secrets in records: header values, cookies, query and form parameters, JSON values.
//!
//! Rules mask whole values. By default, values of well-known names and forms are masked as well, and all
//! cookies; of these the part that attacked stays visible.
//!
//! A body in which a value cannot be located is masked as a whole: losing data is better than
//! recording a secret.

mod address;
mod assignments;
mod body;
mod entities;
mod json;
mod markup;
mod multipart;
mod names;
mod pairs;
mod protocols;
mod secrets;
mod text;

use engine::rules::{RequestRules, overlaps};
use secrets::Secrets;
use shared::{
    Body, Finding, Point, RecordedRequest,
    point::{Key, Step, Tag},
};

pub(crate) const MASK: &str = "***";

/// Headers that are masked with the attacks in them.
const CREDENTIALS: &[&str] = &["authorization", "proxy-authorization", "x-api-key"];

/// The masks of a request.
pub(crate) struct Masks<'k> {
    points: Vec<Point>,
    /// The key of digests; absent if nothing is masked by default.
    key: Option<&'k [u8]>,
}

impl<'k> Masks<'k> {
    /// The masks of rules, and by default.
    pub(crate) fn of(rules: &RequestRules<'_>, key: Option<&'k [u8]>) -> Self {
        let credentials = CREDENTIALS.iter().filter(|_| key.is_some()).map(|name| Point::header(name));
        Self { points: credentials.chain(rules.masked().cloned()).collect(), key }
    }

    pub(crate) fn request(&self, request: &mut RecordedRequest, findings: &[Finding]) {
        for (name, value) in &mut request.headers {
            self.header(name, value);
        }
        request.query = pairs::mask(&request.query, &self.inside(&Tag::Get, None));
        let secrets = self.key.map(|key| Secrets::of(findings, key));
        if let Some(secrets) = &secrets {
            for (name, value) in &mut request.headers {
                *value = secrets.header(name, value);
            }
            request.query = secrets.pairs(&request.query);
            request.path = secrets.path(&request.path);
        }
        let rules = self.inside(&Tag::Post, None);
        if let Some(Body(bytes)) = &mut request.body {
            if !rules.is_empty() {
                let masked = mask_body(bytes, &rules, &request.headers);
                *bytes = masked.unwrap_or_else(|| MASK.as_bytes().to_vec());
            }
            if let Some(secrets) = &secrets {
                *bytes = body::mask(bytes, secrets, &request.headers);
            }
        }
    }

    /// Masks a payload that may contain a masked value.
    pub(crate) fn finding(&self, mut finding: Finding) -> Finding {
        if self.key.is_some() {
            finding.payload = text::mask(&finding.payload).into_owned();
        }
        let masked = self.points.iter().any(|point| overlaps(point, &finding.point));
        if masked { Finding { payload: MASK.to_owned(), ..finding } } else { finding }
    }

    fn header(&self, name: &str, value: &mut String) {
        for rest in self.inside(&Tag::Header, Some(name)) {
            match rest {
                [_, Step { tag: Tag::Cookie, key: Some(Key::Name(cookie)) }, ..] => {
                    *value = pairs::mask_cookie(value, cookie);
                }
                _ => MASK.clone_into(value),
            }
        }
    }

    /// The rules that begin with this step.
    fn inside(&self, tag: &Tag, name: Option<&str>) -> Vec<&[Step]> {
        let matches = |step: &Step| {
            step.tag == *tag
                && match (&step.key, name) {
                    (Some(Key::Name(key)), Some(name)) => key.eq_ignore_ascii_case(name),
                    _ => true,
                }
        };
        let steps = self.points.iter().map(|point| &point.0[..]);
        steps.filter(|steps| steps.first().is_some_and(matches)).collect()
    }
}

/// Masks the headers of a response.
pub(crate) fn mask_response(headers: &mut [(String, String)], key: &[u8]) {
    let secrets = Secrets::of(&[], key);
    for (name, value) in headers {
        *value = secrets.header(name, value);
    }
}

/// The masked body; `None` when it has to be dropped, as values cannot be located in it.
fn mask_body(bytes: &[u8], rules: &[&[Step]], headers: &[(String, String)]) -> Option<Vec<u8>> {
    let types = body::content_types(bytes, headers)?;
    let has_parts = |it: &&str| multipart::has_parts(bytes, it) || engine::multipart::is_declared(it);
    let is_multipart = types.iter().any(has_parts);
    let is_declared_form = types.iter().any(|it| body::is_form(it));
    std::str::from_utf8(bytes).ok().filter(|text| !text.starts_with('\u{feff}'))?;
    let (mut json, mut form): (Vec<&[Step]>, Vec<&[Step]>) = (Vec::new(), Vec::new());
    for steps in rules.iter().map(|steps| &steps[1..]) {
        match steps.first().map(|step| &step.tag) {
            Some(Tag::JsonDoc) => json.push(steps),
            Some(Tag::FormUrlencoded) => form.push(steps),
            Some(Tag::Multipart) if !is_multipart => {}
            _ => return None,
        }
    }
    let is_json = json::looks_like_json(bytes);
    let masked = if is_json && !json.is_empty() { json::mask(bytes, &json, None)? } else { bytes.to_vec() };
    // A declared form may begin as JSON.
    if is_declared_form || !is_multipart && !is_json {
        let text = std::str::from_utf8(&masked).ok()?;
        return Some(pairs::mask(text, &form).into_bytes());
    }
    Some(masked)
}

/// A path without its secrets, for logs.
pub(crate) fn mask_path(path: &str) -> String {
    Secrets::of(&[], &[]).path(path)
}

#[cfg(test)]
mod tests;
