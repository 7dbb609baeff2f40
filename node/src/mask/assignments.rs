//! Values after their names in any text: `password=x`, `"pin": [1]`, `<a token="x">`, `Password: x`.
//!
//! Reads JSON that is malformed or in a string, YAML, GraphQL, SQL, attributes of markup, addresses and
//! connection strings alike. Each byte is read a bounded number of times.

use super::{MASK, names};
use engine::json_prefix::Comment;
use std::ops::Range;

/// Longer names are no names.
const MAX_NAME: usize = 100;
/// Words of a name: `one time code`.
const MAX_WORDS: usize = 3;
/// The longest prefix of a quoted value: `rb"x"`.
const MAX_PREFIX: usize = 2;
/// The longest comment beside a separator.
const MAX_COMMENT: usize = 200;
const QUOTES: [char; 3] = ['"', '\'', '`'];
const BLANKS: [char; 2] = [' ', '\t'];

/// Adds the places of values that are secrets by their names.
pub(super) fn find(text: &str, places: &mut Vec<Range<usize>>) {
    let mut done = 0;
    let mut is_named = false;
    for (at, _) in text.match_indices(['=', ':']) {
        if at < done {
            continue;
        }
        let Some(name) = Name::before(text, at) else { continue };
        if name.is_secret() || is_named && names::is_of_value(name.text) {
            is_named = false;
            let value = value_after(text, at + 1, &name);
            if !value.is_empty() {
                done = value.end;
                places.push(value);
            }
        } else if names::is_of_name(name.text) {
            is_named = names_secret(text, at + 1, &name);
        }
    }
}

/// Whether an attribute of a tag says that it holds a secret: `name="password"`.
pub(super) fn has_secret_name(tag: &str) -> bool {
    tag.match_indices('=').any(|(at, _)| {
        Name::before(tag, at)
            .is_some_and(|name| names::is_of_name(name.text) && names_secret(tag, at + 1, &name))
    })
}

/// Whether the value of `name: value` names a secret.
fn names_secret(text: &str, from: usize, name: &Name<'_>) -> bool {
    let start = text.get(..text.floor_char_boundary(from + 2 * MAX_NAME)).unwrap_or(text);
    let value = start.get(value_after(start, from, name)).unwrap_or_default();
    value.len() <= MAX_NAME && names::is_secret_encoded(value)
}

struct Name<'t> {
    text: &'t str,
    /// The last words up to the name, and the name.
    phrase: &'t str,
    is_quoted: bool,
    starts_line: bool,
}

impl<'t> Name<'t> {
    /// The name before a separator.
    fn before(text: &'t str, separator: usize) -> Option<Self> {
        let head = before_comment(text.get(..separator)?.trim_end());
        let head = head.strip_suffix(']').filter(|it| it.ends_with(QUOTES)).unwrap_or(head);
        let Some(quote) = head.chars().next_back().filter(|it| QUOTES.contains(it)) else {
            return Self::plain(head, text.get(separator..)?.starts_with(':'));
        };
        let inside = head.strip_suffix(quote)?.trim_end_matches('\\');
        let window = tail(inside, MAX_NAME);
        let text = window.rsplit_once(quote)?.1;
        (!text.is_empty()).then_some(Self { text, phrase: text, is_quoted: true, starts_line: false })
    }

    /// A name without quotes. A label has more words: `Your API key: x`.
    fn plain(head: &'t str, is_label: bool) -> Option<Self> {
        let window = tail(head, MAX_NAME);
        let phrase = window.rsplit(|it| !is_of_name(it) && it != ' ').next()?;
        let text = phrase.rsplit(' ').next()?.trim_start_matches(['-', '.']);
        if text.is_empty() {
            return None;
        }
        let start = head.len() - if is_label { phrase.len() } else { text.len() };
        let before = head.get(..start)?.trim_end_matches([' ', '\t', '-', '>', '$', '+']);
        let starts_line = before.is_empty() || before.ends_with(['\n', '\r']) || before.ends_with("export");
        Some(Self { text, phrase, is_quoted: false, starts_line })
    }

    fn is_secret(&self) -> bool {
        let words = || {
            let ends = self.phrase.rmatch_indices(' ').take(MAX_WORDS);
            let longer = ends.filter_map(|(at, _)| self.phrase.get(at..));
            longer.chain([self.phrase].into_iter().filter(|it| it.matches(' ').count() < MAX_WORDS))
        };
        names::is_secret_encoded(self.text) || !self.is_quoted && words().any(names::is_secret_phrase)
    }
}

/// Whether a letter may be part of a name without quotes.
fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '[' | ']' | '$' | '%')
}

/// The end of a text.
fn tail(text: &str, bytes: usize) -> &str {
    text.get(text.floor_char_boundary(text.len().saturating_sub(bytes))..).unwrap_or_default()
}

/// The place of the value after a separator, without its quotes.
fn value_after(text: &str, from: usize, name: &Name<'_>) -> Range<usize> {
    let after = text.get(from..).unwrap_or_default();
    let value = after.trim_start_matches(['=', ':', '>', '~']);
    let value = if name.is_quoted { without_breaks(value) } else { value.trim_start_matches(BLANKS) };
    let first = text.len() - value.len();
    let value = if name.is_quoted { after_comments(value) } else { value };
    let start = text.len() - value.len();
    if let Some((quote, slashes, prefix)) = opening(value) {
        let opened = start + prefix + slashes + 1;
        // Comments and letters before a quote may belong to the value.
        let first = if prefix > 0 || first < start { first } else { opened };
        return first..closing(text, opened, quote, slashes);
    }
    let end = match value.chars().next() {
        Some(open @ ('[' | '{')) => balanced(value, open),
        _ => bare(value, name),
    };
    let bare = value.get(..end).unwrap_or_default().trim_end();
    let is_block = name.starts_line && matches!(bare, "" | "|" | ">" | "|-" | ">-" | "|+" | ">+");
    let inside = if is_block { indented(value.get(end..).unwrap_or_default()) } else { 0 };
    first..start + if inside > 0 { end + inside } else { bare.len() }
}

