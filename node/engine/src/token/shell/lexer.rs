//! Shell lexer. Every byte is visited a bounded number of times.

mod expansion;

use super::{Command, Lead, Redirection, Word};
use expansion::{blank_variable, brace_end, entity};
use std::{borrow::Cow, ops::Range};

/// How text after ` #` is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comments {
    Dropped,
    /// As further commands: between quotes nothing is a comment, and a value may land there.
    Read,
}

/// The room for further parts of a word in several parts.
const SPARE: usize = 24;

/// Limit of names between two percent signs.
const MAX_NAME: usize = 20;

/// Bytes that are no part of a word, or not always. Whitespace, quotes and separators; the rest are
/// letters in every state of the lexer.
const IS_SPECIAL: [bool; 256] = {
    let special = b"\0\t\n\x0b\x0c\r +;|&`()'\"\\^$%<>{#";
    let mut table = [false; 256];
    let mut at = 0;
    while at < special.len() {
        table[special[at] as usize] = true;
        at += 1;
    }
    table
};

/// The commands of a value from `start` on, for example after a quote that closes the string the
/// value lands in.
pub(crate) fn commands(value: &[u8], start: usize, comments: Comments) -> Vec<Command<'_>> {
    let command = Command::new(Lead::Start, start);
    let mut lexer = Lexer {
        value,
        at: start,
        word: None,
        text_end: start,
        command,
        commands: Vec::new(),
        in_backticks: false,
        unclosed: [false; 2],
        plus_is_blank: plus_is_blank(value),
        is_target: false,
        comments,
        after_bracket: Lead::Resumed,
    };
    while let Some(&byte) = value.get(lexer.at) {
        lexer.step(byte);
    }
    lexer.end_command(Lead::Resumed, 0);
    lexer.commands
}

struct Lexer<'v> {
    value: &'v [u8],
    at: usize,
    word: Option<Word<'v>>,
    /// The end of the bytes that were last added to the word.
    text_end: usize,
    command: Command<'v>,
    commands: Vec<Command<'v>>,
    in_backticks: bool,
    /// Whether no further `'` or `"` follows, which keeps the search linear.
    unclosed: [bool; 2],
    plus_is_blank: bool,
    /// Whether the next word is the file of a redirection.
    is_target: bool,
    comments: Comments,
    /// What a closing bracket begins: a command once a `case` was opened.
    after_bracket: Lead,
}

