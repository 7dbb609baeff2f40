//! Masking of secrets in records: header values, cookies, query and form parameters, JSON values.
//!
//! A body in which a value cannot be located is masked as a whole: losing data is better than
//! recording a secret.

mod json;
mod pairs;

use engine::rules::{RequestRules, overlaps};
use shared::{
    Body, Finding, Point, RecordedRequest,
    point::{Key, Step, Tag},
};

pub(crate) const MASK: &str = "***";

/// Headers that always hold secrets.
const SECRET_HEADERS: &[&str] = &["authorization", "proxy-authorization", "x-api-key"];

/// The masks of a request.
pub(crate) struct Masks {
    points: Vec<Point>,
}

impl Masks {
    pub(crate) fn of(rules: &RequestRules<'_>) -> Self {
        let secrets = SECRET_HEADERS.iter().map(|name| Point::header(name));
        Self { points: secrets.chain(rules.masked().cloned()).collect() }
    }

    pub(crate) fn request(&self, request: &mut RecordedRequest) {
        for (name, value) in &mut request.headers {
            self.header(name, value);
        }
        request.query = pairs::mask(&request.query, &self.inside(&Tag::Get, None));
        let rules = self.inside(&Tag::Post, None);
        if let (Some(Body(bytes)), false) = (&mut request.body, rules.is_empty()) {
            let masked = mask_body(bytes, &rules, &request.headers);
            *bytes = masked.unwrap_or_else(|| MASK.as_bytes().to_vec());
        }
    }

    /// Masks a payload that may contain a masked value.
    pub(crate) fn finding(&self, finding: Finding) -> Finding {
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

/// The masked body; `None` when it has to be dropped.
fn mask_body(bytes: &[u8], rules: &[&[Step]], headers: &[(String, String)]) -> Option<Vec<u8>> {
    let header = |wanted: &str| headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let is_multipart = header("content-type").is_some_and(|(_, value)| value.contains("multipart/"));
    // Values cannot be located in a compressed body or in another character set.
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.starts_with('\u{feff}'))?;
    if header("content-encoding").is_some() {
        return None;
    }
    let (mut json, mut form): (Vec<&[Step]>, Vec<&[Step]>) = (Vec::new(), Vec::new());
    for steps in rules.iter().map(|steps| &steps[1..]) {
        match steps.first().map(|step| &step.tag) {
            Some(Tag::JsonDoc) => json.push(steps),
            Some(Tag::FormUrlencoded) => form.push(steps),
            Some(Tag::Multipart) if !is_multipart => {}
            _ => return None,
        }
    }
    match json::looks_like_json(bytes) {
        true if !json.is_empty() => json::mask(bytes, &json),
        false if !is_multipart => Some(pairs::mask(text, &form).into_bytes()),
        _ => Some(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests;
