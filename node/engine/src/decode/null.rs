//! Decoder of null bytes: removes control characters that the origin may ignore inside words.

/// Removes null bytes and the control characters up to backspace.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let dropped = value.iter().filter(|&&byte| is_invisible(byte)).count();
    // Binary data is full of them.
    let is_text = dropped <= 2 + value.len() / 2;
    (dropped > 0 && is_text).then(|| value.iter().copied().filter(|&byte| !is_invisible(byte)).collect())
}

fn is_invisible(byte: u8) -> bool {
    byte < 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_bytes_are_removed() {
        assert_eq!(decode(b"scr\0i\x01pt").as_deref(), Some(b"script".as_slice()));
        assert_eq!(decode(b"script"), None);
    }
}
