//! Masking of values in `a=1&b=2` and `a=1; b=2`.

use super::{MASK, names};
use shared::point::{Key, Step};

/// A name and its value: `a=1`. Without a separator, all of it is a value.
pub(super) struct Pair<'t> {
    pub text: &'t str,
    pub raw: &'t str,
    pub value: &'t str,
    /// The name, decoded.
    pub name: String,
    /// The value, decoded.
    pub plain: String,
}

impl<'t> Pair<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let (raw, value) = text.split_once('=').unwrap_or(("", text));
        Self { text, raw, value, name: decoded(raw), plain: decoded(value) }
    }
}

/// Whether each value is a secret by a name in a pair of its own: `name=password&value=x`, also in the
/// other order.
pub(super) fn named_values(pairs: &[Pair<'_>]) -> Vec<bool> {
    let mut is_named = vec![false; pairs.len()];
    let keys: Vec<Option<&str>> = pairs.iter().map(|pair| names::name_key(&pair.name)).collect();
    let is_secret = |at: &usize| keys[*at].is_some() && names::is_secret(pairs[*at].plain.trim());
    let secret: Vec<usize> = (0..pairs.len()).filter(is_secret).collect();
    if secret.is_empty() {
        return is_named;
    }
    let values: Vec<Option<&str>> = pairs.iter().map(|pair| names::value_key(&pair.name)).collect();
    let first_value = values.iter().position(Option::is_some);
    let mut first_names: Vec<(Option<&str>, usize)> = Vec::new();
    for (at, key) in keys.iter().enumerate().filter(|(_, key)| key.is_some()) {
        if !first_names.iter().any(|(known, _)| known == key) {
            first_names.push((*key, at));
        }
    }
    for at in secret {
        // Up to the pair of another name with the same key, of which there are few.
        let key = keys[at];
        let mark = |beside: &mut dyn Iterator<Item = usize>, is_named: &mut [bool]| {
            let mut nearest = None;
            for at in beside.take_while(|at| keys[*at] != key).filter(|at| values[*at].is_some()) {
                if *nearest.get_or_insert(values[at]) == values[at] {
                    is_named[at] = true;
                }
            }
        };
        let first_name = first_names.iter().find(|(known, _)| *known == key).map(|(_, at)| *at);
        if first_value < first_name {
            mark(&mut (0..at).rev(), &mut is_named);
        } else {
            mark(&mut (at + 1..pairs.len()), &mut is_named);
        }
    }
    is_named
}

/// The text with the values masked that the first steps of the rules name.
pub(super) fn mask(text: &str, rules: &[&[Step]]) -> String {
    let names: Vec<Option<&str>> = rules
        .iter()
        .filter_map(|steps| match &steps.first()?.key {
            Some(Key::Name(name)) => Some(Some(name.as_str())),
            _ => Some(None),
        })
        .collect();
    if names.is_empty() {
        return text.to_owned();
    }
    let pairs = text.split('&').map(|pair| {
        let (raw, has_value) = pair.split_once('=').map_or((pair, false), |(name, _)| (name, true));
        let name = decoded(raw);
        let is_masked = names.iter().any(|masked| masked.is_none_or(|masked| is_named(&name, masked)));
        match (is_masked, has_value) {
            (true, true) => format!("{raw}={MASK}"),
            // The separator of name and value may be encoded.
            (true, false) if name.contains('=') => MASK.to_owned(),
            _ => pair.to_owned(),
        }
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// A `Cookie` header with the value of one cookie masked.
pub(super) fn mask_cookie(text: &str, masked: &str) -> String {
    let cookies = text.split(';').map(|cookie| match cookie.split_once('=') {
        Some((name, _)) if name.trim() == masked => format!("{name}={MASK}"),
        _ => cookie.to_owned(),
    });
    cookies.collect::<Vec<_>>().join(";")
}

/// `p[k]` and `p.k` are part of `p`.
fn is_named(name: &str, masked: &str) -> bool {
    let name = name.split('=').next().unwrap_or_default();
    let rest = name.strip_prefix(masked);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        // Names in points are truncated.
        || (masked.chars().count() >= 100 && name.starts_with(masked))
}

/// The text, percent-encoded where a pair needs it.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_graphic() && !b"&=%+#".contains(&byte);
        if is_plain {
            out.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

pub(super) fn decoded(raw: &str) -> String {
    let bytes = raw.as_bytes();
    let mut name = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = || u8::from_str_radix(std::str::from_utf8(bytes.get(at + 1..at + 3)?).ok()?, 16).ok();
        let (letter, width) = match (byte, hex()) {
            (b'%', Some(letter)) => (letter, 3),
            (b'+', _) => (b' ', 1),
            _ => (byte, 1),
        };
        name.push(letter);
        at += width;
    }
    String::from_utf8_lossy(&name).into_owned()
}
