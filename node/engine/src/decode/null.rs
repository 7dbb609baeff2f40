//! Decoder of null bytes: removes control characters that the origin may ignore inside words.

/// Removes null bytes and the control characters up to backspace.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    value
        .iter()
        .any(|&byte| is_invisible(byte))
        .then(|| value.iter().copied().filter(|&byte| !is_invisible(byte)).collect())
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

    #[test]
    fn any_number_of_them_is_removed() {
        let padded = [b"; id".as_slice(), &[0; 20]].concat();
        assert_eq!(decode(&padded).as_deref(), Some(b"; id".as_slice()));
        assert_eq!(decode(b"i\x01\x01\x01d").as_deref(), Some(b"id".as_slice()));
    }
}
