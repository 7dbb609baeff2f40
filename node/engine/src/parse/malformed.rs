//! Bodies that cannot be decoded as they claim: origins read such bodies in different ways, so an
//! attack may be in what this parser cannot read.

use memchr::memmem;
use shared::AttackType;

/// What cannot be decoded. The body is inspected undecoded as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// The data of the content coding is corrupt.
    Coding,
    /// The character set has no name, or the bytes are invalid in it.
    Charset,
    /// The parts have no boundary, no end or no headers.
    Multipart,
    /// Two lines declare different content types: two programs read different values.
    AmbiguousType,
    /// Two lines declare different content codings.
    AmbiguousCoding,
}

impl Malformed {
    pub(crate) fn attack_type(self) -> AttackType {
        if self.is_ambiguous() { AttackType::Crlf } else { AttackType::MalformedBody }
    }

    /// Whether this is an attack on the difference between two programs, not a mistake.
    pub(crate) fn is_ambiguous(self) -> bool {
        matches!(self, Self::AmbiguousType | Self::AmbiguousCoding)
    }

    /// The signature under which it is reported.
    pub(crate) fn signature(self) -> &'static str {
        match self {
            Self::Coding => "malformed-coding",
            Self::Charset => "malformed-charset",
            Self::Multipart => "malformed-multipart",
            Self::AmbiguousType => "crlf-ambiguous-type",
            Self::AmbiguousCoding => "crlf-ambiguous-coding",
        }
    }
}

/// Whether a body of a declared type `multipart/…` cannot be split into parts: RFC 2046, section
/// 5.1.1, without its leniencies for mail.
pub(super) fn is_broken_multipart(body: &[u8], boundary: Option<&[u8]>) -> bool {
    let Some(boundary) = boundary else { return true };
    let delimiter = [b"--", boundary].concat();
    let starts: Vec<usize> = memmem::find_iter(body, &delimiter).map(|at| at + delimiter.len()).collect();
    let Some(last) = starts.last() else { return true };
    let is_part = |pair: &[usize]| {
        let part = &body[pair[0]..pair[1]];
        part.starts_with(b"--") || memmem::find(part, b"\n\r\n").or(memmem::find(part, b"\n\n")).is_some()
    };
    !body[*last..].starts_with(b"--") || !starts.windows(2).all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_need_boundaries_headers_and_an_end() {
        let is_malformed = |body: &str| is_broken_multipart(body.as_bytes(), Some(b"b"));
        for benign in [
            "--b--\r\n",
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n",
            "--b\r\n\r\nwithout headers\r\n--b--",
            "preamble\n--b\nA: b\n\n1\n--b--\nepilogue",
        ] {
            assert!(!is_malformed(benign), "{benign}");
        }
        for malformed in [
            "a=1",
            "--c\r\nA: b\r\n\r\n1\r\n--c--\r\n",
            "--b\r\nA: b\r\n\r\n1\r\n",
            "--b\r\nA: b\r\n1\r\n--b--\r\n",
        ] {
            assert!(is_malformed(malformed), "{malformed}");
        }
        assert!(is_broken_multipart(b"--b--", None));
    }
}
