//! Keys that seal secrets.

use super::{Location, Sealed};
use crate::digest::sha256_hex;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use std::fmt;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// Names a key without revealing it: eight digits of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(String);

impl KeyId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A key. The cipher erases it from memory when it is dropped.
pub(super) struct Key {
    pub(super) id: KeyId,
    cipher: XChaCha20Poly1305,
}

impl Key {
    /// The line of a new key: 32 random bytes in base64url.
    ///
    /// # Panics
    /// If the operating system has no random bytes: there is no safe alternative.
    pub(super) fn generate_line() -> String {
        URL_SAFE_NO_PAD.encode(random::<KEY_BYTES>())
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        let bytes: [u8; KEY_BYTES] = URL_SAFE_NO_PAD.decode(line).ok()?.try_into().ok()?;
        let digest = sha256_hex(&[b"wallarm-console key\n", &bytes[..]].concat());
        Some(Self { id: KeyId(digest[..8].to_owned()), cipher: XChaCha20Poly1305::new(&bytes.into()) })
    }

    pub(super) fn seal(&self, location: &Location, text: &str) -> Sealed {
        let nonce = random::<NONCE_BYTES>();
        let payload = Payload { msg: text.as_bytes(), aad: &location.associated_data() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).expect("secrets are short texts");
        Sealed::new(self.id.as_str(), &URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// `None`: changed, or sealed for another location.
    pub(super) fn open(&self, location: &Location, sealed: &Sealed) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed.parts().1).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: &location.associated_data() };
        String::from_utf8(self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?).ok()
    }
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
    bytes
}
