//! Masking of secrets in bodies: every format that the engine reads in a body of this kind.

use super::{MASK, multipart, secrets::Secrets};

/// The most levels of parts inside of parts, as in the engine.
const MAX_NESTED: usize = 4;
/// Character sets in which names and values are other bytes.
const WIDE: &[&str] =
    &["utf-16", "utf16", "utf-32", "utf32", "ucs-2", "ucs2", "utf-7", "utf7", "ibm", "ebcdic"];

/// The body without its secrets; nothing of one that is compressed, in a character set of other bytes,
/// or of parts that cannot be separated. Bytes that are no text stay as they are.
pub(super) fn mask(bytes: &[u8], secrets: &Secrets<'_>, headers: &[(String, String)]) -> Vec<u8> {
    let named =
        |wanted: &'static str| headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
    let is_coded = named("content-encoding").any(|(_, value)| !value.trim().eq_ignore_ascii_case("identity"));
    let content_type = named("content-type").next().map_or("", |(_, value)| value);
    if is_coded || is_opaque(bytes, content_type) || multipart::is_unreadable(bytes, content_type) {
        return if bytes.is_empty() { Vec::new() } else { MASK.as_bytes().to_vec() };
    }
    mask_content(bytes, content_type, secrets, MAX_NESTED)
}

fn is_opaque(bytes: &[u8], content_type: &str) -> bool {
    let start = bytes.get(..4).unwrap_or(bytes);
    let has_wide_units =
        start.iter().filter(|byte| **byte == 0).nth(1).is_some() && start.iter().any(u8::is_ascii_graphic);
    let charset = content_type.to_ascii_lowercase();
    let charset = charset.split("charset=").nth(1).unwrap_or_default().trim_start_matches(['"', '\'', ' ']);
    has_wide_units
        // gzip, UTF-16, and `<?xml` in EBCDIC.
        || [&b"\x1f\x8b"[..], b"\xfe\xff", b"\xff\xfe", b"\x4c\x6f\xa7\x94"].iter().any(|it| start.starts_with(it))
        || WIDE.iter().any(|label| charset.starts_with(label))
}

/// The body, or the content of a part, by its formats.
pub(super) fn mask_content(bytes: &[u8], content_type: &str, secrets: &Secrets<'_>, depth: usize) -> Vec<u8> {
    let is_form = content_type.to_ascii_lowercase().contains("x-www-form-urlencoded");
    let is_split = depth > 0 && multipart::has_parts(bytes, content_type);
    // The same bytes may be JSON to one parser, and a form or parts to another.
    let masked = as_text(bytes, |text| {
        let json = if is_form || is_split { secrets.json(text, 0) } else { None };
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
