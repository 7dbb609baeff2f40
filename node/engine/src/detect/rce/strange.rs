//! The quick no: values in which no command begins with a word of the shell. Prose with an `&` in it is read no further.

use super::words;

/// Words longer than this name no command.
const MAX_NAME: usize = 24;

/// Whether all that could be a command begins with a plain word that names none. May say no too often, never yes wrongly:
/// anything that could spell a name in another way is read by those who know how.
pub(super) fn is_strange(value: &[u8]) -> bool {
    let has = |kind: Kind| value.iter().any(|&byte| KINDS[usize::from(byte)] == kind);
    let has_pattern = || has(Kind::Matches) && value.split(|byte| parts_words(*byte)).any(is_pattern);
    let is_spelled = has(Kind::Spells) || has_variable(value) || has_pattern();
    let mut commands = value.split(|&byte| KINDS[usize::from(byte)] == Kind::Parts);
    !is_spelled && commands.all(begins_strangely)
}

/// `%name%`, as Windows has it. What is left of an encoding begins with a digit, most of it.
pub(super) fn has_variable(value: &[u8]) -> bool {
    memchr::memchr_iter(b'%', value).any(|at| {
        let name = &value[at + 1..];
        let length =
            name.iter().take(MAX_NAME).take_while(|it| it.is_ascii_alphanumeric() || **it == b'_').count();
        let is_name = length == 1 || !name.first().is_some_and(u8::is_ascii_digit);
        is_name && length > 0 && name.get(length) == Some(&b'%')
    })
}

/// The path of a program may be spelled as one.
fn is_pattern(word: &[u8]) -> bool {
    word.first() == Some(&b'/') && word.iter().any(|&byte| KINDS[usize::from(byte)] == Kind::Matches)
}

fn parts_words(byte: u8) -> bool {
    byte.is_ascii_whitespace() || KINDS[usize::from(byte)] == Kind::Parts
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// Parts commands.
    Parts,
    /// Spells a name otherwise.
    Spells,
    /// Stands for other letters in the path of a file.
    Matches,
}

static KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let it = byte as u8;
        kinds[byte] = match it {
            b';' | b'|' | b'&' | b'\n' | b'\r' | b'(' | b')' | b'<' | b'>' => Kind::Parts,
            b'*' | b'?' | b'[' => Kind::Matches,
            _ if spells_otherwise(it) => Kind::Spells,
            _ => Kind::Plain,
        };
        byte += 1;
    }
    kinds
};

/// Quotes, escapes, variables and signs for blanks: with them a name is not what it looks like.
const fn spells_otherwise(byte: u8) -> bool {
    matches!(byte, b'\'' | b'"' | b'`' | b'\\' | b'^' | b'$' | b'{' | b'+' | b'@' | b'#')
        || byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')
}

fn begins_strangely(command: &[u8]) -> bool {
    let command = command.trim_ascii();
    let first = command.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    if memchr::memchr2(b'/', b'=', first).is_some() {
        // Nothing follows that a variable could be set for, and programs lie in no other folders.
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
    !words::may_run(plain) && (bare == plain || !words::may_run(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_with_separators_is_strange() {
        for text in ["Garden spade, ash & steel", "fish & chips; tea", "a < b (c)", "R&D", ""] {
            assert!(is_strange(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_strange_holds_no_command() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/attacks");
        for file in std::fs::read_dir(folder).unwrap() {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for sample in crate::corpus::parse(&text).unwrap() {
                let value = sample.payload.as_bytes();
                let found = super::super::shell(value, crate::field::FieldKind::Value);
                assert!(found.is_none() || !is_strange(value), "{}", sample.payload);
            }
        }
    }

    #[test]
    fn what_may_run_or_be_spelled_otherwise_is_not() {
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
            assert!(!is_strange(text.as_bytes()), "{text}");
        }
    }
}
