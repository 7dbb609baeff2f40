//! Template expressions between the delimiters of template languages, and their tokens.

mod expression;

pub(crate) use expression::{Token, tokens};

use std::ops::Range;

/// An expression with its delimiters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    /// With its delimiters.
    pub span: Range<usize>,
    pub inside: Range<usize>,
    pub opening: &'static str,
}

/// Opening and closing delimiters, the longer first.
const DELIMITERS: &[(&str, &str)] = &[
    ("{{", "}}"),
    ("{%", "%}"),
    ("${", "}"),
    ("#{", "}"),
    ("*{", "}"),
    ("@{", "}"),
    ("%{", "}"),
    ("~{", "}"),
    ("{#", "#}"),
    ("<%", "%>"),
    ("<#", ">"),
    ("#set(", ")"),
    ("@(", ")"),
    ("{", "}"),
];

/// The expressions of a value, and of those inside of others the innermost: text around an expression
/// may contain delimiters of another language. An unclosed one extends to the next of its kind. Each
/// byte is in a bounded number of them.
pub(crate) fn holes(value: &[u8]) -> Vec<Hole> {
    let mut ends = Ends::new(value);
    let mut holes: Vec<Hole> = Vec::new();
    let (mut at, mut outer_end) = (0, 0);
    while let Some(next) =
        value[at..].iter().position(|it| matches!(it, b'{' | b'<' | b'#' | b'@')).map(|it| at + it)
    {
        let Some((hole, is_closed)) = hole_at(value, next, at, &mut ends) else {
            at = next + 1;
            continue;
        };
        at = hole.inside.start.max(next + 1);
        if hole.span.start >= outer_end {
            if is_closed {
                outer_end = hole.span.end;
            }
            holes.push(hole);
        } else if is_innermost(&value[hole.inside.clone()], hole.opening) {
            holes.push(hole);
        }
    }
    holes
}

fn is_innermost(inside: &[u8], opening: &str) -> bool {
    memchr::memmem::find(inside, opening.as_bytes()).is_none() && memchr::memchr(b'{', inside).is_none()
}

/// The hole whose delimiter begins here, or one byte before, and whether it is closed.
fn hole_at(value: &[u8], at: usize, floor: usize, ends: &mut Ends<'_>) -> Option<(Hole, bool)> {
    let mut hole = |start: usize, from: usize, (opening, closing): (&'static str, &'static str)| {
        let end = ends.closing(from, closing);
        let inside = from..end.or_else(|| ends.next(from, opening)).unwrap_or(value.len());
        let span = start..end.map_or(inside.end, |end| end + closing.len());
        (Hole { span, inside, opening }, end.is_some())
    };
    // `$\x{` is `${` to interpreters that drop a needless escape.
    if matches!(value[floor..=at], [.., b'$', b'\\', letter, b'{'] if letter.is_ascii_alphanumeric()) {
        // Nothing else of this spelling ends an unclosed one.
        return Some(hole(at - 3, at + 1, ("${", "}"))).filter(|(_, is_closed)| *is_closed);
    }
    let before = at.checked_sub(1).filter(|it| *it >= floor);
    let starts = before.into_iter().chain([at]);
    starts.flat_map(|start| DELIMITERS.iter().map(move |it| (start, it))).find_map(
        |(start, (opening, closing))| {
            let rest = value[start..].strip_prefix(opening.as_bytes())?;
            // A single brace delimits expressions in Smarty only, which allows no blank after it.
            if *opening == "{" && rest.first().is_none_or(u8::is_ascii_whitespace) {
                return None;
            }
            Some(hole(start, start + opening.len(), (*opening, *closing)))
        },
    )
}

/// The closing delimiters of a value. Asked for from left to right, each byte is read once for each
/// delimiter.
struct Ends<'v> {
    value: &'v [u8],
    /// Each opening bracket, in order, and its closing one.
    brackets: Vec<(u32, u32)>,
    /// Delimiters and the position where each stands next.
    known: Vec<(&'static str, usize)>,
}

/// The position of a delimiter that does not follow.
const NOWHERE: usize = usize::MAX;

