//! JSON Web Token parser: header and payload, still in base64. Signatures are not inspected.

use super::Sink;
use crate::point_path::PointPath;
use shared::point::Tag;

/// The header and the payload of a token; a scheme such as `Bearer` may precede it.
pub(super) fn parts(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let token = value.trim_ascii().rsplit(|&byte| byte == b' ').next()?;
    // `{"` in base64, and three parts.
    let is_header = token.starts_with(b"eyJ") || token.starts_with(b"ewo");
    let mut parts = token.split(|&byte| byte == b'.').filter(|_| is_header);
    let (header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    let is_url_safe =
        |part: &[u8]| part.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(byte));
    (is_url_safe(header) && is_url_safe(payload)).then_some((header, payload))
}

pub(super) fn parse((header, payload): (&[u8], &[u8]), root: PointPath, sink: &mut Sink<'_, '_>) {
    for (tag, part) in [(Tag::JwtHeader, header), (Tag::JwtPayload, payload)] {
        let point = sink.arena.then(root, tag);
        if !sink.push_value(point, part.to_vec()) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_three_parts_and_an_optional_scheme() {
        assert_eq!(parts(b"eyJh.eyJz.c2ln"), Some((b"eyJh".as_slice(), b"eyJz".as_slice())));
        assert_eq!(parts(b"Bearer eyJh.eyJz.c2ln"), Some((b"eyJh".as_slice(), b"eyJz".as_slice())));
        assert_eq!(parts(b"eyJh.eyJz"), None);
        assert_eq!(parts(b"www.example.com"), None);
    }
}
