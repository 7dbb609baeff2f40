//! Commands of developers: chains of programs that build, copy and remove files of the working
//! directory. Packages name them in their scripts, and prose quotes them between backticks.

use super::{argument::is_prose, head::head, programs};
use crate::{
    token::shell::{Command, Comments, Lead, Word, commands},
    words::WORDS,
};
use std::{borrow::Cow, ops::Range};

/// Words outside of code spans, without which a span between backticks is no quotation.
const MIN_PROSE: usize = 3;
/// Longer scripts are programs.
const MAX_BYTES: usize = 400;

/// Whether a value is such a chain from its first word on: nothing in it reads, fetches or leaves the
/// working directory.
pub(crate) fn is_development(value: &[u8]) -> bool {
    if value.len() > MAX_BYTES {
        return false;
    }
    let commands = commands(value, 0, Comments::Read);
    let is_first = |lead| matches!(lead, Lead::Start | Lead::Substitution);
    commands.first().is_some_and(|first| is_first(first.lead)) && commands.iter().all(is_of_developer)
}

fn is_of_developer(command: &Command<'_>) -> bool {
    let Some(head) = head(command) else { return false };
    let are_plain = || command.words.iter().all(is_plain) && !command.called && !command.has_odd_blanks;
    match command.lead {
        Lead::Start | Lead::And | Lead::Or | Lead::Pipe | Lead::Semicolon | Lead::Background => {
            let is_other = || head.known.is_none() && !head.is_path;
            are_plain()
                && (WORDS.rce.developer_tools.contains(&head.name) || is_other())
                && !runs_text(command, &head.name)
        }
        // `-v $(pwd):/app`
        Lead::Substitution => WORDS.rce.developer_substitutions.contains(&head.name) && are_plain(),
        Lead::Resumed => true,
        Lead::Newline | Lead::Backtick => false,
    }
}

/// `node -e 'code'`, `x | sh`
fn runs_text(command: &Command<'_>, interpreter: &str) -> bool {
    let is_option = |word: &Word<'_>| match &*word.text {
        b"-c" | b"/c" | b"-e" | b"-p" | b"--eval" | b"--print" => true,
        b"-r" => interpreter == "php",
        _ => false,
    };
    let is_fed = || command.lead == Lead::Pipe && command.words.len() == 1;
    programs::is_interpreter(interpreter) && (command.words.iter().any(is_option) || is_fed())
}

/// Whether a word names nothing outside of the working directory and the one around it, and is spelled as it
/// is read.
fn is_plain(word: &Word<'_>) -> bool {
    const OUTSIDE: [&[u8]; 6] = [b"://", b"../..", b"..\\", b"=/", b"\\\\", b":\\"];
    let text = &word.text[..];
    let contains = |part: &&[u8]| memchr::memmem::find(text, part).is_some();
    let is_outside = matches!(text, [b'/' | b'~' | b'*', ..]) || OUTSIDE.iter().any(contains);
    !word.disguised && !word.variable && !is_outside && !text.ends_with(b"../*")
}

/// The value with blanks in place of code spans that prose quotes, at the same length: `` run
/// `rm -rf dist && npm i` first ``. A span that touches a word, or has little prose around it, is left.
pub(super) fn without_quotations(value: &[u8]) -> Cow<'_, [u8]> {
    let spans = spans(value);
    if spans.is_empty() {
        return Cow::Borrowed(value);
    }
    let mut text = value.to_vec();
    for span in &spans {
        text[span.clone()].fill(b' ');
    }
    let words = text.split(u8::is_ascii_whitespace).filter(|word| is_prose(word));
    if words.take(MIN_PROSE).count() < MIN_PROSE {
        return Cow::Borrowed(value);
    }
    Cow::Owned(text)
}

/// The spans of commands of developers with their backticks. Pairs on one line.
fn spans(value: &[u8]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut open: Option<usize> = None;
    for at in memchr::memchr2_iter(b'`', b'\n', value) {
        let is_tick = value[at] == b'`';
        match open.take().filter(|_| is_tick) {
            Some(from) => {
                let is_quoted = stands_alone(value, from..at + 1) && is_quotable(&value[from + 1..at]);
                spans.extend(is_quoted.then_some(from..at + 1));
            }
            None => open = is_tick.then_some(at),
        }
    }
    spans
}

fn stands_alone(value: &[u8], span: Range<usize>) -> bool {
    let before = value[..span.start].last();
    let after = value.get(span.end);
    before.is_none_or(|it| it.is_ascii_whitespace() || b"(\"'*_:>-".contains(it) || !it.is_ascii())
        && after.is_none_or(|it| it.is_ascii_whitespace() || b")\"'*_:.,;!?<-".contains(it) || !it.is_ascii())
}

/// Whether a span is a command with arguments, or a substitution.
fn is_quotable(code: &[u8]) -> bool {
    (code.contains(&b' ') || code.starts_with(b"$(")) && is_development(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_scripts_of_packages() {
        for script in [
            "tsc && node build.js",
            "rm -rf dist && tsc -p . && cp a b",
            "npm run clean && cross-env NODE_ENV=production webpack --mode production",
            "cd ../shared && npm install && npm run build",
            "mkdir -p dist && cp -r src/*.css dist/ && echo done",
            "eslint . || true",
            "docker run --rm -v $(pwd):/app node npm test",
            "$(pwd)",
            "tape test/*.js | tap-spec",
            "node --inspect server.js & npm run watch",
        ] {
            assert!(is_development(script.as_bytes()), "{script}");
        }
        for command in [
            "; rm -rf dist && cp a b",
            "&& node build.js",
            "x\nrm -rf dist",
            "tsc && cat /etc/passwd",
            "rm -rf / && tsc",
            "rm -rf *",
            "rm -rf ../..",
            "rm -rf ~ && tsc",
            "tsc && curl http://a.example/x",
            "tsc && wget a.example",
            "tsc && whoami",
            "tsc && id",
            "echo x | sh",
            "node -e 'x'",
            "tsc && node build.js; nc 192.0.2.4 99",
            "n\\ode build.js && tsc",
            "tsc && $x",
            "tsc && `id`",
            "$(id)",
            "$(cat a)",
            "/bin/ls && tsc",
            "",
        ] {
            assert!(!is_development(command.as_bytes()), "{command}");
        }
    }

    #[test]
    fn blanks_quoted_commands_in_prose() {
        let left = |text: &str| {
            let blanked = without_quotations(text.as_bytes());
            assert_eq!(blanked.len(), text.len());
            String::from_utf8_lossy(&blanked).split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(left("Run `rm -rf dist && npm i` to reset it."), "Run to reset it.");
        assert_eq!(left("Mount the folder (`$(pwd)`) there"), "Mount the folder ( ) there");
        for text in [
            "`rm -rf dist && npm i`",
            "x `rm -rf dist && npm i`",
            "one two three`rm -rf dist && npm i`",
            "one two three `rm -rf dist && npm i`four",
            "one two three `$(id)` four",
            "one two three `cat /etc/passwd` four",
            "one two three `rm -rf\ndist && npm i` four",
            "one two three `id` four",
        ] {
            assert_eq!(left(text), text.split_whitespace().collect::<Vec<_>>().join(" "), "{text}");
        }
    }
}
