//! Secrets the console hands out: access tokens and session ids.

use crate::digest::sha256_hex;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

/// A secret that proves who calls. It is shown once, where it is made; `Debug` keeps it to itself.
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
    /// Own tokens are longer; one that is brought along must not be guessable either.
    const MIN_CHARS: usize = 20;

    /// A new secret of 32 random bytes.
    ///
    /// # Panics
    /// When the operating system gives none: there is no safe way on.
    pub fn generate() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        Self(format!("{}{}", Self::PREFIX, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A token somebody chose, e.g. in a token file.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        if text.len() < Self::MIN_CHARS {
            Err(InvalidToken::TooShort)
        } else if text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidToken::NotPrintable)
        }
    }

    /// What a caller sent, whatever it is: it is looked up, not judged.
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// SHA-256 as hex. Enough for secrets of 256 random bits: there is nothing to guess.
    pub fn digest(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    /// The secret itself, for its owner.
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
    fn a_weak_token_is_refused() {
        assert_eq!(Token::parse("admin"), Err(InvalidToken::TooShort));
        assert_eq!(Token::parse("a token with some spaces"), Err(InvalidToken::NotPrintable));
    }
}
