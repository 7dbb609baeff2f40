//! Padding: text that fills the visible part of a body and says nothing.
//!
//! A benign body is not padding, whatever it repeats: records differ in an id or a number, so only
//! units that repeat unchanged count, and empty fields count once per name.

use std::collections::HashSet;

/// Shorter visible parts are not judged.
const MIN_BYTES: usize = 8 << 10;
/// The least share of the visible part.
const MIN_PERCENT: usize = 90;
/// The longest unit that padding repeats.
const MAX_UNIT: usize = 256;
/// The least length of a repetition, and how often its unit repeats at least.
const MIN_RUN: usize = 64;
const MIN_REPEATS: usize = 4;
/// White space of at least this length is more than an indentation needs.
const MIN_SPACES: usize = 4;

/// Whether nearly the whole visible part is repeated units, white space, comments or empty fields.
pub(super) fn is_padding(body: &[u8]) -> bool {
    if body.len() < MIN_BYTES {
        return false;
    }
    let mut filler = Filler(vec![false; body.len()]);
    filler.repetitions(body);
    filler.spaces(body);
    filler.comments(body);
    for (separator, is_empty) in
        [(b'&', is_empty_parameter as fn(&[u8]) -> bool), (b',', is_empty_member), (b'<', is_empty_element)]
    {
        filler.empty_fields(body, separator, is_empty);
    }
    let count = filler.0.iter().filter(|is_filler| **is_filler).count();
    count * 100 >= body.len() * MIN_PERCENT
}

/// The bytes that say nothing.
struct Filler(Vec<bool>);

impl Filler {
    fn mark(&mut self, start: usize, end: usize) {
        self.0[start..end].fill(true);
    }

    /// Units that repeat unchanged. Of equal 8 bytes, the distance is the candidate for a unit.
    fn repetitions(&mut self, body: &[u8]) {
        const SLOTS: usize = 1 << 12;
        let mut last = vec![usize::MAX; SLOTS];
        let mut at = 0;
        while let Some(gram) = body.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let hash = u64::from_le_bytes(*gram).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52;
            let slot = &mut last[usize::try_from(hash).unwrap_or_default() % SLOTS];
            let before = std::mem::replace(slot, at);
            let unit = at.wrapping_sub(before);
            if before == usize::MAX || unit > MAX_UNIT {
                at += 1;
                continue;
            }
            let run = body[at..].iter().zip(&body[before..]).take_while(|(a, b)| a == b).count();
            if run >= MIN_RUN.max((MIN_REPEATS - 1) * unit) {
                self.mark(before, at + run);
            }
            at += run.max(1);
        }
    }

    fn spaces(&mut self, body: &[u8]) {
        let mut at = 0;
        for run in body.chunk_by(|a, b| a.is_ascii_whitespace() == b.is_ascii_whitespace()) {
            if run[0].is_ascii_whitespace() && run.len() >= MIN_SPACES {
                self.mark(at, at + run.len());
            }
            at += run.len();
        }
    }

    /// `<!-- … -->`, and `/* … */` between the tokens of a document. An open comment ends with the part.
    fn comments(&mut self, body: &[u8]) {
        for (open, close) in [(&b"<!--"[..], &b"-->"[..]), (b"/*", b"*/")] {
            let mut at = 0;
            while let Some(found) = memchr::memmem::find(&body[at..], open) {
                let start = at + found;
                at = start + open.len();
                let before = body[..start].iter().rfind(|byte| !byte.is_ascii_whitespace());
                if open == b"/*" && before.is_some_and(|byte| !b"{}[],:/".contains(byte)) {
                    continue;
                }
                let length = memchr::memmem::find(&body[at..], close);
                at = length.map_or(body.len(), |length| at + length + close.len());
                self.mark(start, at);
            }
        }
    }

    /// Fields with a name and no value. Records repeat their names, so each counts once.
    fn empty_fields(&mut self, body: &[u8], separator: u8, is_empty: fn(&[u8]) -> bool) {
        let (mut at, mut known) = (0, HashSet::new());
        for field in body.split(|byte| *byte == separator) {
            let end = (at + field.len() + 1).min(body.len());
            if is_empty(field) && known.insert(field) {
                self.mark(at, end);
            }
            at = end;
        }
    }
}

/// `name=`
fn is_empty_parameter(field: &[u8]) -> bool {
    field.len() > 1 && field.iter().position(|byte| *byte == b'=') == Some(field.len() - 1)
}

