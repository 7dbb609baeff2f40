//! Quoted-printable decoder (RFC 2045, section 6.7): `=3C` is a byte, `=` at a line's end joins it
//! with the next.

use super::percent::hex_byte;

pub(crate) const NAME: &str = "quoted-printable";

/// The decoded value; `None` if decoding does not change it.
pub(crate) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let mut rest = value;
    let mut out = Vec::with_capacity(value.len());
    while let Some(at) = memchr::memchr(b'=', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let consumed = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            [high, low, ..] if let Some(byte) = hex_byte(&[*high, *low]) => {
                out.push(byte);
                2
            }
            _ => {
                out.push(b'=');
                0
            }
        };
        rest = &rest[consumed..];
    }
    out.extend_from_slice(rest);
    (out != value).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_bytes_and_joins_lines() {
        assert_eq!(decode(b"=3Cscript=3e a=\r\nb=\nc").unwrap(), b"<script> abc");
        assert_eq!(decode(b"a=1=").as_deref(), None);
        assert_eq!(decode(b"a=zz"), None);
    }
}
