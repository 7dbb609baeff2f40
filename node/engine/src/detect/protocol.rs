//! Protocol ambiguity: requests of which two servers parse a different length, different parts or
//! different names.
//!
//! Unusual but unambiguous requests (a rare method, no `host`, an unknown content type) are not
//! attacks.

use super::{Match, ValueContext};
use crate::field::FieldKind;
use shared::{
    AttackType,
    Severity::{self, High, Medium},
    point::Tag,
};

/// RFC 2046.
const MAX_BOUNDARY: usize = 70;

pub(super) fn detect(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Option<Match<'static>> {
    let (signature, severity) = match context.header_name() {
        Some(name) => header(name, value, context)?,
        None => (kind == FieldKind::Name).then(|| parameter_name(value, context))??,
    };
    Some(Match { attack_type: AttackType::Crlf, signature, severity, span: 0..value.len() })
}

/// A line break in a parameter's name. An application that copies the name into a header splits the
/// header there.
fn parameter_name(name: &[u8], context: &ValueContext<'_>) -> Option<(&'static str, Severity)> {
    let breaks = memchr::memchr2(b'\r', b'\n', name.trim_ascii_end()).is_some();
    (breaks && name.len() < 500 && context.is_name_in(&Tag::Get)).then_some(("crlf-parameter-name", Medium))
}

fn header(name: &str, value: &[u8], context: &ValueContext<'_>) -> Option<(&'static str, Severity)> {
    // The URL of a page may hold an escaped text of many lines.
    let is_address = context.is_page_header() && context.hides_breaks();
    let control = value.trim_ascii_end().iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
    if control && !is_address {
        return Some(("crlf-header-control", High));
    }
    let is = |it: &str| name.eq_ignore_ascii_case(it);
    if is("content-type") {
        return is_odd_boundary(value).then_some(("crlf-ambiguous-boundary", Medium));
    }
    let is_ambiguous = is("content-length")
        && (!value.trim_ascii().iter().all(u8::is_ascii_digit)
            || context.headers("content-length").nth(1).is_some())
        || is("transfer-encoding")
            && (!is_coding(value)
                || context.headers("transfer-encoding").nth(1).is_some()
                || context.headers("content-length").next().is_some());
    is_ambiguous.then_some(("crlf-ambiguous-length", High))
}

/// Codings of RFC 9112, `chunked` once and at the end.
fn is_coding(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let codings: Vec<&str> = text.split(',').map(str::trim).collect();
    let known = |coding: &&str| matches!(*coding, "chunked" | "gzip" | "deflate" | "compress" | "identity");
    let chunked = codings.iter().position(|it| *it == "chunked");
    codings.iter().all(known) && chunked.is_none_or(|at| at + 1 == codings.len())
}

/// A boundary that is declared twice, is too long or has invalid characters.
fn is_odd_boundary(value: &[u8]) -> bool {
    const TYPE: &[u8] = b"multipart/";
    if !value.trim_ascii_start().get(..TYPE.len()).is_some_and(|it| it.eq_ignore_ascii_case(TYPE)) {
        return false;
    }
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let mut boundaries = text.match_indices("boundary=");
    let Some((at, key)) = boundaries.next() else { return false };
    let boundary = text[at + key.len()..].split(';').next().unwrap_or_default().trim().trim_matches('"');
    let is_letter = |it: char| it.is_ascii_alphanumeric() || "'()+_,-./:=? ".contains(it);
    boundaries.next().is_some() || boundary.len() > MAX_BOUNDARY || !boundary.chars().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Point;

    fn signature_of(headers: &[(&str, &str)]) -> Option<&'static str> {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        headers.iter().find_map(|(name, value)| {
            let point = Point::header(name);
            detect(value.as_bytes(), FieldKind::ShapedHeader, &ValueContext::at(&point, "/", &headers))
                .map(|it| it.signature)
        })
    }

    #[test]
    fn finds_ambiguous_lengths() {
        for headers in [
            [("content-length", "5"), ("content-length", "6")],
            [("content-length", "5"), ("transfer-encoding", "chunked")],
            [("content-length", "5, 6"), ("x", "")],
            [("transfer-encoding", "xchunked"), ("x", "")],
            [("transfer-encoding", "chunked, identity"), ("x", "")],
        ] {
            assert_eq!(signature_of(&headers), Some("crlf-ambiguous-length"), "{headers:?}");
        }
        assert_eq!(signature_of(&[("content-length", "5"), ("transfer-encodings", "x")]), None);
        assert_eq!(signature_of(&[("transfer-encoding", "gzip, chunked")]), None);
    }

    #[test]
    fn finds_ambiguous_boundaries() {
        let odd = "multipart/form-data; boundary=a; boundary=b";
        assert_eq!(signature_of(&[("content-type", odd)]), Some("crlf-ambiguous-boundary"));
        for fine in [
            "multipart/form-data; boundary=----WebKitFormBoundaryAbC0",
            "multipart/mixed; boundary=\"a b\"",
            "text/plain",
        ] {
            assert_eq!(signature_of(&[("content-type", fine)]), None, "{fine}");
        }
    }

    #[test]
    fn finds_line_breaks_in_names_of_parameters() {
        let names = Point::new(Tag::Get).then(Tag::Name);
        let context = ValueContext::at(&names, "/", &[]);
        assert!(detect(b"a\r\nb: c", FieldKind::Name, &context).is_some());
        assert!(detect(b"a b", FieldKind::Name, &context).is_none());
    }
}
