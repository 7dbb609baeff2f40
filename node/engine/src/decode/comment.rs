//! Comment decoder: replaces `/**/` and `/*x*/`, which SQL reads as spaces.

pub(super) const NAME: &str = "comment";

/// Longer comments are written by people.
const LONGEST: usize = 40;

/// Replaces comments of at most one word. `/*!` starts code that databases execute, and lists of media types
/// (`a/*, b/*`) contain punctuation.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut copied = 0;
    for start in memchr::memmem::find_iter(value, b"/*") {
        if start < copied {
            continue;
        }
        let inside = &value[start + 2..];
        let length = inside.iter().take(LONGEST).take_while(|it| is_of_word(**it)).count();
        if inside[length..].starts_with(b"*/") {
            out.extend_from_slice(&value[copied..start]);
            out.push(b' ');
            copied = start + length + 4;
        }
    }
    if copied == 0 {
        return None;
    }
    out.extend_from_slice(&value[copied..]);
    Some(out)
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b' ') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<String> {
        decode(value.as_bytes()).map(|it| String::from_utf8_lossy(&it).into_owned())
    }

    #[test]
    fn comments_between_words_become_spaces() {
        assert_eq!(read("select/**/a/*x y*/from/**//**/b").as_deref(), Some("select a from  b"));
    }

    #[test]
    fn other_comments_are_unchanged() {
        for text in ["image/*,*/*;q=0.8", "/*!50000union*/", "a /* b", "/* see: a, b */", "/*/"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
