//! Steps to a parent in unknown spellings: units of dots and marks that a value repeats at its
//! start.

/// Limit of a unit.
const UNITS: std::ops::RangeInclusive<usize> = 3..=24;

/// Whether a value opens with the same odd step twice: `..%bg%qf..%bg%qf`, `..?/..?/`,
/// `2e2e/2e2e/`.
pub(crate) fn repeats_step(value: &[u8]) -> bool {
    let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\');
    let start = value.iter().take_while(|byte| is_slash(byte)).count().min(8);
    let is_folder = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/' | b'\\');
    let first = value.iter().take_while(is_folder).count();
    // Units may begin with a slash and follow a folder.
    [start, start.saturating_sub(1), first].iter().any(|&start| opens_with_step(&value[start..]))
}

/// `..#/x`, `..\xFF/x`: a step with bytes before its slash that some servers remove, in a value
/// that is one path.
pub(crate) fn opens_with_odd_step(value: &[u8]) -> bool {
    let is_slash = |byte: u8| matches!(byte, b'/' | b'\\');
    let start = value.iter().take_while(|&&byte| is_slash(byte)).count();
    let Some(rest) = value[start..].strip_prefix(b"..") else { return false };
    let odd = rest.iter().take_while(|&&byte| !is_slash(byte)).count();
    let is_fill = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b' ');
    let is_path = |byte: &u8| !byte.is_ascii_whitespace() && !b",\"'()<>=".contains(byte);
    let Some(target) = rest.get(odd + 1..) else { return false };
    (1..=2).contains(&odd)
        && rest[..odd].iter().all(is_fill)
        && !target.is_empty()
        && target.iter().all(is_path)
}

fn opens_with_step(value: &[u8]) -> bool {
    UNITS.filter(|&length| value.len() >= 2 * length).any(|length| {
        let (unit, rest) = value.split_at(length);
        let is_thrice = || rest[length..].starts_with(unit);
        // Plain dots and slashes are left to other rules.
        let is_odd = !unit.iter().all(|byte| matches!(byte, b'.' | b'/' | b'\\'));
        is_odd && rest.starts_with(unit) && (is_step(unit) || holds_step(unit) && is_thrice())
    })
}

/// `..x/`: a letter after the dots.
fn holds_step(unit: &[u8]) -> bool {
    unit.windows(2).any(|it| it == b"..") && unit.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'%'))
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
                let digits = if matches!(rest.get(1), Some(b'u' | b'U')) { 5 } else { 2 };
                1 + rest[1..].iter().take(digits).take_while(|it| it.is_ascii_alphanumeric()).count()
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
    fn finds_repeated_steps_in_any_spelling() {
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
    fn finds_one_step_with_removed_bytes() {
        for value in [b"..#/x".as_slice(), b"/..\xFF/x/y", b"..\r/{X}", b"..?/x.html", br"\..%\x"] {
            assert!(opens_with_odd_step(value), "{}", value.escape_ascii());
        }
        for value in ["../x", "..a/x", "..", "..; /x", ".. / ...", "..-/ and so on", "..#/", "...../x"] {
            assert!(!opens_with_odd_step(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn ignores_rows_of_words_and_dots() {
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
