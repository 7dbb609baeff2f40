//! Comment decoder: replaces `/**/` and `/*x*/`, which SQL reads as spaces.

use super::replace;

pub(super) const NAME: &str = "comment";

/// Longer comments are prose.
const LONGEST: usize = 40;

/// Replaces comments of at most one word. `/*!` starts code that databases execute, and lists of
/// media types (`a/*, b/*`) contain punctuation.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    replace(value, memchr::memmem::find_iter(value, b"/*"), |comment| {
        let inside = &comment[2..];
        let length = inside.iter().take(LONGEST).take_while(|it| is_of_word(**it)).count();
        inside[length..].starts_with(b"*/").then_some(([b' '], length + 4))
    })
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
