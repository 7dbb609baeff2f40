//! Documents: long texts in bodies, such as posts and files. They quote code, so rules of low
//! confidence are off in them.
//!
//! An attacker may pad a value to turn those rules off. Therefore blanks, empty lines, punctuation
//! and repetitions of a word do not count, and values of the query, the path, cookies and headers
//! are never documents.

use super::ValueContext;

/// Shorter texts are values like any other.
const MIN_WORDS: usize = 60;
const MIN_LINE_BREAKS: usize = 5;
/// Lines that contain a word.
const MIN_LINES: usize = 3;

/// Whether the value is a document in a body.
pub(crate) fn is_document_at(value: &[u8], context: &ValueContext<'_>) -> bool {
    context.is_for_documents() && is_document(value)
}

/// Many lines of many words.
pub(crate) fn is_document(value: &[u8]) -> bool {
    let has_lines = memchr::memchr_iter(b'\n', value).nth(MIN_LINE_BREAKS - 1).is_some();
    has_lines && has_words(value)
}

fn has_words(value: &[u8]) -> bool {
    let (mut count, mut lines, mut last): (_, _, &[u8]) = (0, 0, b"");
    for line in value.split(|&byte| byte == b'\n') {
        let before = count;
        for word in line.split(u8::is_ascii_whitespace).filter(|it| is_word(it)) {
            count += usize::from(word != last);
            last = word;
        }
        lines += usize::from(count > before);
        if count >= MIN_WORDS && lines >= MIN_LINES {
            return true;
        }
    }
    false
}

/// Letters or digits, of any script.
fn is_word(word: &[u8]) -> bool {
    word.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_a_long_text() {
        let line = "Now and then a line of a post goes on for a while, \r\n";
        assert!(is_document(line.repeat(10).as_bytes()));
        assert!(!is_document(line.repeat(4).as_bytes()));
        assert!(!is_document(line.replace("\r\n", "").repeat(20).as_bytes()));
    }

    #[test]
    fn ignores_padding() {
        for padding in ["\n", "\r\n", " ", "\t", "\r", " \n", "\t\n \r\n", "a\n", "- \n", "x \n x\n", ".\n\n"]
        {
            let text = format!("{0}{{{{7*7}}}}{0}", padding.repeat(200));
            assert!(!is_document(text.as_bytes()), "{padding:?}");
        }
    }
}
