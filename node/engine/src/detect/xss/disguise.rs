//! Disguised script tags, which only lenient parsers recognize.

/// The byte that is `<` where the eighth bit is ignored.
const SEVEN_BIT_LESS: u8 = b'<' | 0x80;
/// More junk than this between the bracket and the name is text.
const MAX_JUNK: usize = 24;

/// The start of a script tag that has junk before its name (`< x: script>`), or a bracket of eight
/// bits.
pub(super) fn script_tag(value: &[u8]) -> Option<usize> {
    marked(value).or_else(|| spelled(value))
}

/// The bracket of eight bits, written as an escape.
fn spelled(value: &[u8]) -> Option<usize> {
    const BRACKET: &[u8] = b"\\xbc";
    memchr::memchr(b'\\', value)?;
    memchr::memmem::find_iter(value, BRACKET)
        .find(|at| is_script(&value[at + BRACKET.len()..], Bracket::EightBit))
}

fn marked(value: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'<', SEVEN_BIT_LESS, value).find(|&at| {
        let rest = &value[at + 1..value.len().min(at + 1 + MAX_JUNK + 16)];
        let junk = rest.iter().take_while(|it| it.is_ascii_whitespace() || b"/+:".contains(it)).count();
        let is_plain = value[at] == b'<';
        match after_prefix(&rest[junk..]).filter(|_| is_plain) {
            Some(named) => is_script(named, Bracket::Prefixed),
            // Without junk it is a regular tag, which the tokenizer finds.
            None if is_plain => {
                !matches!(&rest[..junk], b"" | b"/") && is_script(&rest[junk..], Bracket::Plain)
            }
            None => is_script(&rest[junk..], Bracket::EightBit),
        }
    })
}

/// The bracket of the tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Plain,
    /// Plain, with a namespace.
    Prefixed,
    EightBit,
}

/// Past a namespace: `x: script`.
fn after_prefix(rest: &[u8]) -> Option<&[u8]> {
    let name = rest.iter().take(8).take_while(|it| it.is_ascii_alphanumeric()).count();
    rest[name..].trim_ascii_start().strip_prefix(b":").map(<[u8]>::trim_ascii_start)
}

fn is_script(rest: &[u8], bracket: Bracket) -> bool {
    let Some((name, after)) = rest.split_at_checked(6) else { return false };
    let has_attribute = after.first().is_some_and(u8::is_ascii_whitespace) && after.contains(&b'=');
    let ends = match (after.trim_ascii_start().first(), bracket) {
        (None, _) => bracket != Bracket::Plain,
        (Some(b'>' | b'/'), _) => true,
        (Some(next), Bracket::EightBit) => !next.is_ascii_alphanumeric(),
        (Some(next), _) => has_attribute && next.is_ascii_alphabetic(),
    };
    name.eq_ignore_ascii_case(b"script") && ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_script_tags_with_junk_and_eighth_bits() {
        for value in [
            b"< script >x".as_slice(),
            b"<q: script",
            b"< / script>",
            b"< script src=x",
            b"\xbcscript\xbealert(1)",
            "\u{bc}script\u{be}".as_bytes(),
            b"\xbc/script\xbe",
            b"\\xc2\\xbcscript\\xbe",
        ] {
            assert!(script_tag(value).is_some(), "{}", String::from_utf8_lossy(value));
        }
        for value in ["a < script b", "x: script", "f\u{fc}rscript", "< scripted>", "1 < 2: scripts"] {
            assert!(script_tag(value.as_bytes()).is_none(), "{value}");
        }
    }
}
