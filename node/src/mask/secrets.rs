//! Secrets that are masked by default, but for the parts that attacked.

use super::{
    MASK, address, assignments,
    entities::Unescaped,
    json, markup, names,
    pairs::{self, Pair},
    protocols, text,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use shared::Finding;
use std::{borrow::Cow, ops::Range};

/// The most levels of JSON in strings.
const MAX_NESTED: usize = 8;
/// The most levels of markup in markup.
const MAX_ESCAPED: usize = 3;
/// The longest name of the first parameter of a form.
const MAX_NAME: usize = 256;

/// The payloads of a request, which stay visible, and the key of digests.
pub(super) struct Secrets<'f> {
    payloads: Vec<&'f str>,
    key: &'f [u8],
}

impl<'f> Secrets<'f> {
    pub(super) fn of(findings: &'f [Finding], key: &'f [u8]) -> Self {
        let payloads = findings.iter().map(|finding| finding.payload.as_str());
        let mut payloads: Vec<&str> =
            payloads.filter(|payload| !payload.is_empty() && *payload != MASK).collect();
        payloads.sort_unstable();
        payloads.dedup();
        Self { payloads, key }
    }

    /// A secret: the payload in it, if any, with the rest masked.
    pub(super) fn shown(&self, value: &str) -> Cow<'static, str> {
        let found = self.payloads.iter().filter_map(|payload| Some((value.find(payload)?, *payload)));
        let Some((at, payload)) = found.max_by_key(|(_, payload)| payload.len()) else {
            return Cow::Borrowed(MASK);
        };
        let rest = |text: &str| if text.is_empty() { "" } else { MASK };
        Cow::Owned(format!("{}{payload}{}", rest(&value[..at]), rest(&value[at + payload.len()..])))
    }

    /// A header.
    pub(super) fn header(&self, name: &str, value: &str) -> String {
        if name.eq_ignore_ascii_case("cookie") {
            let cookies = value.split(';').map(|cookie| match cookie.split_once('=') {
                Some((name, value)) => format!("{name}={}", self.cookie(value)),
                None => self.cookie(cookie.trim()),
            });
            return cookies.collect::<Vec<_>>().join(";");
        }
        if names::is_secret_header(name) {
            return self.shown(value).into_owned();
        }
        if name.eq_ignore_ascii_case(protocols::HEADER) {
            return self.masked(value, protocols::find(value)).into_owned();
        }
        match value.split_once('?') {
            Some((address, query)) => {
                // A fragment of an address holds tokens as well.
                let parts = query.split('#').map(|part| self.pairs(part));
                format!("{}?{}", self.value(&self.path(address)), parts.collect::<Vec<_>>().join("#"))
            }
            None => self.value(&self.path(value)).into_owned(),
        }
    }

    /// Length and keyed digest, so that equal cookies can be recognized: `***32:5f3a9c1e`.
    fn cookie(&self, value: &str) -> String {
        match self.shown(value) {
            Cow::Owned(shown) => shown,
            // Nothing, or masked by a rule.
            Cow::Borrowed(_) if matches!(value, "" | MASK) => value.to_owned(),
            Cow::Borrowed(_) => {
                let mut mac =
                    Hmac::<Sha256>::new_from_slice(self.key).expect("HMAC accepts a key of any length");
                mac.update(value.as_bytes());
                let digest = mac.finalize().into_bytes();
                let start = digest.iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
                format!("{MASK}{}:{start:08x}", value.len())
            }
        }
    }

    /// Parameters: `a=1&b=2`. A value may contain line breaks.
    pub(super) fn pairs(&self, text: &str) -> String {
        let pairs: Vec<Pair<'_>> = text.split('&').map(Pair::of).collect();
        let named = pairs::named_values(&pairs);
        let masked = pairs.iter().zip(named).map(|(pair, is_named)| {
            let Pair { text, value, name, plain, .. } = pair;
            if name.contains('=') {
                // The separator of name and value is encoded.
                let whole = pairs::decoded(text);
                let shown = self.value(&whole);
                return if shown == whole { (*text).to_owned() } else { pairs::encoded(&shown) };
            }
            let is_secret = is_named || names::is_secret(name);
            let shown = if !is_secret || plain.is_empty() { self.value(plain) } else { self.shown(plain) };
            let shown = if shown == *plain {
                (*value).to_owned()
            } else if plain == value {
                shown.into_owned()
            } else {
                pairs::encoded(&shown)
            };
            format!("{}{shown}", self.start(pair))
        });
        masked.collect::<Vec<_>>().join("&")
    }

    /// A name and its separator. A document before a separator is no name.
    fn start<'t>(&self, pair: &Pair<'t>) -> Cow<'t, str> {
        let start = pair.text.get(..pair.text.len() - pair.value.len()).unwrap_or_default();
        let shown = if pair.name.contains([':', '<']) { self.value(&pair.name) } else { Cow::Borrowed("") };
        if shown.is_empty() || shown == pair.name {
            return Cow::Borrowed(start);
        }
        let name = if pair.name == pair.raw { shown.into_owned() } else { pairs::encoded(&shown) };
        Cow::Owned(format!("{name}="))
    }

    /// A path: its matrix parameters and tokens.
    pub(super) fn path(&self, path: &str) -> String {
        let mut places = Vec::new();
        address::find_in_path(path, &mut places);
        address::find_passwords(path, &mut places);
        text::mask(&self.masked(path, places)).into_owned()
    }

    /// A body that is text: JSON, a form, or else.
    pub(super) fn body(&self, text: &str) -> String {
        if starts_form(text) { self.pairs(text) } else { self.value(text).into_owned() }
    }

    /// Any text: JSON, or markup, names with values, and addresses.
    pub(super) fn value<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.nested(text, 0)
    }

    /// A text in JSON of this depth.
    pub(super) fn nested<'t>(&self, text: &'t str, depth: usize) -> Cow<'t, str> {
        if let Some(masked) = self.json(text, depth) {
            return Cow::Owned(masked);
        }
        let mut places = Vec::new();
        find(text, MAX_ESCAPED, &mut places);
        match self.masked(text, places) {
            Cow::Borrowed(text) => text::mask(text),
            Cow::Owned(masked) => Cow::Owned(text::mask(&masked).into_owned()),
        }
    }

    /// A JSON document; `None` if it is none.
    pub(super) fn json(&self, text: &str, depth: usize) -> Option<String> {
        let is_json = depth < MAX_NESTED && json::looks_like_json(text.as_bytes());
        let masked = is_json.then(|| json::mask(text.as_bytes(), &[], Some((self, depth)))).flatten()?;
        let masked = String::from_utf8(masked).ok()?;
        Some(text::mask(&masked).into_owned())
    }

    /// The text with these places masked, but for the payloads in them and across their ends.
    fn masked<'t>(&self, text: &'t str, mut places: Vec<Range<usize>>) -> Cow<'t, str> {
        let slice = |range: Range<usize>| text.get(range).unwrap_or_default();
        places.retain(|place| !slice(place.clone()).trim().is_empty());
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        let visible = self.visible(text);
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for Range { start, end } in merged(places) {
            // The payload that begins before the secret, and the one that ends after it.
            let across = |at: usize| {
                let next = visible.partition_point(|payload| payload.end <= at);
                visible.get(next).filter(|payload| payload.start < at)
            };
            let from = across(start).map_or(start, |payload| payload.end.min(end));
            let to = across(end).map_or(end, |payload| payload.start.max(from));
            out.push_str(slice(copied..from));
            if from < to {
                out.push_str(&self.shown(slice(from..to)));
            }
            copied = to;
        }
        out.push_str(slice(copied..text.len()));
        Cow::Owned(out)
    }

    /// The places of payloads, in their order.
    fn visible(&self, text: &str) -> Vec<Range<usize>> {
        let places = |payload: &&'f str| {
            let length = payload.len();
            text.match_indices(*payload).map(|(at, _)| at..at + length).collect::<Vec<_>>()
        };
        merged(self.payloads.iter().flat_map(places).collect())
    }
}

/// Adds the places of secrets in a text, and in what its character references stand for.
fn find(text: &str, depth: usize, places: &mut Vec<Range<usize>>) {
    markup::find(text, places);
    assignments::find(text, places);
    address::find_passwords(text, places);
    address::find_in_links(text, places);
    if let Some(unescaped) = Some(text).filter(|_| depth > 0).and_then(Unescaped::of) {
        let mut inside = Vec::new();
        find(&unescaped.text, depth - 1, &mut inside);
        places.extend(inside.iter().map(|place| unescaped.original(place)));
    }
}

/// Places in their order; those that overlap are joined.
fn merged(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_unstable_by_key(|place| place.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(places.len());
    for place in places {
        match merged.last_mut().filter(|last| place.start < last.end) {
            Some(last) => last.end = last.end.max(place.end),
            None => merged.push(place),
        }
    }
    merged
}

/// Whether a body without a content type is a form, as the engine reads it.
fn starts_form(text: &str) -> bool {
    let Some((name, _)) = text.split_once('=') else { return false };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]%+$".contains(&byte);
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(is_letter)
}
