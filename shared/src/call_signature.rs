//! Call signatures: `x-wallarm-signature: v1;<key id>;<unix ms>;<nonce>;<hmac>`.
//!
//! The HMAC-SHA256 covers protocol version, method, path and query, content type, time, nonce and
//! the digest of the body, so that calls cannot be changed. The receiver rejects repeated nonces.

use crate::ids::{hex, unhex};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::{fmt, time::Duration};

/// The header with the call signature.
pub const CALL_SIGNATURE_HEADER: &str = "x-wallarm-signature";
/// Maximum difference between the clocks of caller and receiver.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_mins(5);

/// The signed parts of a call.
#[derive(Debug, Clone, Copy)]
pub struct SignedCall<'a> {
    pub method: &'a str,
    pub path_and_query: &'a str,
    pub content_type: &'a str,
    pub body: &'a [u8],
}

/// A shared secret and its id.
#[derive(Clone)]
pub struct SigningKey {
    pub id: String,
    secret: Vec<u8>,
}

/// A signature of a known key and a valid time. Checked before the body of a call is read.
#[derive(Debug)]
pub struct Claim<'k> {
    key: &'k SigningKey,
    unix_ms: u64,
    nonce: [u8; 16],
    tag: Vec<u8>,
}

/// A valid signature. The receiver must reject a repeated `nonce`.
#[derive(Debug, PartialEq, Eq)]
pub struct VerifiedCall {
    pub nonce: [u8; 16],
    /// When it was signed.
    pub unix_ms: u64,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallSignatureError {
    #[error("the signature is not of the form v1;<key id>;<unix ms>;<nonce>;<hmac>")]
    Malformed,
    #[error("the signature names the unknown key {0:?}")]
    UnknownKey(String),
    #[error(
        "the signature's time differs by {} s from the receiver's clock, the limit is {} s; synchronize the clocks",
        .0.as_secs(),
        MAX_CLOCK_SKEW.as_secs()
    )]
    Expired(Duration),
    #[error("the signature does not match the call")]
    Mismatch,
}

/// Shows the id, never the secret.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SigningKey {
    pub fn new(id: impl Into<String>, secret: impl Into<Vec<u8>>) -> Self {
        Self { id: id.into(), secret: secret.into() }
    }

    /// The header value for a call. Each attempt needs a new time and nonce.
    pub fn sign(&self, call: SignedCall<'_>, unix_ms: u64, nonce: [u8; 16]) -> String {
        let nonce = hex(&nonce);
        let tag = hex(&self.mac(call, unix_ms, &nonce).finalize().into_bytes());
        format!("v1;{};{unix_ms};{nonce};{tag}", self.id)
    }

    /// Parses a header value: its form, its key, and its time.
    pub fn claim<'k>(
        keys: &'k [Self],
        header: &str,
        now_unix_ms: u64,
    ) -> Result<Claim<'k>, CallSignatureError> {
        let fields: Vec<&str> = header.split(';').collect();
        let ["v1", key_id, ms, nonce, tag] = fields[..] else { return Err(CallSignatureError::Malformed) };
        // In one spelling only: `+1` and `01` are numbers, too.
        let unix_ms = ms.parse().ok().filter(|unix_ms: &u64| unix_ms.to_string() == ms);
        let unix_ms = unix_ms.ok_or(CallSignatureError::Malformed)?;
        let tag = unhex(tag).ok_or(CallSignatureError::Malformed)?;
        let nonce = unhex(nonce).and_then(|bytes| bytes.try_into().ok());
        let nonce = nonce.ok_or(CallSignatureError::Malformed)?;
        let key = keys.iter().find(|key| key.id == key_id);
        let key = key.ok_or_else(|| CallSignatureError::UnknownKey(key_id.to_owned()))?;
        let skew = Duration::from_millis(now_unix_ms.abs_diff(unix_ms));
        if skew > MAX_CLOCK_SKEW {
            return Err(CallSignatureError::Expired(skew));
        }
        Ok(Claim { key, unix_ms, nonce, tag })
    }

    /// Verifies a header value against its call.
    pub fn verify(
        keys: &[Self],
        header: &str,
        call: SignedCall<'_>,
        now_unix_ms: u64,
    ) -> Result<VerifiedCall, CallSignatureError> {
        Self::claim(keys, header, now_unix_ms)?.verify(call)
    }

    fn mac(&self, call: SignedCall<'_>, unix_ms: u64, nonce: &str) -> Hmac<Sha256> {
        let SignedCall { method, path_and_query, content_type, body } = call;
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("HMAC accepts a key of any length");
        let digest = hex(&Sha256::digest(body));
        mac.update(
            format!("v1\n{method}\n{path_and_query}\n{content_type}\n{unix_ms}\n{nonce}\n{digest}")
                .as_bytes(),
        );
        mac
    }
}

