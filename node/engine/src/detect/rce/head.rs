//! The head of a command: the word that names the program, and whether its arguments fit.

use super::{
    argument::{is_prose, shape},
    programs::{self, Known},
};
use crate::{
    token::shell::{Command, Redirection, Word},
    words::WORDS,
};
use std::borrow::Cow;

/// The word that names the program, without its directory and without the words that run others.
pub(super) struct Head {
    pub at: usize,
    pub name: String,
    pub known: Option<Known>,
    pub is_path: bool,
    /// Whether its second word identifies it, as in `net user`.
    pub is_pair: bool,
}

/// Limit of the first word.
const MAX_FIRST: usize = 64;

/// Whether the first word is a command or the path of one, or a variable is set first.
pub(super) fn opens_with_command(value: &[u8]) -> bool {
    let first = value.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let Ok(first) = std::str::from_utf8(&first[..first.len().min(MAX_FIRST)]) else { return false };
    programs::program(first).is_some()
        || is_known(first)
        || matches!(
            first,
            "command" | "defaults" | "net" | "waitfor" | "reg" | "sc" | "ip" | "docker" | "gem"
        )
        || programs::is_runner(first)
        || is_version_probe(value)
}

/// Whether the word is a command, in any case.
fn is_known(word: &str) -> bool {
    let mut lower = [0; MAX_FIRST];
    let Some(lower) = lower.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).is_ok_and(|lower| programs::known(plain(lower)).is_some())
}

/// `perl --version`, `gcc -v`: a harmless probe for command execution.
pub(super) fn is_version_probe(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let Some(name) = value.strip_suffix(b" --version").or_else(|| value.strip_suffix(b" --help")) else {
        return false;
    };
    let name = std::str::from_utf8(name).unwrap_or_default();
    programs::known(name).is_some()
        || programs::program(name).is_some()
        || WORDS.rce.runners.contains_exact(name)
}

/// The name in the list of commands: `C:\x\CMD.EXE` is `cmd`.
pub(super) fn plain_name(word: &str) -> String {
    plain(&word.to_ascii_lowercase()).to_owned()
}

/// The same for a word in lower case.
fn plain(word: &str) -> &str {
    let name = memchr::memrchr(b'\\', word.as_bytes()).map_or(word, |at| &word[at + 1..]);
    if name == "%comspec%" {
        return "cmd";
    }
    let name = name.strip_suffix(".exe").unwrap_or(name);
    // `gcc7.4`, `python3.12`, `php-8`.
    let is_of_version = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    if !name.as_bytes().last().is_some_and(is_of_version) {
        return name;
    }
    let plain = name.trim_end_matches(|it: char| it.is_ascii_digit() || matches!(it, '.' | '-'));
    let is_versioned = name.len() > plain.len()
        && matches!(plain, "gcc" | "python" | "php" | "perl" | "ruby" | "lua" | "node");
    if is_versioned { plain } else { name }
}

pub(super) fn head(command: &Command<'_>) -> Option<Head> {
    let head = read(command, &run_by)?;
    let is_program = head.known.is_some() || head.is_path;
    Some(if is_program { head } else { inner_head(command, &head).unwrap_or(head) })
}

/// The head behind a program that runs others, whose options take words: `sudo -u root cat`.
pub(super) fn inner_head(command: &Command<'_>, outer: &Head) -> Option<Head> {
    // Without such a word, both readings are the same.
    if !command.words.get(..=outer.at)?.iter().any(may_lead) {
        return None;
    }
    let inner = read(command, &run_by_after_words)?;
    (inner.at > outer.at && (inner.known.is_some() || inner.is_path)).then_some(inner)
}

