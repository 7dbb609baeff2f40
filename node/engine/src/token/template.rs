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

/// Limit of an expression.
const MAX_INSIDE: usize = 2_000;

/// The expressions of a value, outermost only; an unclosed one extends to the end.
pub(crate) fn holes(value: &[u8]) -> Vec<Hole> {
    let mut holes = Vec::new();
    let mut at = 0;
    while let Some(next) =
        value[at..].iter().position(|it| matches!(it, b'{' | b'<' | b'#' | b'@')).map(|it| at + it)
    {
        let Some(hole) = hole_at(value, next.max(at), at) else {
            at = next + 1;
            continue;
        };
        at = hole.span.end.max(next + 1);
        holes.push(hole);
    }
    holes
}

/// The hole whose delimiter begins here, or one byte before.
fn hole_at(value: &[u8], at: usize, floor: usize) -> Option<Hole> {
    // `$\x{` is `${` to interpreters that drop a needless escape.
    if matches!(value[floor..=at], [.., b'$', b'\\', letter, b'{'] if letter.is_ascii_alphanumeric()) {
        let length = closing_at(&value[at + 1..value.len().min(at + 1 + MAX_INSIDE)], b"}")?;
        let inside = at + 1..at + 1 + length;
        return Some(Hole { span: at - 3..inside.end + 1, inside, opening: "${" });
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
            let bounded = &rest[..rest.len().min(MAX_INSIDE)];
            let from = start + opening.len();
            let length = closing_at(bounded, closing.as_bytes());
            let inside = from..from + length.unwrap_or(bounded.len());
            let end = length.map_or(inside.end, |_| inside.end + closing.len());
            Some(Hole { span: start..end, inside, opening })
        },
    )
}

/// The position of the closing delimiter, after nested brackets of its kind.
fn closing_at(rest: &[u8], closing: &[u8]) -> Option<usize> {
    let [last] = closing else { return memchr::memmem::find(rest, closing) };
    let open = match last {
        b'}' => b'{',
        b')' => b'(',
        b']' => b'[',
        _ => return memchr::memchr(*last, rest),
    };
    let mut depth = 0;
    for (at, &byte) in rest.iter().enumerate() {
        if byte == open {
            depth += 1;
        } else if byte == *last {
            if depth == 0 {
                return Some(at);
            }
            depth -= 1;
        }
    }
    None
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
        assert_eq!(expressions("${a{b}c}d"), [("${", "a{b}c")]);
        assert_eq!(expressions("x{{1"), [("{{", "1")]);
    }

    proptest! {
        #[test]
        fn holes_lie_in_the_value_in_order(value in "[{}$#%<>@(=a1 ]{0,60}") {
            let mut end = 0;
            for hole in holes(value.as_bytes()) {
                prop_assert!(end <= hole.span.start && hole.span.end <= value.len());
                prop_assert!(hole.span.start <= hole.inside.start && hole.inside.end <= hole.span.end);
                end = hole.span.end;
            }
        }
    }
}