/// `"name":""`
fn is_empty_member(field: &[u8]) -> bool {
    let field = field.trim_ascii();
    let value = [&b"\"\""[..], b"{}", b"[]"].into_iter().find_map(|value| field.strip_suffix(value));
    value.is_some_and(|name| name.trim_ascii_end().ends_with(b"\":"))
}

/// `name/>`, `name>` or `/name>`
fn is_empty_element(field: &[u8]) -> bool {
    field.trim_ascii_end().ends_with(b">") && !field.contains(&b'=') && !field.contains(&b'!')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const BYTES: usize = 40 << 10;

    fn filled(start: &str, unit: &dyn Fn(usize) -> String) -> String {
        let mut text = start.to_owned();
        for number in 0.. {
            text += &unit(number);
            if text.len() >= BYTES {
                break;
            }
        }
        text.truncate(BYTES);
        text
    }

    fn always(unit: &'static str) -> Box<dyn Fn(usize) -> String> {
        Box::new(move |_| unit.to_owned())
    }

    #[test]
    fn what_says_nothing_is_padding() {
        let numbered = |start: &str, before: &'static str, after: &'static str| {
            filled(start, &move |number| format!("{before}{number}{after}"))
        };
        for text in [
            filled("{\"junk\":\"", &always("a")),
            filled("user=eve&junk=", &always("abcdefgh123")),
            filled("{\"junk\":\"", &always("lorem ipsum dolor sit amet, ")),
            filled("a=1&", &always("&")),
            filled("{", &always(" \n\t")),
            filled("{\"a\":1,", &always("\"a\":1,")),
            filled("<a>", &always("<b/>")),
            filled("[", &always("[],")),
            filled("a=1&", &always("x=1&y=2&")),
            numbered("a=1&", "a", "=&"),
            numbered("{\"user\":\"eve\",", "\"a", "\":\"\","),
            numbered("<a>", "<b", "/>"),
            filled("<a>", &|number| format!("<b{number}></b{number}>")),
            numbered("<a><!--", "x", " y"),
            numbered("{/*", "x", " y"),
            numbered("{\"a\": /*", "x", " y"),
        ] {
            assert!(is_padding(text.as_bytes()), "{}", &text[..60]);
        }
    }

    #[test]
    fn benign_bodies_are_not_padding() {
        let pseudo = |number: usize| {
            let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as usize
        };
        let base64 = filled("{\"image\":\"data:image/png;base64,", &|number| {
            let digest = pseudo(number * 7 + 1);
            format!("{digest:x}Zq{:X}", digest * 31)
        });
        let log = filled("[", &|number| {
            format!(
                "{{\"ts\":{},\"level\":\"info\",\"msg\":\"request {} done\"}},",
                1_700_000_000 + number,
                pseudo(number)
            )
        });
        let nulls = filled("[", &|number| {
            let mut record = format!("{{\"id\":{number},");
            (0..30).for_each(|column| write!(record, "\"column_{column}\":\"\",").unwrap());
            record + "\"end\":null},"
        });
        let grid = filled("{\"grid\":[", &|number| format!("{},", pseudo(number) % 2));
        let objects = filled("[", &|number| {
            format!(
                "{{\"type\":\"point\",\"style\":\"default\",\"visible\":true,\"locked\":false,\"id\":{number}}},"
            )
        });
        let table =
            filled("<table>", &|number| format!("<tr><td>{}</td><td>x</td></tr>", pseudo(number) % 10));
        let points =
            filled("<svg>", &|number| format!("<circle cx=\"{}\" cy=\"{number}\" r=\"2\"/>", pseudo(number)));
        let permissions = filled("a=1", &|number| format!("&permission%5B{number}%5D=1"));
        let pretty = filled("{\n", &|number| format!("                    \"key\": {},\n", pseudo(number)));
        let globs =
            filled("{\"include\":\"src/**/*.ts\",\"text\":\"", &|number| format!("word{} ", pseudo(number)));
        let text = filled("{\"content\":\"<p>", &|number| {
            let words = ["the", "student", "union", "will", "select", "a", "chair", "and", "vote"];
            format!("{} ", words[pseudo(number) % words.len()])
        });
        for text in [base64, log, nulls, grid, objects, table, points, permissions, pretty, globs, text] {
            assert!(!is_padding(text.as_bytes()), "{}", &text[..60]);
        }
    }

    #[test]
    fn a_short_part_is_not_judged() {
        assert!(!is_padding(&[b'a'; MIN_BYTES - 1]));
        assert!(is_padding(&[b'a'; MIN_BYTES]));
        assert!(!is_padding(b""));
    }
}
