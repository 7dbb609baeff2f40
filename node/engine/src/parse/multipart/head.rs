//! The head of a part: its headers line by line, and the content in the encodings that they declare.
//!
//! Parsers differ in blanks before a colon and in repeated headers, so each line counts.

use super::super::{Sink, body, declared, xml};
use crate::{
    budget::Limit,
    decode::{base64, charset, quoted_printable},
    field::{Field, FieldKind},
    point_path::PointPath,
};
use shared::point::Tag;
use std::borrow::Cow;

/// The values of all lines of the content type.
pub(super) fn content_types(head: &[u8]) -> Vec<String> {
    values(head, "content-type")
}

/// Adds the content as it is, and decoded from the transfer encodings and character sets of the
/// part: origins differ. Content that is declared as XML is parsed as that, too.
pub(super) fn push_content<'a>(
    head: &[u8],
    content: &'a [u8],
    point: PointPath,
    sink: &mut Sink<'a, '_>,
) -> bool {
    let mut texts = transfer_decoded(head, content, sink);
    texts.push((Vec::new(), Cow::Borrowed(content)));
    let types = content_types(head);
    let is_xml = types.iter().any(|it| it.to_ascii_lowercase().contains("xml"));
    let labels = body::labels(&types, sink);
    let mut copies: Vec<Decoded<'a>> = Vec::new();
    for (layers, text) in &texts {
        for label in &labels {
            let layers = [&layers[..], &[charset::NAME]].concat();
            let decoded = body::decoded(charset::read(label, text), sink);
            copies.extend(decoded.into_iter().map(|text| (layers.clone(), Cow::Owned(text))));
        }
    }
    copies.into_iter().chain(texts).all(|(layers, text)| {
        // Documents that look like XML are parsed in any part.
        if is_xml && text.trim_ascii_start().starts_with(b"<") && !xml::looks_like_xml(&text) {
            push_elements(&text, &layers, point, sink);
        }
        let field = Field::new(point, FieldKind::Value, text);
        sink.push(Field { decoded: layers, ..field })
    })
}

/// Adds what a document that is declared as XML contains.
fn push_elements(document: &[u8], layers: &[&'static str], point: PointPath, sink: &mut Sink<'_, '_>) {
    let (root, added) = (sink.arena.then(point, Tag::Xml), sink.fields.len());
    xml::parse(document, root, sink);
    for field in &mut sink.fields[added..] {
        field.decoded.splice(0..0, layers.iter().copied());
    }
}

/// A text and the encodings removed from it.
type Decoded<'a> = (Vec<&'static str>, Cow<'a, [u8]>);

/// The content without each of its transfer encodings (RFC 2045, section 6); `7bit`, `8bit` and `binary`
/// change nothing, others are reported.
fn transfer_decoded<'a>(head: &[u8], content: &[u8], sink: &mut Sink<'_, '_>) -> Vec<Decoded<'a>> {
    let encodings = transfer_encodings(head);
    let mut texts = Vec::new();
    if encodings.iter().any(|it| is_base64(it)) {
        let text = base64::decode_declared(content);
        texts.extend(text.map(|text| (vec![base64::NAME], Cow::Owned(text))));
    }
    if encodings.iter().any(|it| is_quoted(it)) {
        let text = quoted_printable::decode(content);
        texts.extend(text.map(|text| (vec![quoted_printable::NAME], Cow::Owned(text))));
    }
    if !encodings.iter().all(|it| is_quoted(it) || is_base64(it) || is_plain(it)) {
        sink.budget.undecodable(Limit::Coding);
    }
    texts
}

/// Whether the content is in a transfer encoding that changes it.
pub(super) fn is_transfer_encoded(head: &[u8]) -> bool {
    transfer_encodings(head).iter().any(|it| is_quoted(it) || is_base64(it) || !is_plain(it))
}

/// The transfer encodings of all lines, in lower case.
fn transfer_encodings(head: &[u8]) -> Vec<String> {
    let mut encodings = values(head, "content-transfer-encoding");
    for encoding in &mut encodings {
        encoding.make_ascii_lowercase();
    }
    encodings
}

fn is_quoted(encoding: &str) -> bool {
    encoding.contains("quoted-printable")
}

fn is_base64(encoding: &str) -> bool {
    encoding.contains("base64")
}

fn is_plain(encoding: &str) -> bool {
    declared::is_no_coding(encoding.trim_matches(['"', '\'']))
}

/// The values of all lines of a header.
fn values(head: &[u8], wanted: &str) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    let mut is_wanted = false;
    for line in head.split(|byte| b"\r\n".contains(byte)).filter(|line| !line.is_empty()) {
        let is_folded = line.first().is_some_and(u8::is_ascii_whitespace);
        let split = line.iter().position(|&byte| byte == b':').filter(|_| !is_folded);
        let text = match split {
            Some(at) => {
                is_wanted = line[..at].trim_ascii().eq_ignore_ascii_case(wanted.as_bytes());
                &line[at + 1..]
            }
            // PHP appends a line without a colon to the header before it.
            None => line,
        };
        if !is_wanted {
            continue;
        }
        let text = String::from_utf8_lossy(text.trim_ascii());
        match values.last_mut().filter(|_| split.is_none()) {
            Some(value) => {
                value.push(' ');
                value.push_str(&text);
            }
            None => values.push(text.into_owned()),
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_header_has_a_value() {
        for (head, expected) in [
            ("\r\nContent-Type: a/b\r\nX: y", vec!["a/b"]),
            ("content-type : a/b\n\tCONTENT-TYPE:c/d", vec!["a/b CONTENT-TYPE:c/d"]),
            ("Content-Type:a/b;\r\n charset=x\r\nContent-Type: c/d", vec!["a/b; charset=x", "c/d"]),
            ("X: content-type: a/b\r\nX-Content-Type: c/d", vec![]),
        ] {
            assert_eq!(content_types(head.as_bytes()), expected, "{head}");
        }
    }
}
