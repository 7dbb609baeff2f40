//! The request as text, with marked payloads.

use shared::{
    Finding, Point, RecordedRequest,
    point::{Key, Tag},
};
use std::{fmt::Write as _, ops::Range};

/// A piece of the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub text: String,
    pub is_payload: bool,
}

/// Maximum layers of percent-encoding to search for a payload.
const LAYERS: usize = 3;

/// Maximum length of a value in the evidence.
const SHORT: usize = 500;

/// The request nearly as sent; bytes that are not UTF-8 are shown as �.
pub(super) struct Raw {
    pub text: String,
    target: Range<usize>,
    query: Range<usize>,
    /// Upper-case names, and the ranges of values.
    headers: Vec<(String, Range<usize>)>,
    body: Range<usize>,
}

impl Raw {
    pub(super) fn new(request: &RecordedRequest) -> Self {
        let RecordedRequest { method, path, query, .. } = request;
        let mut text = format!("{method} ");
        let start = text.len();
        text.push_str(path);
        if !query.is_empty() {
            text.push('?');
        }
        let start_of_query = text.len();
        text.push_str(query);
        let (target, query) = (start..text.len(), start_of_query..text.len());
        let _ = writeln!(text, " {}", request.http_version.as_deref().unwrap_or("HTTP/1.1"));
        let mut headers = Vec::new();
        for (name, value) in &request.headers {
            let _ = write!(text, "{name}: ");
            headers.push((name.to_ascii_uppercase(), text.len()..text.len() + value.len()));
            let _ = writeln!(text, "{value}");
        }
        text.push('\n');
        let start = text.len();
        if let Some(body) = &request.body {
            text.push_str(&String::from_utf8_lossy(&body.0));
        }
        let body = start..text.len();
        Self { text, target, query, headers, body }
    }

    /// The value at a point as sent; a short body as a whole.
    pub(super) fn value(&self, point: &Point) -> Option<&str> {
        self.text.get(self.range(point)?).filter(|value| value.len() <= SHORT)
    }

    /// The text, split at the payloads.
    pub(super) fn pieces(&self, findings: &[Finding]) -> Vec<Piece> {
        let mut marks: Vec<_> = findings.iter().filter_map(|finding| self.mark(finding)).collect();
        marks.sort_by_key(|mark| mark.start);
        let (mut pieces, mut done) = (Vec::new(), 0);
        let mut push = |range: Range<usize>, is_payload| {
            if let Some(text) = self.text.get(range).filter(|text| !text.is_empty()) {
                pieces.push(Piece { text: text.to_owned(), is_payload });
            }
        };
        for mark in marks {
            let start = mark.start.max(done);
            push(done..start, false);
            push(start..mark.end.max(start), true);
            done = done.max(mark.end);
        }
        push(done..self.text.len(), false);
        pieces
    }

    /// The range of a finding's payload; otherwise of its value, unless that is the whole body.
    fn mark(&self, finding: &Finding) -> Option<Range<usize>> {
        let range = self.range(&finding.point)?;
        let value = self.text.get(range.clone())?;
        let payload = find(value, &finding.payload)
            .map(|payload| range.start + payload.start..range.start + payload.end);
        payload.or_else(|| Some(range).filter(|range| *range != self.body)).filter(|mark| !mark.is_empty())
    }

    /// The range of the value at a point, without parsing nested formats.
    fn range(&self, point: &Point) -> Option<Range<usize>> {
        let first = point.0.first()?;
        let name = |index: usize| match point.0.get(index).and_then(|step| step.key.as_ref()) {
            Some(Key::Name(name)) => Some(name.as_str()),
            _ => None,
        };
        match first.tag {
            Tag::Uri | Tag::Path | Tag::ActionName | Tag::ActionExt => Some(self.target.clone()),
            Tag::Get => {
                Some(name(0).and_then(|name| self.parameter(&self.query, name)).unwrap_or(self.query.clone()))
            }
            Tag::Header => {
                let header = self.headers.iter().find(|(header, _)| Some(header.as_str()) == name(0));
                header.map(|(_, range)| range.clone())
            }
            Tag::Post if point.0.get(1).is_some_and(|step| step.tag == Tag::FormUrlencoded) => {
                Some(name(1).and_then(|name| self.parameter(&self.body, name)).unwrap_or(self.body.clone()))
            }
            Tag::Post => Some(self.body.clone()),
            _ => None,
        }
    }

    /// The value of a parameter in a query or a form.
    fn parameter(&self, range: &Range<usize>, name: &str) -> Option<Range<usize>> {
        let mut at = range.start;
        for pair in self.text.get(range.clone())?.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let end = at + pair.len();
            if decoded(key.as_bytes()).iter().map(|(byte, _)| *byte).eq(name.bytes()) {
                return Some(end - value.len()..end);
            }
            at = end + 1;
        }
        None
    }
}

/// The range of the payload in a value that can be percent-encoded several times.
fn find(value: &str, payload: &str) -> Option<Range<usize>> {
    let mut decoded: Vec<_> = value.bytes().zip((0..).map(|at| at..at + 1)).collect();
    for _ in 0..=LAYERS {
        let bytes: Vec<u8> = decoded.iter().map(|(byte, _)| byte.to_ascii_lowercase()).collect();
        let wanted = payload.to_ascii_lowercase();
        if let Some(at) = String::from_utf8_lossy(&bytes).find(&wanted).filter(|_| bytes.is_ascii()) {
            let end = at + wanted.len().max(1) - 1;
            return Some(decoded.get(at)?.1.start..decoded.get(end)?.1.end);
        }
        decoded = decode(&decoded);
    }
    None
}

/// A decoded byte and its source range.
type SourceByte = (u8, Range<usize>);

fn decoded(text: &[u8]) -> Vec<SourceByte> {
    let bytes: Vec<_> = text.iter().copied().zip((0..).map(|at| at..at + 1)).collect();
    decode(&bytes)
}

/// Decodes one layer of percent-encoding; each byte keeps its source range.
fn decode(bytes: &[SourceByte]) -> Vec<SourceByte> {
    let digit = |at: usize| char::from(bytes.get(at)?.0).to_digit(16);
    let (mut decoded, mut at) = (Vec::new(), 0);
    while let Some((byte, range)) = bytes.get(at) {
        match (byte, digit(at + 1).zip(digit(at + 2))) {
            (b'%', Some((high, low))) => {
                let byte = u8::try_from(high * 16 + low).unwrap_or_default();
                decoded.push((byte, range.start..bytes[at + 2].1.end));
                at += 3;
            }
            (b'+', _) => {
                decoded.push((b' ', range.clone()));
                at += 1;
            }
            _ => {
                decoded.push((*byte, range.clone()));
                at += 1;
            }
        }
    }
    decoded
}
