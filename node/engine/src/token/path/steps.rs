//! Steps to a parent in spellings nobody knows: whatever a value repeats at its start, if it is dots and marks.

/// Longer units are no step.
const UNITS: std::ops::RangeInclusive<usize> = 3..=24;

/// Whether a value opens with the same odd step twice: `..%bg%qf..%bg%qf`, `..?/..?/`, `2e2e/2e2e/`.
pub(crate) fn repeats_step(value: &[u8]) -> bool {
    let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    let start = value.iter().take_while(|byte| is_slash(byte)).count().min(8);
    // Units may close or open with a slash; of those before the first, one may belong to it.
    [start, start.saturating_sub(1)].iter().any(|&start| {
        let rest = &value[start..];
        let repeated =
            |length: usize| rest.get(length..2 * length).is_some_and(|next| next == &rest[..length]);
        UNITS.filter(|&length| repeated(length)).any(|length| is_step(&rest[..length]))
    })
}

/// Two dots and something that could be a slash; letters only in escapes.
fn is_step(unit: &[u8]) -> bool {
    let (mut dots, mut slashes, mut at) = (0, 0, 0);
    while let Some(&byte) = unit.get(at) {
        let rest = &unit[at..];
        at += match (byte, rest.get(..2)) {
            (b'2', Some(b"2e" | b"2E")) => {
                dots += 1;
                2
            }
            (b'2', Some(b"2f" | b"2F")) | (b'5', Some(b"5c" | b"5C")) => {
                slashes += 1;
                2
            }
            (b'0', Some(b"0x" | b"0X")) => 2,
            (b'%' | 0xC0 | 0xC1 | 0xF5.., _) => {
                slashes += 1;
                1 + rest[1..].iter().take(2).take_while(|it| it.is_ascii_alphanumeric()).count()
            }
            (b'.', _) => {
                dots += 1;
                1
            }
            (b'/' | b'\\', _) => {
                slashes += 1;
                1
            }
            (b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9', _) => return false,
            _ => 1,
        };
    }
    dots >= 2 && slashes > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_may_be_spelled_in_any_way_that_repeats() {
        for value in [
            "..%bg%qf..%bg%qfx",
            "/..?/..?/x",
            "2e2e/2e2e/x",
            "..|/..|/",
            r"..%20\..%20\",
            "/..%c0%9v..%c0%9v{X}",
        ] {
            assert!(repeats_step(value.as_bytes()), "{value}");
        }
        assert!(repeats_step(b"..\xFF/..\xFF/x"));
    }

    #[test]
    fn rows_of_words_and_dots_are_no_steps() {
        for value in [
            "......",
            ". . . . . .",
            "a/b/a/b/",
            "1.5/1.5/",
            "....... / ...",
            "--/--/",
            "https://a",
            "..., ..., ...",
        ] {
            assert!(!repeats_step(value.as_bytes()), "{value}");
        }
    }
}