impl<'v> Ends<'v> {
    /// Positions are capped at 4 GB, which no request has.
    fn new(value: &'v [u8]) -> Self {
        let position = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let mut brackets = Vec::new();
        let (mut braces, mut parentheses) = (Vec::new(), Vec::new());
        for (at, byte) in value.iter().enumerate() {
            let open = if matches!(byte, b'{' | b'}') { &mut braces } else { &mut parentheses };
            match byte {
                b'{' | b'(' => {
                    open.push(brackets.len());
                    brackets.push((position(at), u32::MAX));
                }
                b'}' | b')' => {
                    if let Some(opening) = open.pop().and_then(|it| brackets.get_mut(it)) {
                        opening.1 = position(at);
                    }
                }
                _ => {}
            }
        }
        Self { value, brackets, known: Vec::new() }
    }

    /// The position of the delimiter that closes what opened before this position, after nested brackets
    /// of its kind.
    fn closing(&mut self, from: usize, closing: &'static str) -> Option<usize> {
        if !matches!(closing, "}" | ")") {
            return self.next(from, closing);
        }
        let opening = u32::try_from(from.checked_sub(1)?).ok()?;
        let known = self.brackets.binary_search_by_key(&opening, |it| it.0).ok()?;
        self.brackets.get(known).filter(|it| it.1 != u32::MAX).map(|it| it.1 as usize)
    }

    fn next(&mut self, from: usize, text: &'static str) -> Option<usize> {
        let known = self.known.iter().position(|it| it.0 == text);
        let at = match known.and_then(|it| self.known.get(it)) {
            Some(&(_, at)) if at >= from => at,
            _ => {
                let rest = self.value.get(from..).unwrap_or_default();
                memchr::memmem::find(rest, text.as_bytes()).map_or(NOWHERE, |it| from + it)
            }
        };
        match known.and_then(|it| self.known.get_mut(it)) {
            Some(entry) => entry.1 = at,
            None => self.known.push((text, at)),
        }
        (at != NOWHERE).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expressions(value: &str) -> Vec<(&'static str, &str)> {
        holes(value.as_bytes()).into_iter().map(|it| (it.opening, &value[it.inside])).collect()
    }

    #[test]
    fn recognizes_delimiters_of_each_language() {
        assert_eq!(expressions("a{{b}}c${d}#{e}"), [("{{", "b"), ("${", "d"), ("#{", "e")]);
        assert_eq!(expressions(r"$\c{7*7}"), [("${", "7*7")]);
        assert_eq!(
            expressions("<%= 1 %><#if x>#set($a=f(1))@(2)"),
            [("<%", "= 1 "), ("<#", "if x"), ("#set(", "$a=f(1)"), ("@(", "2")]
        );
        assert_eq!(expressions("{7*7} { x"), [("{", "7*7")]);
    }

    #[test]
    fn accepts_nested_and_unclosed_brackets() {
        assert_eq!(expressions("${a{b}c}d"), [("${", "a{b}c"), ("{", "b")]);
        assert_eq!(expressions("x{{1"), [("{{", "1")]);
    }

    #[test]
    fn reads_expressions_after_and_inside_of_other_delimiters() {
        assert_eq!(expressions("{{ a ${7*7}"), [("{{", " a ${7*7}"), ("${", "7*7")]);
        assert_eq!(expressions("{{1{{2"), [("{{", "1"), ("{{", "2")]);
        assert_eq!(expressions("{\"a\":\"#{b}\"}"), [("{", "\"a\":\"#{b}\""), ("#{", "b")]);
        assert_eq!(expressions("<%<%<%>"), [("<%", "<%<"), ("<%", "<"), ("<%", ">")]);
    }

    proptest! {
        #[test]
        fn holes_lie_in_the_value_in_order(value in "[{}$#%<>@(=a1 ]{0,60}") {
            let mut start = 0;
            for hole in holes(value.as_bytes()) {
                prop_assert!(start <= hole.span.start && hole.span.end <= value.len());
                prop_assert!(hole.span.start <= hole.inside.start && hole.inside.start <= hole.inside.end);
                prop_assert!(hole.inside.end <= hole.span.end);
                start = hole.inside.start;
            }
        }

        #[test]
        fn holes_overlap_little(unit in "[{}$#%<>@(a \\\\]{1,6}", first in "[{}<%@(]{0,4}") {
            let value = first + &unit.repeat(500);
            let read: usize = holes(value.as_bytes()).iter().map(|it| it.inside.len()).sum();
            prop_assert!(read <= (2 + DELIMITERS.len()) * value.len(), "{read} of {}", value.len());
        }
    }
}
