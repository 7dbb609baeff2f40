//! Masking of secrets in bodies: every format that the engine reads in a body of this kind.

use super::{MASK, json, multipart, secrets::Secrets};

/// The most levels of parts inside of parts, as in the engine.
const MAX_NESTED: usize = 4;
/// A body with more different content types is masked as a whole: each is a pass over it.
const MAX_TYPES: usize = 4;

/// The body without its secrets; nothing of one in which values cannot be located. Bytes that are no text
/// stay as they are.
pub(super) fn mask(bytes: &[u8], secrets: &Secrets<'_>, headers: &[(String, String)]) -> Vec<u8> {
    if bytes.is_empty() {
        return Vec::new();
    }
    match content_types(bytes, headers) {
        Some(types) if !multipart::is_unreadable(bytes, &types) => {
            types.iter().fold(bytes.to_vec(), |masked, content_type| {
                mask_content(&masked, content_type, secrets, MAX_NESTED)
            })
        }
        _ => MASK.as_bytes().to_vec(),
    }
}

/// The different content types of a request: servers read the first line, the last one, or all. Those that
/// split the body are first, before other masks change the heads of its parts. `None` for a body that is
/// compressed or in a character set of other bytes.
pub(super) fn content_types<'h>(bytes: &[u8], headers: &'h [(String, String)]) -> Option<Vec<&'h str>> {
    let mut codings = lines(headers, "content-encoding").flat_map(|line| line.split(','));
    let is_coded = codings.any(|word| is_coded(bytes, word));
    let mut types: Vec<&str> = Vec::new();
    for line in lines(headers, "content-type").filter(|line| !line.is_empty()) {
        if !types.contains(&line) {
            types.push(line);
        }
        if types.len() > MAX_TYPES {
            return None;
        }
    }
    if types.is_empty() {
        types.push("");
    }
    types.sort_by_cached_key(|content_type| !multipart::has_parts(bytes, content_type));
    let is_readable = !is_coded && !types.iter().any(|content_type| is_opaque(bytes, content_type));
    is_readable.then_some(types)
}

fn lines<'h>(headers: &'h [(String, String)], wanted: &'static str) -> impl Iterator<Item = &'h str> {
    let named = headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
    named.map(|(_, value)| value.trim())
}

/// Whether a body may be in a declared coding. Servers read a body that is not as it is. The engine
/// decodes base64 without a declaration.
fn is_coded(bytes: &[u8], word: &str) -> bool {
    let word = word.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match word.as_str() {
        "gzip" | "x-gzip" => bytes.starts_with(b"\x1f\x8b"),
        "zstd" => bytes.starts_with(b"\x28\xb5\x2f\xfd"),
        // Without a magic number.
        "br" | "deflate" | "compress" | "x-compress" => !is_text(bytes),
        _ => word == "base64" || !engine::is_no_coding(&word),
    }
}

fn is_text(bytes: &[u8]) -> bool {
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    std::str::from_utf8(bytes).is_ok() && !bytes.iter().any(is_control)
}

/// Whether a body or a part is compressed, or in a character set in which names and values are other
/// bytes.
pub(super) fn is_opaque(bytes: &[u8], content_type: &str) -> bool {
    let start = bytes.get(..4).unwrap_or(bytes);
    // UTF-16 and UTF-32 that no mark, markup or JSON shows.
    let has_wide_units =
        start.iter().filter(|byte| **byte == 0).nth(1).is_some() && start.iter().any(u8::is_ascii_graphic);
    let is_gzip = start.starts_with(b"\x1f\x8b");
    has_wide_units || is_gzip || !engine::is_ascii_based(bytes, content_type)
}

pub(super) fn is_form(content_type: &str) -> bool {
    content_type.to_ascii_lowercase().contains("x-www-form-urlencoded")
}

/// The body, or the content of a part, by its formats.
pub(super) fn mask_content(bytes: &[u8], content_type: &str, secrets: &Secrets<'_>, depth: usize) -> Vec<u8> {
    let is_form = is_form(content_type);
    let is_split = depth > 0 && multipart::has_parts(bytes, content_type);
    // The same bytes may be JSON to one parser, and a form or parts to another.
    let masked = as_text(bytes, |text| {
        let json = match () {
            // Also a malformed document.
            () if is_form && json::looks_like_json(bytes) => Some(secrets.value(text).into_owned()),
            () if is_form || is_split => secrets.json(text, 0),
            () => None,
        };
        let text = json.as_deref().unwrap_or(text);
        match (is_form, is_split) {
            (true, _) => secrets.pairs(text),
            (false, true) => text.to_owned(),
            (false, false) => secrets.body(text),
        }
    });
    if is_split { multipart::mask(&masked, content_type, secrets, depth - 1) } else { masked }
}

pub(super) fn mask_text(bytes: &[u8], secrets: &Secrets<'_>) -> Vec<u8> {
    as_text(bytes, |text| secrets.body(text))
}

/// A value that is a secret as a whole.
pub(super) fn mask_secret(bytes: &[u8], secrets: &Secrets<'_>) -> Vec<u8> {
    as_text(bytes, |text| if text.is_empty() { String::new() } else { secrets.shown(text).into_owned() })
}

/// Masks text; of other bytes, each is one character.
fn as_text(bytes: &[u8], mask: impl FnOnce(&str) -> String) -> Vec<u8> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return mask(text).into_bytes();
    }
    let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    mask(&text).chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect()
}