/// The position of what a prefix runs.
type RunBy = dyn Fn(&str, &[Word<'_>], usize) -> Option<usize>;

fn read(command: &Command<'_>, run_by: &RunBy) -> Option<Head> {
    let mut at = 0;
    while let Some(word) = command.words.get(at) {
        let Ok(text) = std::str::from_utf8(&word.text) else { return None };
        let next = command.words.get(at + 1);
        let run = if may_lead(word) { run_by(text, &command.words, at) } else { None };
        if let Some(run) = run {
            at = run;
            continue;
        }
        if is_assignment(text) {
            at += 1;
            continue;
        }
        let squeezed = squeeze_slashes(text.trim_start_matches(['@', '+']));
        let text = &*squeezed;
        let program = programs::program(text);
        let name = plain_name(program.unwrap_or(text));
        let is_pair = next.is_some_and(|second| programs::is_pair(&name, &second.text));
        let paired = is_pair.then_some(Known { takes: programs::WORD, is_distinctive: true });
        let known = paired.or_else(|| programs::known(&name));
        return Some(Head { at, known, name, is_path: program.is_some(), is_pair });
    }
    None
}

/// Whether what follows the word may be what runs.
fn may_lead(word: &Word<'_>) -> bool {
    is_unset(word) || std::str::from_utf8(&word.text).is_ok_and(|text| WORDS.rce.prefixes.contains(text))
}

/// `$x`: a variable that is not set is no word.
fn is_unset(word: &Word<'_>) -> bool {
    word.variable
        && word.text.starts_with(b"$")
        && std::str::from_utf8(&word.text).is_ok_and(|text| programs::known(text).is_none())
}

/// The position of what the prefix here runs, after its options: `env -i cat`, `nice -n 5 cat`.
fn run_by(prefix: &str, words: &[Word<'_>], at: usize) -> Option<usize> {
    let takes = programs::known(prefix).map_or(0, |known| known.takes);
    let is_option = |word: &Word<'_>| {
        let shape = shape(word) & (programs::FLAG | programs::NUMBER);
        is_unset(word) || programs::is_runner(prefix) && shape & !takes != 0 && !word.text.starts_with(b"/")
    };
    let options = words.get(at + 1..)?.iter().take_while(|word| is_option(word)).count();
    let run = at + 1 + options;
    words.get(run).filter(|word| is_runnable(&String::from_utf8_lossy(&word.text))).map(|_| run)
}

/// The same, where options take a word each and some prefixes another one: `env -C / cat`,
/// `setarch x cat`.
fn run_by_after_words(prefix: &str, words: &[Word<'_>], at: usize) -> Option<usize> {
    let runs = |at: usize| words.get(at).is_some_and(|it| is_runnable(&String::from_utf8_lossy(&it.text)));
    let mut argument = WORDS.rce.wrappers.contains(prefix);
    let mut after_flag = false;
    let mut at = at + 1;
    while let Some(word) = words.get(at) {
        let kind = shape(word);
        let is_flag = kind & programs::FLAG != 0 && !word.text.starts_with(b"/");
        let is_argument = || after_flag && runs(at + 1) && !words[at + 1].text.contains(&b'/');
        if !is_flag && runs(at) && !is_argument() {
            return Some(at);
        }
        let is_number = kind & programs::NUMBER != 0 && programs::is_runner(prefix);
        let is_skipped = is_flag || is_number || is_unset(word) || after_flag;
        if !is_skipped && !std::mem::take(&mut argument) {
            return None;
        }
        after_flag = is_flag && *word.text != *b"--";
        at += 1;
    }
    None
}

/// A command, a prefix or an assignment.
fn is_runnable(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    programs::known(&plain_name(name)).is_some()
        || programs::program(word).is_some()
        || WORDS.rce.prefixes.contains_exact(word)
        || is_assignment(word)
}

/// `/bin//sh` is `/bin/sh`.
fn squeeze_slashes(text: &str) -> Cow<'_, str> {
    if !text.starts_with('/') || !text.contains("//") {
        return Cow::Borrowed(text);
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    Cow::Owned(format!("/{}", parts.join("/")))
}

fn is_assignment(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    name.len() < word.len()
        && !name.is_empty()
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

/// The words of prose after the arguments that show a command: what follows them says nothing about it,
/// and may be padding. `None` if the first arguments do not fit.
pub(super) fn prose_after(command: &Command<'_>, head: &Head, known: Known) -> Option<usize> {
    let rest = &command.words[head.at + 1..];
    if fit(command, rest, head, known) {
        return Some(0);
    }
    // A slash between words is prose.
    let shows = |word: &Word<'_>| shape(word) & known.takes & !programs::WORD != 0 && *word.text != *b"/";
    let last = rest.iter().position(shows).or(head.is_pair.then_some(0))?;
    let (first, after) = rest.split_at(last + 1);
    let prose = || after.iter().filter(|word| is_prose(&word.text)).count();
    fit(command, first, head, known).then(prose)
}

/// Whether the words after the head fit it: one of a kind that it takes, and little prose.
pub(super) fn fits(command: &Command<'_>, head: &Head, known: Known) -> bool {
    fit(command, &command.words[head.at + 1..], head, known)
}

fn fit(command: &Command<'_>, rest: &[Word<'_>], head: &Head, known: Known) -> bool {
    let arguments: Vec<u8> = rest.iter().map(shape).collect();
    // `id>/tmp/x`: only a target for its output.
    if let [only] = &arguments[..]
        && command.redirection == Some(Redirection::File)
        && known.takes & programs::ALONE != 0
        && only & programs::PATH != 0
    {
        return true;
    }
    let prose = arguments.iter().filter(|bits| **bits & !programs::WORD == 0).count();
    // A slash between words is prose.
    let is_parted = !known.is_distinctive
        && rest.len() > 1
        && rest.iter().any(|it| *it.text == *b"/")
        && !arguments.iter().any(|bits| bits & programs::FLAG != 0);
    if is_parted {
        return false;
    }
    if known.is_distinctive && command.redirection == Some(Redirection::File) && prose <= 1 {
        return true;
    }
    if command.redirection == Some(Redirection::HereString) && command.words.len() > head.at + 1 {
        return true;
    }
    if known.takes & programs::WORD != 0 {
        return !arguments.is_empty()
            && arguments.len() <= 4 + 2 * (arguments.len() - prose + usize::from(head.is_pair));
    }
    arguments.iter().any(|bits| bits & known.takes != 0) && prose <= 1 + arguments.len() / 3
}

pub(super) fn second(command: &Command<'_>, head: &Head) -> String {
    let word = command.words.get(head.at + 1);
    word.map(|it| String::from_utf8_lossy(&it.text).to_ascii_lowercase()).unwrap_or_default()
}
