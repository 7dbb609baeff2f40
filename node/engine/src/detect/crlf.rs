//! CRLF injection: line breaks that end one header and begin another (response splitting, request
//! smuggling).
//!
//! Benign bodies quote mails and HTTP messages. In them only a first line followed directly by a
//! header counts, unless the break was escaped (`%0d%0a`).

use super::{Match, ValueContext, ssrf::blanks};
use crate::words::WORDS;
use shared::{
    AttackType,
    Severity::{self, Critical, High, Medium},
};
use std::ops::Range;

const METHODS: &[&[u8]] =
    &[b"GET ", b"POST ", b"PUT ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"TRACE "];

/// Limit of the first line, which is the rest of the value that the origin writes.
const FIRST_LINE: usize = 200;
/// Limit of the words in a longer first line.
const FIRST_WORDS: usize = 12;
/// A value with more lines that are not empty is a text.
const FEW_LINES: usize = 7;

/// Limit of a line: escaped breaks and those of other characters do not end it.
const MAX_LINE: usize = 8 << 10;
/// Limit of lines of one word each between a plain first line and a header in a body.
const MAX_FILLERS: usize = 3;

/// Reads the value as it is, and without the blanks before it: applications strip them, and a first
/// line break of its own would hide the next one.
pub(super) fn detect(value: &[u8], context: &ValueContext<'_>) -> Option<Match<'static>> {
    let blanks = blanks(value);
    detect_in(value, context).or_else(|| {
        let found = detect_in(value.get(blanks..).filter(|_| blanks > 0)?, context)?;
        Some(Match { span: found.span.start + blanks..found.span.end + blanks, ..found })
    })
}

fn detect_in(value: &[u8], context: &ValueContext<'_>) -> Option<Match<'static>> {
    let first = next_break(value, 0)?;
    let is_typed =
        context.is_in_body() && !(context.depth() > 1 && is_spelled(&value[..first.start], context));
    if is_typed && !is_injection_in_body(value, &first, context) {
        return None;
    }
    if context.is_path() && first.end < value.len() && !value[first.clone()].starts_with(b"\\") {
        // A benign path has no line break; a server that copies it into a header splits the header
        // there.
        let span = first.start..value.len();
        return Some(Match { attack_type: AttackType::Crlf, signature: "crlf-path", severity: Medium, span });
    }
    let mut fillers = 0;
    let mut line_break = first.clone();
    loop {
        // After a header of its own, `Location:` also labels the line of an invitation.
        let may_match = |signature: &str| {
            !is_typed || line_break == first || is_known_header(value, &line_break, signature)
        };
        let line = classify_line(value, line_break.clone()).filter(|it| may_match(it.0));
        if let Some((signature, severity, length)) = line {
            let span = line_break.start..line_break.end + length;
            return Some(Match { attack_type: AttackType::Crlf, signature, severity, span });
        }
        if !is_typed && is_lone_header(value, &line_break) {
            let span = line_break.start..value.len();
            return Some(Match {
                attack_type: AttackType::Crlf,
                signature: "crlf-header",
                severity: Medium,
                span,
            });
        }
        let line = line_after(value, &line_break);
        let goes_on = !is_typed
            || is_one_break(value, &line_break)
                && (is_any_header(line)
                    || is_plain(&value[..first.start])
                        && (is_folded(value, &line_break) || is_filler(line, &mut fillers)));
        line_break = next_break(value, line_break.end).filter(|_| goes_on)?;
    }
}

/// The text of the line after a break.
fn line_after<'v>(value: &'v [u8], line_break: &Range<usize>) -> &'v [u8] {
    let rest = &value[line_break.end..];
    let rest = &rest[..rest.len().min(MAX_LINE)];
    rest[..memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len())].trim_ascii()
}

