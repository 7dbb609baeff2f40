//! Letters of scripts that are written without blanks between words.

/// Whether the letter is of such a script: from Thai to Khmer, and of East Asia but Korea.
pub(crate) fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
}

/// The number of words in a text without blanks: a word of such a script has about two letters.
pub(crate) fn words(text: &[u8]) -> usize {
    if text.is_ascii() {
        return 1;
    }
    let letters = text.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
    (letters.filter(|it| is_unspaced(*it)).count() / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_words() {
        for (text, count) in [("word", 1), ("Straße", 1), ("文件", 1), ("文件不存在", 2), ("ไม่พบไฟล์", 4)]
        {
            assert_eq!(words(text.as_bytes()), count, "{text}");
        }
    }
}
