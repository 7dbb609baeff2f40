//! Masking of multipart bodies: the parts that the engine finds, each masked by its name or its content.

use super::{body, names, pairs::decoded, secrets::Secrets};
use engine::multipart::{self, Part};
use std::ops::Range;

/// A head with more names is masked with its content.
const MAX_NAMES: usize = 32;
/// The part of a name that is read.
const MAX_NAME: usize = 300;

/// Whether the engine splits this body into parts.
pub(super) fn has_parts(bytes: &[u8], content_type: &str) -> bool {
    !multipart::boundaries(content_type, bytes).is_empty()
}

/// Whether a body has parts that cannot be separated by any of its content types.
pub(super) fn is_unreadable(bytes: &[u8], types: &[&str]) -> bool {
    const HEADER: &[u8] = b"content-disposition";
    types.iter().any(|it| multipart::is_declared(it))
        && !types.iter().any(|it| has_parts(bytes, it))
        && bytes.windows(HEADER.len()).any(|it| it.eq_ignore_ascii_case(HEADER))
}

/// The body with its parts masked, by each boundary that the engine knows.
pub(super) fn mask(bytes: &[u8], content_type: &str, secrets: &Secrets<'_>, depth: usize) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    for boundary in multipart::boundaries(content_type, bytes) {
        masked = mask_parts(&masked, &boundary, secrets, depth);
    }
    masked
}

fn mask_parts(bytes: &[u8], boundary: &[u8], secrets: &Secrets<'_>, depth: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let (mut copied, mut is_secret) = (0, false);
    let slice = |range: Range<usize>| bytes.get(range).unwrap_or_default();
    for part in multipart::parts(bytes, boundary) {
        // A delimiter inside of a line, or at the start of a longer one, belongs to the content, for
        // parsers that follow RFC 2046.
        let delimiter = part.span.start.saturating_sub(boundary.len() + 2);
        let is_line = slice(0..delimiter).ends_with(b"\n") && starts_blank(slice(part.span.clone()));
        let continues = is_secret && !is_line;
        let content = if continues { part.span.clone() } else { part.content.clone() };
        // The delimiter and the head; before the first part and after the last one, more text.
        let between = slice(copied..content.start);
        let head = slice(delimiter..content.start).len().min(between.len());
        let (before, head) = between.split_at(between.len() - head);
        out.extend(mask_between(before, boundary, is_secret, secrets));
        out.extend_from_slice(head);
        let text = slice(content.clone());
        let content_type = multipart::content_type(part.head);
        // Values cannot be located in the content: it may be a secret.
        let is_opaque = multipart::is_transfer_encoded(part.head) || body::is_opaque(text, &content_type);
        is_secret = continues || is_opaque || has_secret_name(&part, slice(part.span.clone()));
        if is_secret {
            out.extend(body::mask_secret(text, secrets));
        } else {
            out.extend(body::mask_content(text, &content_type, secrets, depth));
        }
        copied = content.end;
    }
    out.extend(mask_between(slice(copied..bytes.len()), boundary, is_secret, secrets));
    out
}

/// Whether only blanks are left of the first line.
fn starts_blank(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.trim_ascii().is_empty()
}

/// The end of the body and other text after a part. A delimiter inside of a line, or at the start of a
/// longer one, belongs to the part.
fn mask_between(bytes: &[u8], boundary: &[u8], is_secret: bool, secrets: &Secrets<'_>) -> Vec<u8> {
    let delimiter = [b"--", boundary, b"--"].concat();
    let is_longer = || {
        let rest = bytes.trim_ascii_start().strip_prefix(delimiter.as_slice());
        rest.is_some_and(|rest| !starts_blank(rest))
    };
    if is_secret && (bytes.starts_with(b"--") || is_longer()) {
        body::mask_secret(bytes, secrets)
    } else {
        body::mask_text(bytes, secrets)
    }
}

/// Whether a name in the head of a part, as any parser reads it, is that of a secret.
fn has_secret_name(part: &Part<'_>, whole: &[u8]) -> bool {
    let head = if part.head.is_empty() { whole } else { part.head };
    let head: String = head.iter().map(|&byte| char::from(byte)).collect();
    let lower = head.to_ascii_lowercase();
    let mut joined = String::new();
    for (number, (at, word)) in lower.match_indices("name").enumerate() {
        let before = lower.get(..at).and_then(|text| text.chars().next_back());
        if number >= MAX_NAMES {
            return true;
        }
        if before.is_some_and(char::is_alphanumeric) {
            continue;
        }
        let after = head.get(at + word.len()..).unwrap_or_default();
        // `name*0*=` continues a name (RFC 2231).
        let after = after.trim_start_matches(|it: char| it == '*' || it.is_ascii_digit());
        let Some(value) = after.trim_start().strip_prefix('=') else { continue };
        let value = value.trim_start();
        let value = value.get(..value.floor_char_boundary(MAX_NAME)).unwrap_or_default();
        let value = value.split(['\r', '\n']).next().unwrap_or_default();
        if spellings(value).any(|name| names::is_secret(&decoded(name))) {
            return true;
        }
        joined.push_str(spellings(value).next().unwrap_or_default());
    }
    names::is_secret(&decoded(&joined))
}

/// The value of a parameter: to its closing quote, to the quote before the next parameter or the end of
/// the line, to a semicolon, and without a character set.
fn spellings(value: &str) -> impl Iterator<Item = &str> {
    let quoted = value.strip_prefix(['"', '\'']);
    let plain = value.split(';').next().unwrap_or_default();
    let closed = quoted.map(|value| value.split(['"', '\'']).next().unwrap_or_default());
    let before_next = quoted.map(|value| value.split("\";").next().unwrap_or_default());
    let last = before_next.map(|value| value.rsplit_once(['"', '\'']).map_or(value, |(name, _)| name));
    let extended = plain.rsplit_once('\'').map(|(_, name)| name);
    [closed.or(Some(plain)), last, extended, Some(plain)].into_iter().flatten()
}