/// Whether a line is a header of any name, also with blanks before the colon.
fn is_any_header(line: &[u8]) -> bool {
    let name = memchr::memchr(b':', line).map_or(&line[..0], |colon| line[..colon].trim_ascii_end());
    !name.is_empty()
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// Whether the line after a break begins with a blank: it continues the one before, or is empty.
fn is_folded(value: &[u8], line_break: &Range<usize>) -> bool {
    matches!(value.get(line_break.end), Some(b' ' | b'\t'))
}

/// Whether a line is one word, which clients skip, and one of few.
fn is_filler(line: &[u8], fillers: &mut usize) -> bool {
    *fillers += 1;
    *fillers <= MAX_FILLERS && !line.iter().any(u8::is_ascii_whitespace)
}

/// A value of its own, such as `en`: no sentence and no label.
fn is_plain(prefix: &[u8]) -> bool {
    let prefix = prefix.trim_ascii();
    !prefix.is_empty() && prefix.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// Whether a status line and a header follow the break.
fn is_response(value: &[u8], line_break: &Range<usize>) -> bool {
    let status = line_after(value, line_break);
    let after = next_break(value, line_break.end).map(|it| line_after(value, &it));
    status.starts_with(b"HTTP/") && after.is_some_and(is_any_header)
}

/// Whether the line after a break is a header that no text has, or begins a response or request.
fn is_known_header(value: &[u8], line_break: &Range<usize>, signature: &str) -> bool {
    let line = line_after(value, line_break);
    let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
    signature != "crlf-header" || WORDS.crlf.headers.contains(name.trim_ascii())
}

/// A blank line also parts the paragraphs of a text.
fn is_one_break(value: &[u8], line_break: &Range<usize>) -> bool {
    line_break.len() <= 2 || value[line_break.clone()] == *br"\r\n"
}

/// Escaped lines inside a URL, which escapes the text it quotes.
fn is_spelled(prefix: &[u8], context: &ValueContext<'_>) -> bool {
    context.hides_breaks() && memchr::memmem::find(prefix, b"://").is_none()
}

/// The body itself is inspected at its first bytes: `0`, a blank line, a second request.
fn is_injection_in_body(value: &[u8], first: &Range<usize>, context: &ValueContext<'_>) -> bool {
    let prefix = &value[..first.start];
    if context.depth() == 1 {
        return prefix == b"0";
    }
    // Headers after one word are no text: they may be padding before the one that counts.
    let is_word = !prefix.iter().any(u8::is_ascii_whitespace);
    let is_text = |line: &&[u8]| {
        line.iter().any(|byte| *byte > b' ')
            && !(is_word && is_any_header(line))
            && !(is_plain(prefix) && line.starts_with(b" "))
    };
    // Lines after a header are the page of an attacker.
    let is_headed = || is_plain(prefix) && is_known_header(value, first, "crlf-header");
    let is_long = || value.split(|&byte| byte == b'\n').filter(is_text).nth(FEW_LINES).is_some();
    let is_prose = || {
        let words = prefix.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        prefix.len() > FIRST_LINE && words.take(FIRST_WORDS).count() == FIRST_WORDS
    };
    (is_one_break(value, first) || is_plain(prefix) && is_response(value, first))
        && !prefix.starts_with(b"HTTP/")
        && !is_request(prefix)
        && !is_prose()
        && (is_headed() || !is_long())
}

/// A run of line breaks, also as the characters that become line breaks when their high byte is cut
/// off.
fn next_break(value: &[u8], mut from: usize) -> Option<Range<usize>> {
    loop {
        let may_break = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0xE5 | 0xC4 | b'\\' | b'0');
        let start = from + value.get(from..)?.iter().position(may_break)?;
        let mut end = start;
        while let length @ 1.. = value.get(end..).map_or(0, break_length) {
            end += length;
        }
        if end > start {
            return Some(start..end);
        }
        from = start + 1;
    }
}

fn break_length(rest: &[u8]) -> usize {
    match rest {
        [b'\r' | b'\n', ..] => 1,
        [b'\\', b'r' | b'n', ..] => 2,
        [0xE5, 0x98, 0x8A | 0x8D, ..] => 3,
        [0xC4, 0x8D, 0xC4, 0x8A, ..] | [b'0', b'x' | b'X', b'0', b'a' | b'd' | b'A' | b'D', ..] => 4,
        _ => 0,
    }
}

/// The signature, severity and length of the content after a line break.
fn classify_line(value: &[u8], line_break: Range<usize>) -> Option<(&'static str, Severity, usize)> {
    let rest = &value[line_break.end..];
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line = &rest[blanks..];
    let line = &line[..line
        .iter()
        .take(400)
        .position(|byte| matches!(byte, b'\r' | b'\n'))
        .unwrap_or(line.len().min(400))];
    let length = blanks + line.len();
    if line.starts_with(b"HTTP/1.") || line.starts_with(b"HTTP/2 ") {
        return Some(("crlf-response", Critical, length));
    }
    if is_request(line) {
        return Some(("crlf-request", Critical, length));
    }
    let ends_headers =
        value[line_break.clone()].iter().filter(|byte| matches!(byte, b'\n' | b'n' | 0x8A)).count() > 1;
    if ends_headers && is_page(line) {
        return Some(("crlf-response", Critical, length));
    }
    let colon = line.iter().take(40).position(|&byte| byte == b':')?;
    let name = line[..colon].trim_ascii().to_ascii_lowercase();
    let content = line[colon + 1..].trim_ascii();
    let is_header = match name.as_slice() {
        // `Location:` also labels the line of an invitation.
        b"location" | b"refresh" => {
            [b"http".as_slice(), b"/", b"0;"].iter().any(|it| content.starts_with(it))
        }
        b"host" | b"connection" => ends_request(&value[..line_break.start]),
        name => WORDS.crlf.headers.contains_exact(name) && !content.is_empty(),
    };
    is_header.then_some(("crlf-header", High, length))
}

/// One line that is a header, after a very short first line: no benign query has two such lines.
fn is_lone_header(value: &[u8], line_break: &Range<usize>) -> bool {
    let prefix = &value[..line_break.start];
    let line = value[line_break.end..].trim_ascii();
    let Some(colon) = line.iter().take(40).position(|&byte| byte == b':') else { return false };
    let (name, content) = (&line[..colon], line[colon + 1..].trim_ascii());
    let is_token = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let is_host = name.eq_ignore_ascii_case(b"host") && content.contains(&b'.');
    let is_bare = !prefix.iter().any(u8::is_ascii_alphanumeric);
    is_token
        && !content.is_empty()
        && (is_bare || is_host || name.contains(&b'-'))
        && prefix.len() <= FIRST_LINE
        && !prefix.iter().chain(content).any(u8::is_ascii_whitespace)
}

/// `… HTTP/1.1`: the headers of a request follow.
fn ends_request(before: &[u8]) -> bool {
    before.len().checked_sub(9).is_some_and(|at| before[at..].starts_with(b" HTTP/1."))
}

/// A page of the attacker, after the end of the headers.
fn is_page(line: &[u8]) -> bool {
    let start = line[..line.len().min(9)].to_ascii_lowercase();
    [b"<html".as_slice(), b"<!doctype", b"<body", b"<head>", b"<script", b"<svg", b"<img"]
        .iter()
        .any(|it| start.starts_with(it))
}

/// `GET /x HTTP/1.1`
fn is_request(line: &[u8]) -> bool {
    METHODS.iter().any(|it| line.starts_with(it)) && memchr::memmem::find(line, b" HTTP/1.").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Point, point::Tag};

    fn signature_of(point: &Point, value: &str) -> Option<&'static str> {
        detect(value.as_bytes(), &ValueContext::at(point, "/", &[])).map(|it| it.signature)
    }

    #[test]
    fn finds_headers_after_a_line_break() {
        let get = Point::get("x");
        assert_eq!(signature_of(&get, "en\r\nSet-Cookie: a=b"), Some("crlf-header"));
        assert_eq!(signature_of(&get, "en\nLocation:https://evil.example"), Some("crlf-header"));
        assert_eq!(signature_of(&get, "x嘊嘍Set-Cookie: a=b"), Some("crlf-header"));
        assert_eq!(signature_of(&get, "\r\nheader-x:y"), Some("crlf-header"));
        assert_eq!(signature_of(&get, "x0x0d0x0aSet-Cookie: a=b"), Some("crlf-header"));
        assert_eq!(signature_of(&get, "x\\r\\nSet-Cookie: a=b"), Some("crlf-header"));
        assert_eq!(signature_of(&get, "x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n<b>"), Some("crlf-response"));
        assert_eq!(
            signature_of(&get, "x HTTP/1.1\r\nHost: a.example\r\n\r\nGET /admin HTTP/1.1"),
            Some("crlf-header")
        );
    }

    #[test]
    fn a_first_empty_line_hides_no_header_in_a_form() {
        let form = Point::new(Tag::Post).then(Tag::FormUrlencoded).named(Tag::Hash, "lang");
        for value in ["en\r\nSet-Cookie: a=b", "\nen\r\nSet-Cookie: a=b", " \r\n\x0b\nen\r\nSet-Cookie: a=b"]
        {
            assert_eq!(signature_of(&form, value), Some("crlf-header"), "{value:?}");
        }
        assert_eq!(signature_of(&form, "\nDear all,\n\nhost: me, link: below\nBye"), None);
    }

    #[test]
    fn padding_and_other_headers_hide_no_header_in_a_form() {
        let form = Point::new(Tag::Post).then(Tag::FormUrlencoded).named(Tag::Hash, "lang");
        for padding in [1, 10, 5_000] {
            let repeated = |text: &str| text.repeat(padding);
            for value in [
                format!("en\r\nSet-Cookie: a=b{}", repeated("\n")),
                format!("en\r\nSet-Cookie: a=b{}", repeated("\r\n ")),
                format!("en\r\n{}Set-Cookie: a=b", repeated("X-Foo: 1\r\n")),
                format!("{}\r\nSet-Cookie: a=b", repeated("a")),
                format!("en{}\r\nSet-Cookie: a=b", repeated(" ")),
                format!("{}en\r\nSet-Cookie: a=b", repeated("\u{85}\n")),
            ] {
                assert_eq!(signature_of(&form, &value), Some("crlf-header"), "{:?}", value.split_at(4).0);
            }
        }
        for text in [
            "Party\nDate: Friday\nLocation: https://a.example/room",
            "From: Ann\nTo: Bob\nSubject: lunch\n\nAt noon?",
            "Name: Ann\nPhone: 1",
            &format!("{}\nSet-Cookie: a=b", "The proxy that we use since last week answers ".repeat(5)),
            "a\nb\nc\nd\ne\nf\nSet-Cookie: a=b",
        ] {
            assert_eq!(signature_of(&form, text), None, "{text}");
        }
    }

    #[test]
    fn lines_that_are_no_headers_hide_none_in_a_form() {
        let form = Point::new(Tag::Post).then(Tag::FormUrlencoded).named(Tag::Hash, "lang");
        for between in [" ", "\t", " folded", "X.y: a", "X!: a", "X : a", "word", "a\r\nb", ":", "(x)"] {
            let value = format!("en\r\n{between}\r\nSet-Cookie: a=b");
            assert_eq!(signature_of(&form, &value), Some("crlf-header"), "{value:?}");
        }
        for value in [
            format!("en{}\r\nSet-Cookie: a=b", "\r\n ".repeat(5_000)),
            format!("en{}\r\nSet-Cookie: a=b", "\r\n x".repeat(50)),
            format!("en\r\nSet-Cookie: a=b{}", "\r\nx".repeat(8)),
        ] {
            assert_eq!(signature_of(&form, &value), Some("crlf-header"), "{:?}", value.split_at(4).0);
        }
        let response = "en\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>";
        assert_eq!(signature_of(&form, response), Some("crlf-response"));
        for text in [
            "Hello\nthe answer of the proxy is\nSet-Cookie: a=b",
            "The answer is\n x\nSet-Cookie: a=b",
            "Hello Ann\r\n\r\nHTTP/1.1 200 OK\nContent-Type: text/html",
            "Hello\r\n\r\nHTTP/1.1 200 OK is the first line that I see",
            "Hello\r\n\r\nSet-Cookie: a=b",
            "Berlin\nParis\nRome\n Location: town",
            &format!("The headers:\nSet-Cookie: a=b{}", "\nx y".repeat(8)),
            &format!("Headers:\nContent-Type: a/b{}", "\nx y".repeat(8)),
        ] {
            assert_eq!(signature_of(&form, text), None, "{text}");
        }
    }

    #[test]
    fn finds_a_smuggled_second_request_in_a_body() {
        let post = Point::new(Tag::Post);
        assert_eq!(
            signature_of(&post, "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n\r\n"),
            Some("crlf-request")
        );
        assert_eq!(signature_of(&post, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), None);
    }

    #[test]
    fn passes_lines_of_text() {
        let field = Point::new(Tag::Post).then(Tag::JsonDoc).named(Tag::Hash, "text");
        for text in [
            "Dear all,\r\n\r\nhost: me, link: below\r\nBye",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n",
            "GET / HTTP/1.1\nHost: example.com",
            "a\nb\nc",
            "C:\\new\\readme",
        ] {
            assert_eq!(signature_of(&field, text), None, "{text}");
        }
        let long = format!("My proxy answers:\n{}\nSet-Cookie: a=b", "x\n".repeat(10));
        assert_eq!(signature_of(&field, &long), None);
        assert_eq!(signature_of(&Point::get("address"), "1 Main St\r\nBerlin\r\nGermany"), None);
    }
}
