//! The quick no: values in which no command begins with a word of the shell. Prose with an `&` in it is read no further.

use super::words;

/// Words longer than this name no command.
const MAX_NAME: usize = 24;

/// Whether all that could be a command begins with a plain word that names none. May say no too often, never yes wrongly:
/// anything that could spell a name in another way is read by those who know how.
pub(super) fn is_strange(value: &[u8]) -> bool {
    let parts_commands =
        |byte: &u8| matches!(byte, b';' | b'|' | b'&' | b'\n' | b'\r' | b'(' | b')' | b'<' | b'>');
    value.iter().all(|byte| !spells_otherwise(*byte)) && value.split(parts_commands).all(begins_strangely)
}

/// Quotes, escapes, variables, patterns and signs for blanks: with them a name is not what it looks like.
fn spells_otherwise(byte: u8) -> bool {
    matches!(
        byte,
        b'\'' | b'"' | b'`' | b'\\' | b'^' | b'$' | b'{' | b'*' | b'?' | b'[' | b'+' | b'%' | b'@' | b'#'
    ) || byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')
}

fn begins_strangely(command: &[u8]) -> bool {
    let first = command.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let mut lower = [0; MAX_NAME];
    let Some(name) = lower.get_mut(..first.len()) else {
        return memchr::memchr2(b'/', b'=', first).is_none();
    };
    name.copy_from_slice(first);
    name.make_ascii_lowercase();
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let plain = name.strip_suffix(".exe").unwrap_or(name);
    // `python3.12` is `python`.
    let bare = plain.trim_end_matches(|it: char| it.is_ascii_digit() || matches!(it, '.' | '-'));
    !plain.contains(['/', '=']) && !words::may_run(plain) && (bare == plain || !words::may_run(bare))
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
                let found = super::super::shell(value, crate::field::Place::Value);
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
