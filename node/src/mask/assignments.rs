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
/// The longest type between a name and its value: `$password: [String!]! = "x"`.
const MAX_TYPE: usize = 60;
/// The longest gap between a value and its name.
const MAX_GAP: usize = 300;
/// The most keys beside a value that may name it.
const MAX_TRIES: u8 = 4;
/// The longest value on the line after its name.
const MAX_LINE: usize = 4096;
/// The first word of a credential, which belongs to the next one.
const SCHEMES: &[&str] = &["apikey", "basic", "bearer", "digest", "jwt", "negotiate", "ntlm", "token"];
const QUOTES: [char; 3] = ['"', '\'', '`'];
const BLANKS: [char; 2] = [' ', '\t'];

/// Adds the places of values that are secrets by their names.
pub(super) fn find(text: &str, places: &mut Vec<Range<usize>>) {
    let mut done = 0;
    // The key whose value names a secret, and how far no bracket ends its object.
    let mut named: Option<(&str, usize)> = None;
    let (mut earlier, mut is_next) = (Earlier::default(), false);
    for (at, separator) in text.match_indices(['=', ':']) {
        if at < done {
            continue;
        }
        let Some(name) = Name::before(text, at) else { continue };
        let is_value = names::is_of_value(name.text);
        if name.is_secret() || named.is_some() && is_value {
            named = None;
            let mut value = value_after(text, at + 1, &name);
            if let Some(default) = after_type(text, at + 1, separator, &name) {
                value.end = value.end.max(value_after(text, default, &name).end);
            }
            if !value.is_empty() {
                done = value.end;
                places.push(value);
            }
        } else if names::is_of_name(name.text) {
            let value = earlier.value(text, at, name.text);
            // Named already, or the next value may be.
            earlier.owner = Some(name.text);
            is_next = value.is_none();
            if names_secret(text, at + 1, &name) {
                named = value.is_none().then_some((name.text, at));
                places.extend(value);
            } else {
                // `name="pin" id="x" value="y"`
                named = named.filter(|(key, checked)| {
                    *key != name.text && text.get(*checked..at).is_some_and(|gap| !gap.contains(['}', '>']))
                });
                named = named.map(|(key, _)| (key, at));
            }
        } else if is_value {
            let owner = earlier.owner.filter(|_| is_next);
            earlier = Earlier { at: Some((at, name)), owner, tries: 0 };
        }
    }
    find_in_columns(text, places);
}

/// The last value, if its name may follow.
#[derive(Default)]
struct Earlier<'t> {
    /// The separator, and the name before it.
    at: Option<(usize, Name<'t>)>,
    /// The key whose value names it, if any.
    owner: Option<&'t str>,
    /// How often the value was read.
    tries: u8,
}

impl<'t> Earlier<'t> {
    /// The place of the value, if the name at this separator follows it in the same object:
    /// `value="x" id="y" name="pin"`.
    fn value(&mut self, text: &'t str, separator: usize, name: &str) -> Option<Range<usize>> {
        let (at, before) = self.at.as_ref()?;
        if self.owner == Some(name) || self.tries == MAX_TRIES {
            return None;
        }
        self.tries += 1;
        let window = text.get(..=separator)?;
        let value = value_after(window, at + 1, before);
        let gap = text.get(value.end..separator)?;
        let gap = gap.get(..gap.rfind(name)?)?;
        let is_near = gap.len() <= MAX_GAP && !gap.contains(['{', '}', '[', ']', '<', '>']);
        let is_other = ["\n\n", "\n-", "\n -", "\n  -"].iter().any(|start| gap.contains(start));
        (is_near && !is_other && !value.is_empty()).then_some(value)
    }
}

/// Adds values in columns: those after a name at the start of a line, and those below one.
fn find_in_columns(text: &str, places: &mut Vec<Range<usize>>) {
    if !text.contains('\t') {
        return;
    }
    let mut at = 0;
    // Whether each column below a heading has secrets.
    let mut secrets: Vec<bool> = Vec::new();
    for line in text.split_inclusive('\n') {
        let row = line.trim_end_matches(['\r', '\n']);
        let columns = row.matches('\t').count() + 1;
        let is_heading = columns > 1 && row.split('\t').all(is_column);
        if is_heading {
            secrets = row.split('\t').map(names::is_secret).collect();
        }
        let has_heading = !is_heading && columns == secrets.len();
        let mut start = at;
        let mut is_named = false;
        for (column, cell) in row.split('\t').enumerate() {
            let is_below = has_heading && secrets.get(column) == Some(&true);
            if (is_named || is_below) && !cell.is_empty() {
                places.push(start..start + cell.len());
            }
            is_named = column == 0 && columns > 1 && cell.len() <= MAX_NAME && names::is_secret(cell.trim());
            start += cell.len() + 1;
        }
        at += line.len();
    }
}

