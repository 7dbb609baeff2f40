//! Secrets that the console issues: access tokens and session ids.

use crate::digest::sha256_hex;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

/// A secret that authenticates a caller. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    #[error("the token is shorter than {} characters", Token::MIN_CHARS)]
    TooShort,
    #[error("the token has characters other than letters, digits and punctuation")]
    NotPrintable,
}

impl Token {
    const PREFIX: &str = "wlc_";
    /// Generated tokens are longer; a configured one must not be guessable either.
    const MIN_CHARS: usize = 20;

    /// A new secret of 32 random bytes.
    ///
    /// # Panics
    /// If the operating system has no random bytes: there is no safe alternative.
    pub fn generate() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
        Self(format!("{}{}", Self::PREFIX, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A configured token, e.g. of a token file.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        if text.len() < Self::MIN_CHARS {
            Err(InvalidToken::TooShort)
        } else if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidToken::NotPrintable)
        }
    }

    /// A token as a caller sent it: it is looked up, not validated.
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// SHA-256 as hex. Sufficient for secrets of 256 random bits.
    pub fn digest(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// The secret.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_prefix_and_43_characters() {
        let token = Token::generate();
        assert_eq!(token.reveal().len(), 4 + 43);
        assert!(token.reveal().starts_with("wlc_"));
        assert_ne!(token, Token::generate());
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(token.digest().len(), 64);
    }

    #[test]
    fn rejects_a_weak_token() {
        assert_eq!(Token::parse("admin"), Err(InvalidToken::TooShort));
        assert_eq!(Token::parse("a token with some spaces, long enough"), Err(InvalidToken::NotPrintable));
    }
}