impl Claim<'_> {
    /// Verifies the HMAC of the call, in constant time.
    pub fn verify(self, call: SignedCall<'_>) -> Result<VerifiedCall, CallSignatureError> {
        let Self { key, unix_ms, nonce, tag } = self;
        let mac = key.mac(call, unix_ms, &hex(&nonce));
        mac.verify_slice(&tag).map_err(|_| CallSignatureError::Mismatch)?;
        Ok(VerifiedCall { nonce, unix_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: SignedCall<'static> = SignedCall {
        method: "POST",
        path_and_query: crate::INSPECT_REQUEST_PATH,
        content_type: "application/msgpack",
        body: b"body",
    };

    fn key() -> SigningKey {
        SigningKey::new("edge-1", *b"a secret of the test")
    }

    #[test]
    fn signs_with_the_documented_hmac() {
        // printf 'v1\nPOST\n/v1/inspect/request\napplication/msgpack\n1767225600000\n%032x\n%s' 7 \
        //   "$(printf body | sha256sum | cut -d' ' -f1)" | openssl dgst -sha256 -hmac 'a secret of the test'
        let mut nonce = [0; 16];
        nonce[15] = 7;
        let header = key().sign(CALL, 1_767_225_600_000, nonce);
        assert_eq!(
            header,
            "v1;edge-1;1767225600000;00000000000000000000000000000007;039251d6cc2701dc66d511bfe9eccf3ed9db9fb773bc05907f405cec30e2b52d"
        );
    }

    #[test]
    fn verifies_only_the_signed_call() {
        let now = 1_767_225_600_000;
        let header = key().sign(CALL, now, [9; 16]);
        let check = |header: &str, call, now| SigningKey::verify(&[key()], header, call, now);
        assert_eq!(check(&header, CALL, now + 1_000), Ok(VerifiedCall { nonce: [9; 16], unix_ms: now }));
        let skew = Duration::from_millis(300_001);
        assert_eq!(check(&header, CALL, now + 300_001), Err(CallSignatureError::Expired(skew)));
        assert_eq!(check(&header, CALL, now - 300_001), Err(CallSignatureError::Expired(skew)));
        for call in [
            SignedCall { method: "PUT", ..CALL },
            SignedCall { path_and_query: "/v1/inspect/response", ..CALL },
            SignedCall { content_type: "application/json", ..CALL },
            SignedCall { body: b"bodz", ..CALL },
        ] {
            assert_eq!(check(&header, call, now), Err(CallSignatureError::Mismatch), "{call:?}");
        }
        assert_eq!(
            check(&header.replace("edge-1", "edge-2"), CALL, now),
            Err(CallSignatureError::UnknownKey("edge-2".to_owned()))
        );
        for malformed in [
            "",
            "v1",
            "v2;edge-1;1;00;00",
            &header[..header.len() - 1],
            &format!("{header};x"),
            &header.replace(";1767", ";01767"),
            &header.replace(";1767", ";+1767"),
        ] {
            assert_eq!(check(malformed, CALL, now), Err(CallSignatureError::Malformed), "{malformed}");
        }
    }
}