/// The text before a comment at its end.
fn before_comment(text: &str) -> &str {
    let Some(inside) = text.strip_suffix("*/") else { return text };
    let window = tail(inside, MAX_COMMENT);
    let start = window.rfind("/*").map(|at| inside.len() - window.len() + at);
    start.and_then(|start| inside.get(..start)).map_or(text, str::trim_end)
}

/// The text after comments, as parsers of JSON and scripts skip them.
fn after_comments(text: &str) -> &str {
    let mut rest = text;
    loop {
        let window = rest.get(..rest.floor_char_boundary(MAX_COMMENT)).unwrap_or_default();
        let Some(Comment { end, .. }) = Comment::at(window.as_bytes()) else { return rest };
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
}

/// The text after blanks and line breaks, which may be escaped.
fn without_breaks(text: &str) -> &str {
    let mut text = text.trim_start();
    while let Some(rest) =
        text.strip_prefix('\\').and_then(|it| it.trim_start_matches('\\').strip_prefix(['n', 'r', 't']))
    {
        text = rest.trim_start();
    }
    text
}

/// The quote that opens a value, the number of backslashes before it, and that of letters before both.
fn opening(value: &str) -> Option<(char, usize, usize)> {
    let is_prefix = |it: &char| "bBfFnNrRuUxX@$".contains(*it);
    let prefix = value.chars().take(MAX_PREFIX).take_while(is_prefix).count();
    let slashes = value.chars().skip(prefix).take_while(|it| *it == '\\').count();
    let quote = value.chars().nth(prefix + slashes).filter(|it| QUOTES.contains(it))?;
    Some((quote, slashes, prefix))
}

/// The closing quote, which no letter follows, or the end of the text. A quote inside is escaped or
/// doubled.
fn closing(text: &str, start: usize, quote: char, slashes: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let mut letters = rest.char_indices().peekable();
    let mut run = 0;
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            run += 1;
            continue;
        }
        let escaped = if slashes == 0 { run % 2 == 1 } else { run != slashes };
        if letter == quote && !escaped {
            match letters.peek() {
                Some(&(_, next)) if next == quote && at > 0 => {
                    letters.next();
                }
                Some(&(_, next)) if next.is_alphanumeric() => {}
                _ => return start + at - if slashes == 0 { 0 } else { slashes },
            }
        }
        run = 0;
    }
    text.len()
}

/// The length up to the bracket that closes the first one, outside of strings, or of the whole text.
fn balanced(value: &str, open: char) -> usize {
    let close = if open == '[' { ']' } else { '}' };
    let (mut depth, mut slashes, mut string) = (0_usize, 0, None);
    for (at, letter) in value.char_indices() {
        match (letter, string) {
            ('"', None) => string = Some(slashes),
            ('"', Some(level)) if slashes == level || level == 0 && slashes % 2 == 0 => string = None,
            (_, None) if letter == open => depth += 1,
            (_, None) if letter == close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
        slashes = if letter == '\\' { slashes + 1 } else { 0 };
    }
    value.len()
}

/// The length of a value without quotes. A value of a line of its own ends with the line.
fn bare(value: &str, name: &Name<'_>) -> usize {
    // A value of a path that is masked already.
    if value.strip_prefix(MASK).is_some_and(|rest| rest.starts_with('/')) {
        return MASK.len();
    }
    let is_line = name.starts_line || value.starts_with('<');
    let ends = |(at, letter): &(usize, char)| match letter {
        '\n' | '\r' => true,
        '&' | ';' => value.get(at + 1..).is_some_and(|rest| starts_pair(rest, &['='])),
        ',' => value.get(at + 1..).is_some_and(|rest| starts_pair(rest, &['=', ':'])),
        _ if is_line || *at == 0 => false,
        letter => letter.is_whitespace() || "\"'`<>)}]|".contains(*letter),
    };
    value.char_indices().find(ends).map_or(value.len(), |(at, _)| at)
}

/// Whether another name follows, with one of these separators.
fn starts_pair(rest: &str, separators: &[char]) -> bool {
    let rest = rest.trim_start_matches(BLANKS).trim_start_matches(QUOTES);
    let length: usize =
        rest.chars().take(MAX_NAME).take_while(|it| is_of_name(*it)).map(char::len_utf8).sum();
    let after = rest.get(length..).unwrap_or_default().trim_start_matches(QUOTES);
    length > 0 && after.trim_start_matches(BLANKS).starts_with(separators)
}

/// The length of the indented lines and list items after a line.
fn indented(rest: &str) -> usize {
    if !rest.starts_with(['\r', '\n']) {
        return 0;
    }
    let mut lines = rest.split_inclusive('\n');
    let first = lines.next().unwrap_or_default().len();
    let is_inside = |line: &&str| line.starts_with(BLANKS) || line.starts_with("- ");
    let inside: usize = lines.take_while(is_inside).map(str::len).sum();
    let block = rest.get(..first + inside).unwrap_or_default();
    if inside == 0 { 0 } else { block.trim_end().len() }
}
