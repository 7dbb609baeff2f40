//! Content types and codings that the headers of a request declare. A header may have several lines:
//! servers read the first one, the last one, or all of them, so each reading is parsed.

use super::{Malformed, Sink, multipart};
use crate::{budget::Limit, decode::inflate::Format};
use shared::{InspectRequest, point::Tag};

/// Further different lines of a header are an overlimit: each is a pass over the body.
const MAX_LINES: usize = 2;
/// Further content codings are an overlimit; at most one more is decoded.
const MAX_CODINGS: usize = 4;

/// Words for codings that change nothing, and mistakes of clients, which servers ignore. A value in
/// base64 is decoded anyway.
const NO_CODINGS: &[&str] = &[
    "",
    "7bit",
    "8bit",
    "amz-1.0",
    "aws-chunked",
    "base64",
    "binary",
    "chunked",
    "identity",
    "none",
    "null",
    "plain",
    "text",
    "undefined",
    "utf-8",
    "utf8",
];

/// The different content types of a request.
pub(super) fn types<'r>(request: &'r InspectRequest, sink: &mut Sink<'_, '_>) -> Vec<&'r str> {
    let types = lines(request, "content-type", sink);
    let differs = |line: &&str| {
        types.first().is_some_and(|first| {
            kind(first) != kind(line) || multipart::declared(first) != multipart::declared(line)
        })
    };
    if types.iter().skip(1).any(differs) || types.iter().any(|it| hides_multipart(it)) {
        report("content-type", Malformed::AmbiguousType, sink);
    }
    types
}

/// The content codings of a request, in the order of encoding: those of all lines, and of each.
pub(super) fn codings<'r>(request: &'r InspectRequest, sink: &mut Sink<'_, '_>) -> Vec<Vec<&'r str>> {
    const HEADER: &str = "content-encoding";
    let lines = lines(request, HEADER, sink);
    if lines.len() > 1 {
        report(HEADER, Malformed::AmbiguousCoding, sink);
    }
    let all = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(HEADER));
    let all = all.map(|(_, value)| &**value).collect::<Vec<_>>();
    let mut readings: Vec<Vec<&str>> = Vec::new();
    for lines in [all].into_iter().chain(lines.into_iter().map(|line| vec![line])) {
        let words = lines.into_iter().flat_map(|line| line.split(','));
        let words = words.map(|word| word.split(';').next().unwrap_or_default().trim());
        let reading: Vec<&str> = words.filter(|word| !is_no_coding(word)).take(MAX_CODINGS + 1).collect();
        if reading.len() > MAX_CODINGS {
            sink.budget.too_deep();
        }
        if reading.iter().any(|coding| !Format::is_name(coding)) {
            sink.budget.undecodable(Limit::Coding);
        }
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}

/// Whether a word for a coding changes nothing.
pub fn is_no_coding(word: &str) -> bool {
    let is_named = NO_CODINGS.iter().any(|it| word.eq_ignore_ascii_case(it));
    // Media types and parameters.
    is_named || word.contains(['/', '='])
}

/// The different lines of a header that are not empty.
fn lines<'r>(request: &'r InspectRequest, wanted: &str, sink: &mut Sink<'_, '_>) -> Vec<&'r str> {
    let mut lines: Vec<&str> = Vec::new();
    for (name, value) in &request.headers {
        if !name.eq_ignore_ascii_case(wanted) {
            continue;
        }
        let line = value.trim();
        // Boundaries are case-sensitive.
        let is_new = || !line.is_empty() && !lines.contains(&line);
        if !is_new() {
            continue;
        }
        if lines.len() == MAX_LINES {
            sink.budget.too_deep();
            break;
        }
        lines.push(line);
    }
    lines
}

/// The media type without its parameters.
fn kind(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a line lists a multipart type after another one.
fn hides_multipart(content_type: &str) -> bool {
    if !content_type.contains(',') {
        return false;
    }
    let lower = content_type.to_ascii_lowercase();
    let listed = |(at, _): (usize, &str)| lower.get(..at).is_some_and(|it| it.trim_end().ends_with(','));
    lower.match_indices("multipart/").any(listed)
}

fn report(header: &str, what: Malformed, sink: &mut Sink<'_, '_>) {
    let point = sink.arena.named_upper(Tag::Header, header.as_bytes());
    sink.malformed.push((point, what));
}
