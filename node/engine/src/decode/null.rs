//! Null bytes and other invisible bytes that split a word for us but not for the origin.

/// Drops null bytes and the control bytes up to backspace.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let dropped = value.iter().filter(|&&byte| is_invisible(byte)).count();
    // Binary data is full of them and means nothing without them.
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
    fn null_bytes_vanish() {
        assert_eq!(decode(b"scr\0i\x01pt").as_deref(), Some(b"script".as_slice()));
        assert_eq!(decode(b"script"), None);
    }
}
