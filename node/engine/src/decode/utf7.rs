//! UTF-7 decoder: `+ADw-` is `<`.

use super::{base64::is_data_url, replace};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD_NO_PAD},
};

/// Trailing bits fill the last letter of a run.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes runs that encode ASCII only, since base64 contains plus signs as well. A data URL contains
/// one by chance, and would cost a pass.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    if is_data_url(value) {
        return None;
    }
    replace(value, memchr::memmem::find_iter(value, b"+A"), |rest| {
        let (run, end) = run(rest);
        Some((ascii_run(run)?, end))
    })
}

/// Decodes a text that is declared as UTF-7.
pub(super) fn decode_declared(value: &[u8]) -> Option<Vec<u8>> {
    replace(value, memchr::memchr_iter(b'+', value), |rest| {
        let (run, end) = run(rest);
        if run.is_empty() {
            return (end == 2).then(|| (vec![b'+'], end));
        }
        // A single letter after whole groups has too few bits.
        let whole = &run[..run.len() - usize::from(run.len() % 4 == 1)];
        let bytes = LENIENT.decode(whole).ok()?;
        let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_be_bytes(*unit));
        let letters = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
        Some((letters.collect::<String>().into_bytes(), end))
    })
}

/// The base64 letters after a plus sign, and the end of the run with its sign.
fn run(rest: &[u8]) -> (&[u8], usize) {
    let letters = rest.get(1..).unwrap_or_default();
    let is_letter = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'/';
    let length = letters.iter().take_while(is_letter).count();
    (&letters[..length], 1 + length + usize::from(letters.get(length) == Some(&b'-')))
}

/// The ASCII characters encoded by a run of modified base64.
fn ascii_run(run: &[u8]) -> Option<Vec<u8>> {
    // Only ASCII starts with a zero byte.
    if !matches!(run, [b'A', b'A'..=b'P', ..]) {
        return None;
    }
    let units = STANDARD_NO_PAD.decode(run).ok()?;
    let (pairs, odd) = units.as_chunks::<2>();
    let ascii = |&[high, low]: &[u8; 2]| (high == 0 && low.is_ascii() && low >= b'\t').then_some(low);
    (odd.is_empty() && !pairs.is_empty()).then(|| pairs.iter().map(ascii).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_decoded() {
        assert_eq!(decode(b"+ADw-script+AD4-").as_deref(), Some(b"<script>".as_slice()));
        assert_eq!(decode(b"+ADw-a+AD4AJg-b").as_deref(), Some(b"<a>&b".as_slice()));
    }

    #[test]
    fn sums_telephone_numbers_and_base64_are_unchanged() {
        for text in ["+A+B", "+49 30 123456", "a+Abc", "x+AAAAbase64//", "1+Apple"] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn declared_text_is_decoded_whatever_its_letters() {
        assert_eq!(decode_declared(b"1 +- 1").as_deref(), Some(b"1 + 1".as_slice()));
        assert_eq!(decode_declared(b"+AOkAJw- or").as_deref(), Some("é' or".as_bytes()));
        assert_eq!(decode_declared(b"+"), None);
    }
}