/// Whether a cell may be the name of a column.
fn is_column(cell: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || b"_- \"".contains(&byte);
    !cell.is_empty() && cell.len() <= MAX_NAME && cell.bytes().all(is_letter)
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
        if let Some(block) = block(text, start + prefix, quote, slashes) {
            return block;
        }
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
    let rest = value.get(bare.len()..).unwrap_or_default();
    if SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(bare)) {
        return first..start + bare.len() + credential(rest);
    }
    let is_block = name.starts_line && matches!(bare, "" | "|" | ">" | "|-" | ">-" | "|+" | ">+");
    let inside = if is_block { indented(value.get(end..).unwrap_or_default()) } else { 0 };
    if inside == 0 && bare.is_empty() && !name.is_quoted {
        let line = line_below(rest);
        return start + line.start..start + line.end;
    }
    first..start + if inside > 0 { end + inside } else { bare.len() }
}

/// Where the value begins behind a type: `$password: String = "x"`.
fn after_type(text: &str, from: usize, separator: &str, name: &Name<'_>) -> Option<usize> {
    let rest = text.get(from..).filter(|_| separator == ":" && !name.is_quoted)?;
    let is_of_type = |it: &char| it.is_alphanumeric() || "_ ![]?".contains(*it);
    let length: usize = rest.chars().take(MAX_TYPE).take_while(is_of_type).map(char::len_utf8).sum();
    let value = rest.get(length..)?.strip_prefix('=').filter(|_| length > 0)?;
    (!value.starts_with(['=', '>'])).then_some(from + length + 1)
}

/// The content of a string in three quotes. One that is not closed ends with the text.
fn block(text: &str, start: usize, quote: char, slashes: usize) -> Option<Range<usize>> {
    let delimiter = format!("{}{quote}", "\\".repeat(slashes)).repeat(3);
    let inside = text.get(start..)?.strip_prefix(&delimiter).filter(|_| quote != '`')?;
    let start = start + delimiter.len();
    let is_end =
        |(at, _): &(usize, &str)| slashes > 0 || !inside.get(..*at).is_some_and(|it| it.ends_with('\\'));
    match inside.match_indices(&delimiter).find(is_end) {
        Some((at, _)) => Some(start..start + at),
        None if quote == '"' => Some(start..text.len()),
        // In SQL, two apostrophes are one.
        None => Some(start..closing(text, start, quote, slashes)),
    }
}

/// The length of blanks and the word after a scheme, or of one that is alone on the next line.
fn credential(rest: &str) -> usize {
    let word = rest.trim_start();
    let blanks = rest.len() - word.len();
    if rest.get(..blanks).is_some_and(|it| it.contains('\n')) {
        return line_below(rest).end;
    }
    let end = |it: char| it.is_whitespace() || QUOTES.contains(&it) || it == '<';
    blanks + word.find(end).unwrap_or(word.len())
}

/// The place of the word that is alone on the next line that is not empty, unless it is a name.
fn line_below(rest: &str) -> Range<usize> {
    let window = rest.get(..rest.floor_char_boundary(MAX_LINE)).unwrap_or_default();
    let line = window.trim_start();
    let start = window.len() - line.len();
    let breaks = window.get(..start).map_or(0, |blanks| blanks.matches('\n').count());
    if !(1..=2).contains(&breaks) {
        return 0..0;
    }
    let line = line.split(['\r', '\n']).next().unwrap_or_default().trim_end();
    let is_other = line.contains(char::is_whitespace)
        || ["<", "[", "--", "//"].iter().any(|it| line.starts_with(it))
        || starts_pair(line.trim_end_matches('='), &['=', ':']);
    if is_other { 0..0 } else { start..start + line.len() }
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
