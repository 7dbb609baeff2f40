//! Quick rejection of values in which no command begins with the name of a program, such as prose
//! with an `&`.

use super::programs;
use crate::token::shell::plus_is_blank;

/// Limit of the names of commands.
const MAX_NAME: usize = 24;

/// Whether each possible command begins with a plain word that is no command. False when in doubt:
/// values with another spelling of a name are tokenized.
pub(super) fn cannot_contain_command(value: &[u8]) -> bool {
    let is_spelled =
        || value.iter().enumerate().any(|(at, &byte)| kind(byte) >= ByteKind::MaySpell && spells(value, at));
    !is_spelled()
        && !has_variable(value)
        && !has_brace_list(value)
        && !has_pattern(value)
        && !plus_is_blank(value)
        && value.split(|&byte| separates(byte)).all(|part| {
            begins_with_no_command(part)
                && (!follows_redirection(value, part) || begins_with_no_command(after_first(part)))
        })
}

/// `</dev/null cat x`: a command after the file of a redirection.
fn follows_redirection(value: &[u8], part: &[u8]) -> bool {
    let at = part.as_ptr().addr() - value.as_ptr().addr();
    // `>|x`, `2>&1`.
    matches!(value[..at], [.., b'<' | b'>'] | [.., b'<' | b'>', b'|' | b'&'])
}

fn after_first(words: &[u8]) -> &[u8] {
    let words = words.trim_ascii_start();
    words.iter().position(u8::is_ascii_whitespace).map_or(&[], |end| &words[end..])
}

/// Whether the byte here may be part of another spelling of a name.
fn spells(value: &[u8], at: usize) -> bool {
    let next = || value.get(at + 1).copied();
    let follows_letter = || at > 0 && is_letter(value[at - 1]);
    match value[at] {
        b'\'' | b'"' => joins_letters(value, at),
        b'`' => next() == Some(b'`') && follows_letter(),
        b'^' => next().is_some_and(|it| it.is_ascii_alphabetic()),
        // A price, not a variable.
        b'$' => !next().is_none_or(|it| it.is_ascii_whitespace() || it.is_ascii_digit() && !follows_letter()),
        byte => kind(byte) == ByteKind::Spells,
    }
}

/// `c'a't`, `"c"at`: a quote that opens here and closes in the same word, with letters around it.
fn joins_letters(value: &[u8], at: usize) -> bool {
    let rest = &value[at + 1..];
    let Some(length) = rest.iter().take(MAX_NAME).position(|&byte| byte == value[at]) else { return false };
    let touches = at > 0 && is_letter(value[at - 1]) || rest.get(length + 1).is_some_and(|it| is_letter(*it));
    touches && rest[..length].iter().all(|byte| is_letter(*byte) || matches!(byte, b'\'' | b'"'))
}

/// `{cat,/etc/passwd}`
fn has_brace_list(value: &[u8]) -> bool {
    let Some(first) = memchr::memchr(b'{', value) else { return false };
    let mut words = value[first..].split_inclusive(|byte| *byte == b'}' || byte.is_ascii_whitespace());
    words.any(|word| {
        let open = memchr::memchr(b'{', word).filter(|_| word.ends_with(b"}"));
        open.is_some_and(|open| word[open..].contains(&b','))
    })
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-".contains(&byte)
}

/// `%name%`, a variable of Windows. Remains of percent encoding mostly begin with a digit.
pub(super) fn has_variable(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value).any(|at| {
        let name = &value[at + 1..];
        let length =
            name.iter().take(MAX_NAME).take_while(|it| it.is_ascii_alphanumeric() || **it == b'_').count();
        let is_name = length == 1 || !name.first().is_some_and(u8::is_ascii_digit);
        is_name && length > 0 && name.get(length) == Some(&b'%')
    })
}

/// Whether a word is a pattern for the path of a program: `/b?n/c*t`.
fn has_pattern(value: &[u8]) -> bool {
    let ends_word = |byte: u8| byte.is_ascii_whitespace() || separates(byte);
    let is_pattern = |at: usize| {
        let mut word = value[at..].iter().take_while(|byte| !ends_word(**byte));
        (at == 0 || ends_word(value[at - 1])) && word.any(|byte| b"*?[".contains(byte))
    };
    memchr::memchr3(b'*', b'?', b'[', value).is_some() && memchr::memchr_iter(b'/', value).any(is_pattern)
}

/// What a byte means for commands. Bytes from `MaySpell` on may be part of another spelling of a name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ByteKind {
    Plain,
    /// Separates commands.
    Separates,
    /// Spells a name, depending on its neighbours.
    MaySpell,
    /// Separates commands, or closes a string that the value lands in, or spells a name.
    Quotes,
    Spells,
}

fn kind(byte: u8) -> ByteKind {
    KINDS[usize::from(byte)]
}

fn separates(byte: u8) -> bool {
    matches!(kind(byte), ByteKind::Separates | ByteKind::Quotes)
}

