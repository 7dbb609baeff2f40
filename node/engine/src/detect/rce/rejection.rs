//! Quick rejection of values in which no command begins with the name of a program, such as prose
//! with an `&`.

use super::programs;

/// Limit of the names of commands.
const MAX_NAME: usize = 24;

/// Whether each possible command begins with a plain word that is no command. False when in doubt:
/// values with any other spelling of names are tokenized.
pub(super) fn cannot_contain_command(value: &[u8]) -> bool {
    let has = |kind: ByteKind| value.iter().any(|&byte| KINDS[usize::from(byte)] == kind);
    let has_pattern = || has(ByteKind::Matches) && value.split(|byte| separates_words(*byte)).any(is_pattern);
    let is_spelled = has(ByteKind::Spells) || has_variable(value) || has_pattern();
    let mut commands = value.split(|&byte| KINDS[usize::from(byte)] == ByteKind::Separates);
    !is_spelled && commands.all(begins_with_no_command)
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

/// Whether the word is a pattern for the path of a program.
fn is_pattern(word: &[u8]) -> bool {
    word.first() == Some(&b'/') && word.iter().any(|&byte| KINDS[usize::from(byte)] == ByteKind::Matches)
}

fn separates_words(byte: u8) -> bool {
    byte.is_ascii_whitespace() || KINDS[usize::from(byte)] == ByteKind::Separates
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ByteKind {
    Plain,
    /// Separates commands.
    Separates,
    /// Part of another spelling of a name.
    Spells,
    /// A wildcard in the path of a file.
    Matches,
}

static KINDS: [ByteKind; 256] = {
    let mut kinds = [ByteKind::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let it = byte as u8;
        kinds[byte] = match it {
            b';' | b'|' | b'&' | b'\n' | b'\r' | b'(' | b')' | b'<' | b'>' => ByteKind::Separates,
            b'*' | b'?' | b'[' => ByteKind::Matches,
            _ if spells_otherwise(it) => ByteKind::Spells,
            _ => ByteKind::Plain,
        };
        byte += 1;
    }
    kinds
};

/// Quotes, escapes, variables and substitutes for blanks: they change the name of a command.
const fn spells_otherwise(byte: u8) -> bool {
    matches!(byte, b'\'' | b'"' | b'`' | b'\\' | b'^' | b'$' | b'{' | b'+' | b'@' | b'#')
        || byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')
}

fn begins_with_no_command(command: &[u8]) -> bool {
    let command = command.trim_ascii();
    let first = command.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    if memchr::memchr2(b'/', b'=', first).is_some() {
        // No command follows an assignment, and programs are in no other folders.
        return first.len() == command.len() && memchr::memmem::find(first, b"bin/").is_none();
    }
    let mut lower = [0; MAX_NAME];
    let Some(name) = lower.get_mut(..first.len()) else { return true };
    name.copy_from_slice(first);
    name.make_ascii_lowercase();
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let plain = name.strip_suffix(".exe").unwrap_or(name);
    // `python3.12` is `python`.
    let bare = plain.trim_end_matches(|it: char| it.is_ascii_digit() || matches!(it, '.' | '-'));
    !programs::may_run(plain) && (bare == plain || !programs::may_run(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_prose_with_separators() {
        for text in ["Garden spade, ash & steel", "fish & chips; tea", "a < b (c)", "R&D", ""] {
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
        ];
        for text in values {
            assert!(!cannot_contain_command(text.as_bytes()), "{text}");
        }
    }
}
