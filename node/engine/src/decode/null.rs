//! Null bytes and other invisible bytes that split a word for us but not for the origin.

/// Drops null bytes.
pub(super) fn peel(value: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(0, value)?;
    // Binary data is full of them and means nothing without them.
    let nulls = memchr::memchr_iter(0, value).count();
    (nulls <= 2 + value.len() / 2).then(|| value.iter().copied().filter(|&byte| byte != 0).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_bytes_vanish() {
        assert_eq!(peel(b"scr\0ipt").as_deref(), Some(b"script".as_slice()));
        assert_eq!(peel(b"script"), None);
    }
}