static KINDS: [ByteKind; 256] = {
    let mut kinds = [ByteKind::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let it = byte as u8;
        kinds[byte] = match it {
            b';' | b'|' | b'&' | b'\n' | b'\r' | b'(' | b')' | b'<' | b'>' | b'{' | b'#' => {
                ByteKind::Separates
            }
            b'\'' | b'"' | b'`' => ByteKind::Quotes,
            b'^' | b'$' => ByteKind::MaySpell,
            b'\\' => ByteKind::Spells,
            b'\t' => ByteKind::Plain,
            _ if it < b' ' => ByteKind::Spells,
            _ => ByteKind::Plain,
        };
        byte += 1;
    }
    kinds
};

fn begins_with_no_command(command: &[u8]) -> bool {
    // `if x`: what follows these words is a command, if it has the name of one.
    let mut command = command.trim_ascii();
    let mut first = first_word(command);
    while programs::is_mere_prefix(first) {
        command = command[first.len()..].trim_ascii_start();
        first = first_word(command);
        // `command -p id`: its options may take any word.
        if matches!(first, [b'-', _, ..]) {
            return false;
        }
    }
    if first.is_empty() {
        return true;
    }
    // Before them, cmd.exe has an `@`.
    let marks = first.iter().take_while(|byte| b"@+".contains(byte)).count();
    let (first, command) = (&first[marks..], &command[marks..]);
    if memchr::memchr2(b'/', b'=', first).is_some() {
        // No command follows an assignment, and programs are in no other folders.
        return first.len() == command.len() && !first.windows(4).any(|part| part == b"bin/");
    }
    let mut lower = [0; MAX_NAME];
    let Some(name) = lower.get_mut(..first.len()) else { return true };
    name.copy_from_slice(first);
    name.make_ascii_lowercase();
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let plain = name.strip_suffix(".exe").unwrap_or(name);
    // `python3.12` is `python`.
    let is_of_version = |it: char| it.is_ascii_digit() || matches!(it, '.' | '-');
    let may_run_bare =
        || plain.ends_with(is_of_version) && programs::may_run(plain.trim_end_matches(is_of_version));
    !programs::may_run(plain) && !may_run_bare()
}

fn first_word(command: &[u8]) -> &[u8] {
    let end = command.iter().position(u8::is_ascii_whitespace).unwrap_or(command.len());
    &command[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_prose_with_separators() {
        let texts = [
            "Garden spade, ash & steel",
            "soup & chips; tea",
            "a < b (c)",
            "R&D",
            "",
            "I don't know; you won't",
            "{\"name\": \"Ann\", \"age\": 3}",
            "<p class=\"x\">$5 & taxes</p>",
            "ann@example.com; bob@example.com",
            "`name` & \"name\"",
            "while x { if (y) { z } else { do y }}",
        ];
        for text in texts {
            assert!(cannot_contain_command(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn finds_no_command_in_rejected_attacks() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/attacks");
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for sample in crate::corpus::parse(&text).unwrap() {
                let value = sample.payload.as_bytes();
                let matched = super::super::shell(value, crate::field::FieldKind::Value);
                assert!(matched.is_none() || !cannot_contain_command(value), "{}", sample.payload);
            }
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(4_096))]
        #[test]
        fn finds_no_command_in_rejected_values(parts in proptest::collection::vec(
            proptest::sample::select(PARTS), 1..9,
        )) {
            let value = parts.concat();
            let matched = super::super::shell(value.as_bytes(), crate::field::FieldKind::Value);
            proptest::prop_assert!(matched.is_none() || !cannot_contain_command(value.as_bytes()), "{}", value);
        }
    }

    /// Spellings of commands, and what surrounds them.
    const PARTS: &[&str] = &[
        " ",
        " ",
        "\n",
        "\t",
        "'",
        "\"",
        "`",
        ";",
        "|",
        "&&",
        "&",
        "$(",
        "${",
        "$",
        "(",
        ")",
        "{",
        "}",
        ",",
        "^",
        "\\",
        "@",
        "+",
        "#",
        "=",
        "<",
        ">",
        "%",
        "*",
        "?",
        "/",
        "1",
        "c",
        "at",
        "cat",
        "/etc/passwd",
        "id",
        "whoami",
        "net user",
        "sudo",
        "ls",
        "-la",
        "IFS",
        "/bin/",
        "bash",
        "don",
        "t",
        "word",
        ".exe",
        "PATH:0:1",
        "%x%",
        "--version",
        "//",
        "if",
        "time ",
    ];

    #[test]
    fn keeps_commands_and_other_spellings() {
        let values = [
            "x; id",
            "x & cat /a",
            "x|Sudo y",
            "x; /bin/ls",
            "x; a=b c",
            "x; c''at",
            "$(x)",
            "x & net user",
            "cmd.exe | a",
            "x 'cat' /a",
            "it's c'a't /a",
            "x; \"c\"at /a",
            "x; @ping a",
            "x; {cat,/a}",
            "x; if cat /a",
            "x # id",
            "x; <y id",
            "x; >y <z id -a",
            "x; id$1",
        ];
        for text in values {
            assert!(!cannot_contain_command(text.as_bytes()), "{text}");
        }
    }
}
