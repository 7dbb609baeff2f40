//! CSV parser (RFC 4180): the cells that are more than words and numbers, at points with the name of
//! their column.
//!
//! The body is inspected as a whole as well; cells are added for their unescaped quotes, and for
//! rules about the start of a value. Therefore further cells may be left out.

use super::Sink;
use crate::point_path::PointPath;
use shared::point::Tag;
use std::borrow::Cow;

/// Further cells are inspected with the whole body only.
const MAX_CELLS: usize = 20_000;
/// Further columns share one point.
const MAX_COLUMNS: usize = 256;

/// Whether a content type, in lower case, declares CSV or values separated by tabs.
pub(super) fn is_declared(content_type: &str) -> bool {
    ["text/csv", "application/csv", "tab-separated-values"].iter().any(|it| content_type.contains(it))
}

pub(super) fn parse<'a>(body: &'a [u8], root: PointPath, sink: &mut Sink<'a, '_>) {
    let first = body.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| memchr::memchr_iter(separator, first).count();
    let separator = [b',', b';', b'\t'].into_iter().max_by_key(|it| count(*it)).unwrap_or(b',');
    let csv = sink.arena.then(root, Tag::Csv);
    let mut columns: Vec<PointPath> = Vec::new();
    let (mut rest, mut row, mut column, mut added) = (body, 0, 0, 0);
    while !rest.is_empty() && added < MAX_CELLS {
        let (cell, end) = cell(rest, separator);
        if row == 0 && column < MAX_COLUMNS {
            columns.push(sink.arena.named(csv, Tag::Hash, cell.trim_ascii()));
        }
        if !is_plain(&cell) {
            let point = columns.get(column).copied().unwrap_or(csv);
            if !sink.push_value(point, cell) {
                return;
            }
            added += 1;
        }
        let is_last = matches!(rest.get(end), Some(b'\r' | b'\n'));
        rest = rest.get(end + 1..).unwrap_or_default();
        column += 1;
        if is_last {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            (row, column) = (row + 1, 0);
        }
    }
}

/// The first cell without its quotes, and its length.
fn cell(text: &[u8], separator: u8) -> (Cow<'_, [u8]>, usize) {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = memchr::memchr3(separator, b'\r', b'\n', text).unwrap_or(text.len());
        return (Cow::Borrowed(&text[..end]), end);
    };
    let mut value = Vec::new();
    let mut from = 0;
    loop {
        let Some(at) = memchr::memchr(b'"', &quoted[from..]).map(|at| from + at) else {
            value.extend_from_slice(&quoted[from..]);
            return (Cow::Owned(value), text.len());
        };
        if quoted.get(at + 1) == Some(&b'"') {
            value.extend_from_slice(&quoted[from..=at]);
            from = at + 2;
            continue;
        }
        value.extend_from_slice(&quoted[from..at]);
        // Text after the quotes belongs to the cell.
        let after = &quoted[at + 1..];
        let length = memchr::memchr3(separator, b'\r', b'\n', after).unwrap_or(after.len());
        value.extend_from_slice(&after[..length]);
        return (Cow::Owned(value), 1 + at + 1 + length);
    }
}

/// Words, numbers, dates and times.
fn is_plain(cell: &[u8]) -> bool {
    let has_letters = cell.iter().any(u8::is_ascii_alphabetic);
    cell.iter().all(|byte| match byte {
        b'/' => !has_letters,
        b' ' | b'.' | b',' | b'-' | b':' | b'_' | b'+' | b'@' => true,
        byte => byte.is_ascii_alphanumeric() || !byte.is_ascii(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{budget::Budget, point_path::PointArena};

    fn values(body: &str) -> Vec<String> {
        let (mut budget, mut arena) = (Budget::for_request(), PointArena::default());
        let root = arena.then(None, Tag::Post);
        let mut sink = Sink::new(0, &mut budget, &mut arena);
        parse(body.as_bytes(), root, &mut sink);
        let fields = sink.fields.iter();
        fields
            .map(|it| format!("{} = {}", sink.arena.point(it.point), String::from_utf8_lossy(&it.value)))
            .collect()
    }

    #[test]
    fn cells_have_the_name_of_their_column() {
        assert_eq!(
            values("id,note\r\n1,\"say \"\"hi\"\", <b>\"\r\n2,=1+1\r\n3,2026-01-02 3/4\r\n"),
            ["post > csv > hash:note = say \"hi\", <b>", "post > csv > hash:note = =1+1"]
        );
        assert_eq!(values("a;b\nx;/etc/passwd\n"), ["post > csv > hash:b = /etc/passwd"]);
        assert_eq!(
            values("a\tb\n'x'\t\"open\n"),
            ["post > csv > hash:a = 'x'", "post > csv > hash:b = open\n"]
        );
    }

    #[test]
    fn words_numbers_and_dates_are_not_added() {
        assert_eq!(
            values("name,time,sum\nMüller,12:30,-1.5\nana@example.com,1/2/2026,+3\n"),
            Vec::<String>::new()
        );
    }
}
