//! Webhook secrets and signatures (Standard Webhooks).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;
use std::fmt;

/// The signing key of a webhook. Displayed once, when the webhook is created.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    const PREFIX: &str = "whsec_";

    /// A new key of 32 random bytes.
    ///
    /// # Panics
    /// If the operating system provides no randomness.
    pub fn generate() -> Self {
        let mut bytes = vec![0; 32];
        getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
        Self(bytes)
    }

    pub fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text.strip_prefix(Self::PREFIX)?).ok().map(Self)
    }

    pub fn reveal(&self) -> String {
        format!("{}{}", Self::PREFIX, STANDARD.encode(&self.0))
    }

    /// The value of `webhook-signature`.
    ///
    /// # Panics
    /// Never: HMAC accepts keys of any length.
    pub fn sign(&self, id: &str, at: Timestamp, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC accepts keys of any length");
        mac.update(format!("{id}.{}.{body}", at.as_second()).as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// The same with several secrets: a signature of each, with spaces between them.
    pub fn sign_with_each(secrets: &[&Self], id: &str, at: Timestamp, body: &str) -> String {
        let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(id, at, body)).collect();
        signatures.join(" ")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test vector of the specification's libraries.
    #[test]
    fn a_signature_matches_the_specification() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_round_trips_and_its_debug_output_is_redacted() {
        let secret = Secret::generate();
        assert_eq!(Secret::parse(&secret.reveal()), Some(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(Secret::parse("secret"), None);
    }
}
