//! Keyed digests of values and of what surrounds them.
//!
//! A digest stands for its value where an equal one is skipped, so its key is secret: no client can
//! construct a collision. Bytes are hashed once; what surrounds them is mixed in.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState},
};

/// The digest of bytes.
#[inline]
pub(crate) fn of_bytes(key: &RandomState, bytes: &[u8]) -> u64 {
    let mut hasher = key.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// The digest of a pair. Different pairs have equal ones by chance only: at least one side is a
/// digest that no client knows.
#[inline]
pub(crate) const fn mix(one: u64, other: u64) -> u64 {
    (one.rotate_left(23) ^ other).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32)
}

/// A set of digests, which are not hashed again.
pub(crate) type DigestSet = HashSet<u64, BuildHasherDefault<Identity>>;

/// The digest itself as its hash.
#[derive(Default)]
pub(crate) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |digest, &byte| mix(digest, u64::from(byte)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_depend_on_bytes_their_order_and_the_key() {
        let (key, other) = (RandomState::new(), RandomState::new());
        let digest = |bytes: &[u8]| of_bytes(&key, bytes);
        assert_eq!(digest(b"ab"), digest(b"ab"));
        assert_ne!(digest(b"ab"), digest(b"ba"));
        assert_ne!(digest(b"ab"), of_bytes(&other, b"ab"));
        assert_ne!(mix(digest(b"a"), digest(b"b")), mix(digest(b"b"), digest(b"a")));
        assert_ne!(mix(mix(digest(b"a"), 1), 2), mix(mix(digest(b"a"), 2), 1));
    }
}
