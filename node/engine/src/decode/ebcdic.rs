//! EBCDIC decoder, code page 037. Some servers decode it if a content type declares it.

use super::percent;

/// The ASCII characters of the bytes from 0x40 on, in rows of 32; `?` for others.
const LETTERS: [[u8; 32]; 6] = [
    *b" ??????????.<(+|&?????????!$*);?",
    *b"-/?????????,%_>??????????`:#@'=\"",
    *b"?abcdefghi???????jklmnopqr??????",
    *b"?~stuvwxyz??????^?????????[]????",
    *b"{ABCDEFGHI??????}JKLMNOPQR??????",
    *b"\\?STUVWXYZ??????0123456789??????",
];

/// Whether a label names this code page, or one that differs only in a few brackets.
pub(super) fn is_named(label: &str) -> bool {
    let digits = label.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let is_family = ["ibm", "cp", "ebcdic", "csibm", "x-ebcdic"].iter().any(|start| label.starts_with(start));
    is_family && matches!(digits.trim_start_matches('0'), "37" | "500" | "1047" | "1140" | "1148")
}

/// Decodes to ASCII. In forms the bytes may be percent-encoded, between ASCII separators.
pub(super) fn read(bytes: &[u8]) -> Vec<u8> {
    let is_form = bytes.contains(&b'%') && bytes.contains(&b'=');
    if is_form {
        let pairs = bytes.split(|&byte| byte == b'&').map(|pair| {
            let sides = pair.splitn(2, |&byte| byte == b'=').map(side);
            sides.collect::<Vec<_>>().join(&b'=')
        });
        return pairs.collect::<Vec<_>>().join(&b'&');
    }
    bytes.iter().copied().map(letter).collect()
}

/// Decodes a name or a value of a form; decoded separators are percent-encoded again.
fn side(side: &[u8]) -> Vec<u8> {
    let Some(raw) = percent::decode(side) else { return side.to_vec() };
    let escaped = raw.into_iter().map(letter).flat_map(|byte| match byte {
        b'%' => b"%25".to_vec(),
        b'&' => b"%26".to_vec(),
        b'+' => b"%2B".to_vec(),
        other => vec![other],
    });
    escaped.collect()
}

fn letter(byte: u8) -> u8 {
    match byte {
        0x05 => b'\t',
        0x0D => b'\r',
        0x15 | 0x25 => b'\n',
        0..0x40 => b' ',
        _ => LETTERS[usize::from(byte - 0x40) / 32][usize::from(byte) % 32],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_and_forms_are_decoded() {
        assert_eq!(read(b"\x4c\xa2\x83\x99\x89\x97\xa3\x6e"), b"<script>");
        assert_eq!(read(b"%89%84=%F1%40%96%99%40%F1%7E%F1&%50=%6C"), b"id=1 or 1=1&%26=%25");
    }

    #[test]
    fn labels_of_the_code_page_family_are_recognized() {
        for label in ["ibm037", "cp037", "ibm500", "ebcdic-cp-us-037", "ibm1047"] {
            assert!(is_named(label), "{label}");
        }
        for label in ["utf-8", "ibm866", "iso-8859-1", "037"] {
            assert!(!is_named(label), "{label}");
        }
    }
}