impl<'v> Lexer<'v> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.value.get(self.at + ahead).copied()
    }

    fn step(&mut self, byte: u8) {
        match byte {
            b'\n' | b'\r' => self.end_command(Lead::Newline, 1),
            // A shell reads no zero bytes.
            b' ' | b'\t' | 11 | 12 | 0 => self.skip_blank(1),
            b'+' if self.plus_is_blank => self.skip_blank(1),
            b';' => self.end_command(Lead::Semicolon, 1),
            b'|' if self.peek(1) == Some(b'|') => self.end_command(Lead::Or, 2),
            b'|' => self.end_command(Lead::Pipe, if self.peek(1) == Some(b'&') { 2 } else { 1 }),
            b'&' => self.ampersand(),
            b'`' if self.word.is_some() && self.peek(1) == Some(b'`') => self.drop_disguise(2),
            b'`' => self.backtick(),
            b'(' => self.open_bracket(),
            b')' => self.close_bracket(),
            b'\'' | b'"' => self.quote(byte),
            b'\\' => self.backslash(),
            b'^' if self.peek(1).is_some_and(|next| next.is_ascii_alphabetic()) => self.drop_disguise(1),
            b'$' => self.dollar(),
            b'%' if self.word.is_some() => self.percent(),
            b'<' | b'>' => self.redirect(),
            b'{' if self.word.is_none() => self.brace(),
            b'#' if self.word.is_none() && self.at > 0 => self.comment(),
            // `id#`: text that the application appends after a blank is a comment.
            b'#' if self.at + 1 == self.value.len() => self.skip_blank(1),
            _ => {
                let rest = &self.value[self.at + 1..];
                let letters = rest.iter().position(|&byte| IS_SPECIAL[usize::from(byte)]);
                self.push(1 + letters.unwrap_or(rest.len()));
            }
        }
    }

    fn word(&mut self) -> &mut Word<'v> {
        let at = self.at;
        let is_target = &mut self.is_target;
        self.word.get_or_insert_with(|| Word {
            span: at..at,
            is_target: std::mem::take(is_target),
            ..Word::default()
        })
    }

    fn push(&mut self, count: usize) {
        let end = (self.at + count).min(self.value.len());
        self.add(self.at..end);
        self.at = end;
    }

    /// Adds bytes of the value to the word; copies them unless they follow those before them.
    fn add(&mut self, bytes: Range<usize>) {
        let (value, text_end) = (self.value, self.text_end);
        self.text_end = bytes.end;
        match &mut self.word().text {
            Cow::Borrowed(text) if text.is_empty() => *text = &value[bytes],
            Cow::Borrowed(text) if text_end == bytes.start => {
                *text = &value[bytes.start - text.len()..bytes.end];
            }
            Cow::Borrowed(text) => {
                let mut owned = Vec::with_capacity(text.len() + bytes.len() + SPARE);
                owned.extend_from_slice(text);
                owned.extend_from_slice(&value[bytes]);
                self.word().text = Cow::Owned(owned);
            }
            Cow::Owned(text) => text.extend_from_slice(&value[bytes]),
        }
    }

    /// Bytes that vanish when the shell reads the word.
    fn drop_disguise(&mut self, count: usize) {
        self.word().disguised = true;
        self.at += count;
    }

    fn end_word(&mut self) {
        if let Some(mut word) = self.word.take() {
            word.span.end = self.at;
            self.command.end = self.at;
            self.command.words.push(word);
        }
    }

    fn skip_blank(&mut self, count: usize) {
        self.end_word();
        self.at += count;
    }

    fn end_command(&mut self, lead: Lead, length: usize) {
        self.end_word();
        let next = Command::new(lead, self.at);
        self.at += length;
        let mut ended = std::mem::replace(&mut self.command, next);
        self.is_target = false;
        // `</dev/null cat x` is `cat x </dev/null`.
        if !ended.words.is_sorted_by_key(|word| word.is_target) {
            ended.words.sort_by_key(|word| word.is_target);
        }
        if !ended.words.is_empty() {
            self.commands.push(ended);
        } else if matches!(lead, Lead::Newline | Lead::Resumed) && ended.lead != Lead::Start {
            // Blank lines and brackets after a separator do not change it.
            self.command.lead = ended.lead;
            self.command.start = ended.start;
        }
    }

    fn ampersand(&mut self) {
        let before = self.at.checked_sub(1).map(|at| self.value[at]);
        match self.peek(1) {
            Some(b'&') => self.end_command(Lead::And, 2),
            Some(b'>') => self.at += 1,
            // `2>&1` names a stream, not a file.
            _ if matches!(before, Some(b'<' | b'>')) => {
                let rest = &self.value[self.at + 1..];
                self.at += 1 + rest.iter().take_while(|it| it.is_ascii_digit()).count();
                self.is_target = false;
            }
            _ => match entity(&self.value[self.at + 1..]) {
                Some(length) => self.push(1 + length),
                None => self.end_command(Lead::Background, 1),
            },
        }
    }

    fn backtick(&mut self) {
        self.in_backticks = !self.in_backticks;
        self.end_command(if self.in_backticks { Lead::Backtick } else { Lead::Resumed }, 1);
    }

    /// What follows the pattern of a `case` runs.
    fn close_bracket(&mut self) {
        if self.is_case() {
            self.after_bracket = Lead::Semicolon;
        }
        self.end_command(self.after_bracket, 1);
    }

    /// `case x in`
    fn is_case(&self) -> bool {
        matches!(&self.command.words[..], [case, _, within, ..] if *case.text == *b"case" && *within.text == *b"in")
    }

    fn open_bracket(&mut self) {
        if let Some(length) = self.function_head() {
            self.command.called = true;
            self.end_command(Lead::Semicolon, length);
        } else if self.word.is_some() {
            self.command.called = true;
            self.end_command(Lead::Resumed, 1);
        } else if self.command.words.is_empty() || self.is_case() {
            // A subshell runs by the separator before it.
            self.at += 1;
        } else {
            self.end_command(Lead::Resumed, 1);
        }
    }

    /// The length of the brackets in `f(){ id; }`, whose body may run. In languages of applications
    /// a keyword names a function.
    fn function_head(&self) -> Option<usize> {
        let (([], Some(name)) | ([name], None)) = (&self.command.words[..], &self.word) else { return None };
        let inside = self.value[self.at + 1..].trim_ascii_start();
        let after = inside.strip_prefix(b")")?;
        let is_head = *name.text != *b"function" && matches!(after.trim_ascii_start(), [b'{' | b'(', ..]);
        is_head.then(|| self.value.len() - self.at - after.len())
    }

    fn quote(&mut self, quote: u8) {
        let Some(length) = self.quoted_length(quote) else {
            self.skip_blank(1);
            return;
        };
        let (from, to) = (self.at + 1, self.at + 1 + length);
        let inside = &self.value[from..to];
        let follows = self.value.get(to + 1).is_some_and(u8::is_ascii_alphanumeric);
        let is_word = inside.iter().all(|byte| !byte.is_ascii_whitespace());
        let word = self.word();
        let after_letter = word.text.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'/');
        word.disguised |= is_word && (after_letter || follows);
        word.quoted = true;
        self.add(from..to);
        self.at = to + 1;
    }

    /// The length of the string that begins here. A substitution also runs inside double quotes, so
    /// it is no string.
    fn quoted_length(&mut self, quote: u8) -> Option<usize> {
        let kind = usize::from(quote == b'"');
        let rest = &self.value[self.at + 1..];
        let length = if self.unclosed[kind] { None } else { memchr::memchr(quote, rest) };
        self.unclosed[kind] = length.is_none();
        let inside = &rest[..length?];
        // A searcher for both bytes would cost more than a short string.
        let substitutes = |at: usize| inside.get(at + 1) == Some(&b'(');
        let runs =
            memchr::memchr(b'`', inside).is_some() || memchr::memchr_iter(b'$', inside).any(substitutes);
        length.filter(|_| quote == b'\'' || !runs)
    }

    fn backslash(&mut self) {
        match self.peek(1) {
            Some(b'\n') => self.drop_disguise(2),
            Some(_) if self.is_after_drive() => self.push(1),
            Some(next) if next.is_ascii_alphabetic() => self.drop_disguise(1),
            Some(_) => {
                self.at += 1;
                self.push(1);
            }
            None => self.push(1),
        }
    }

    /// In `c:\windows` a backslash separates directories.
    fn is_after_drive(&self) -> bool {
        let word = self.word.as_ref().map(|it| &*it.text);
        matches!(word, Some([letter, b':', ..]) if letter.is_ascii_alphabetic())
    }

    fn dollar(&mut self) {
        let rest = &self.value[self.at + 1..];
        match rest.first() {
            Some(b'(') if rest.get(1) == Some(&b')') => self.drop_disguise(3),
            Some(b'(') if rest.get(1) == Some(&b'(') => self.push(3),
            Some(b'(') => self.end_command(Lead::Substitution, 2),
            Some(b'\'' | b'"') => self.at += 1,
            Some(b'@' | b'*' | b'!' | b'-' | b'?' | b'1'..=b'9') if self.word.is_some() => {
                self.drop_disguise(2);
            }
            _ => self.variable(),
        }
    }

    fn variable(&mut self) {
        let rest = &self.value[self.at + 1..];
        if let Some(length) = blank_variable(rest) {
            self.command.has_odd_blanks = true;
            self.skip_blank(1 + length);
        } else if rest.first() == Some(&b'{') {
            let length = brace_end(rest, |byte| byte == b'}').unwrap_or(0);
            // `${HOME:0:1}` cuts letters out of a known variable.
            let cuts = rest[..length].iter().any(|byte| b":/%#@^,".contains(byte));
            let word = self.word();
            word.variable = true;
            word.disguised |= cuts;
            self.push(2 + length);
        } else {
            let length = rest.iter().take_while(|it| it.is_ascii_alphanumeric() || **it == b'_').count();
            let ends_name = rest.get(length).is_none_or(|it| it.is_ascii_whitespace() || *it == b'/');
            let after_name =
                self.word.as_ref().is_some_and(|it| it.text.iter().all(u8::is_ascii_alphanumeric));
            // `uname$x`: an unset variable is empty, so the rest is the name of the program.
            if self.command.words.is_empty() && after_name && ends_name && length > 0 {
                self.drop_disguise(1 + length);
                return;
            }
            self.word().variable |= length > 0;
            self.push(1 + length);
        }
    }

    /// `who%X%ami`: an unset variable is empty in cmd.exe.
    fn percent(&mut self) {
        let rest = &self.value[self.at + 1..];
        let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let length = rest.iter().take(MAX_NAME).take_while(is_name).count();
        let continues = rest.get(length + 1).is_some_and(u8::is_ascii_alphabetic);
        if length > 0 && rest.get(length) == Some(&b'%') && continues {
            self.drop_disguise(length + 2);
        } else {
            self.push(1);
        }
    }

    fn redirect(&mut self) {
        if self.peek(1) == Some(b'(') {
            self.end_command(Lead::Substitution, 2);
            return;
        }
        if self.value[self.at..].starts_with(b"<<<") {
            self.skip_blank(3);
            self.command.redirection = Some(Redirection::HereString);
            self.is_target = self.command.words.is_empty();
            return;
        }
        if self.word.is_some() || !self.command.words.is_empty() {
            self.command.redirection = Some(Redirection::File);
        }
        let is_double = self.peek(1) == Some(self.value[self.at]);
        if self.word.as_ref().is_some_and(|it| is_descriptor(&it.text)) {
            self.word = None;
        }
        // `>|x` overwrites the file.
        let is_forced = self.value[self.at..].starts_with(b">|");
        self.skip_blank(if is_double || is_forced { 2 } else { 1 });
        self.is_target = true;
    }

    /// `{cat,/etc/passwd}` is two words, `{l,-l}s` is `ls -ls`; other braces are text.
    fn brace(&mut self) {
        let rest = &self.value[self.at + 1..];
        let inside = brace_end(rest, |byte| byte == b'}' || byte.is_ascii_whitespace());
        let Some(length) = inside.filter(|&it| rest[..it].contains(&b',')) else {
            self.push(1);
            return;
        };
        let after = &rest[length + 1..];
        let suffix =
            &after[..after.iter().take(MAX_NAME).take_while(|it| it.is_ascii_alphanumeric()).count()];
        let mut at = self.at + 1;
        for part in rest[..length].split(|&byte| byte == b',') {
            let span = at..at + part.len();
            at = span.end + 1;
            let part =
                part.strip_prefix(b"$").filter(|it| matches!(it.first(), Some(b'\'' | b'"'))).unwrap_or(part);
            let letters = part.iter().chain(suffix).copied();
            let text: Vec<u8> = letters.filter(|byte| !matches!(byte, b'"' | b'\'')).collect();
            if !text.is_empty() {
                self.command.words.push(Word { text: text.into(), span, ..Word::default() });
            }
        }
        self.command.has_odd_blanks = true;
        self.at += length + 2 + suffix.len();
        self.command.end = self.at;
    }

    fn comment(&mut self) {
        match self.comments {
            Comments::Dropped => {
                let rest = &self.value[self.at..];
                self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            }
            Comments::Read => {
                self.end_command(Lead::Resumed, 1);
                // Its first words are no command after the separator or line end before it.
                self.command = Command::new(Lead::Resumed, self.at);
            }
        }
    }
}

/// `2>`, `{fd}>`: the stream that a redirection names.
fn is_descriptor(word: &[u8]) -> bool {
    let name = word.strip_prefix(b"{").and_then(|it| it.strip_suffix(b"}"));
    word.iter().all(u8::is_ascii_digit)
        || name.is_some_and(|it| {
            !it.is_empty() && it.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        })
}

/// Whether the value may have a comment: a hash that begins a word after another.
pub(crate) fn has_comment(value: &[u8]) -> bool {
    let before = |at: usize| at.checked_sub(1).and_then(|it| value.get(it)).copied().unwrap_or_default();
    let ends_word = |byte: u8| byte.is_ascii_whitespace() || b"\x0b+;|()`'\"<>".contains(&byte);
    memchr::memchr_iter(b'#', value).any(|at| ends_word(before(at)))
}

/// A plus is a blank in a form that was not decoded.
pub(crate) fn plus_is_blank(value: &[u8]) -> bool {
    let pluses = memchr::memchr_iter(b'+', value).count();
    pluses > 0 && memchr::memchr2_iter(b' ', b'\t', value).nth(pluses - 1).is_none()
}

#[cfg(test)]
mod tests;
