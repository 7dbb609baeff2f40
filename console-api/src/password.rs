//! Passwords and their hashes: Argon2id with 19 MiB, two passes and one lane, the minimum of
//! OWASP's Password Storage Cheat Sheet. A hash takes about 30 ms of a core.
//!
//! Two threads hash, and a queue bounds how many passwords wait.

mod hasher;

use serde::{Deserialize, Deserializer, de};
use std::fmt;
use zxcvbn::{Score, feedback::Feedback};

/// A password in plain text. `Debug` does not print it.
#[derive(Clone)]
pub struct Password(String);

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("a password must have 12 to 1000 characters")]
    Length,
    #[error("the password is too easy to guess: {0}")]
    Guessable(String),
    #[error("the password cannot be hashed")]
    Hash,
    #[error("too many passwords are being checked; retry in a second")]
    Busy,
}

impl Password {
    /// The characters that are examined: the time grows with them.
    const EXAMINED: usize = 100;

    /// A password of an accepted length that takes more than 10⁸ guesses.
    pub fn parse(text: String) -> Result<Self, PasswordError> {
        if !(12..=1000).contains(&text.chars().count()) {
            return Err(PasswordError::Length);
        }
        let examined: String = text.chars().take(Self::EXAMINED).collect();
        let strength = zxcvbn::zxcvbn(&examined, &["wallarm", "console", "cloudfront", "admin"]);
        if strength.score() < Score::Three {
            let warning = strength.feedback().and_then(Feedback::warning);
            let cause = warning
                .map_or_else(|| "use more words, or random characters".to_owned(), |it| it.to_string());
            return Err(PasswordError::Guessable(cause));
        }
        Ok(Self(text))
    }

    /// A password of a sign-in, not validated.
    pub fn presented(text: String) -> Self {
        Self(text)
    }

    /// The hash to store, with its salt and cost.
    pub async fn hash(self) -> Result<String, PasswordError> {
        hasher::run(move |hasher| hasher.hash(self.0.as_bytes())).await?.ok_or(PasswordError::Hash)
    }

    /// Whether the password matches the stored hash. Takes as long without a hash, so that the time
    /// does not reveal which users exist.
    pub async fn matches(self, stored: Option<String>) -> Result<bool, PasswordError> {
        hasher::run(move |hasher| match stored {
            Some(stored) => hasher.matches(self.0.as_bytes(), &stored).unwrap_or(false),
            None => hasher.hash(self.0.as_bytes()).is_none(),
        })
        .await
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?)
            .map_err(|error| de::Error::custom(format!("`password`: {error}")))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{
        hasher::{MAX_WAITING, THREADS},
        *,
    };

    #[tokio::test]
    async fn only_the_right_password_matches_its_hash() {
        let password = Password::parse("correct horse battery".to_owned()).unwrap();
        let stored = password.clone().hash().await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(password.clone().matches(Some(stored.clone())).await.unwrap());
        assert!(
            !Password::presented("correct horse batterz".to_owned()).matches(Some(stored)).await.unwrap()
        );
        assert!(!password.clone().matches(None).await.unwrap());
        assert_eq!(format!("{password:?}"), "Password(…)");
    }

    #[test]
    fn rejects_a_password_that_is_short_or_easy_to_guess() {
        let refused = |text: &str| Password::parse(text.to_owned()).unwrap_err().to_string();
        assert_eq!(refused("elevenchars"), "a password must have 12 to 1000 characters");
        for text in ["password1234", "aaaaaaaaaaaaaaaa", "wallarmconsole", "qwertyuiop123456"] {
            assert!(refused(text).starts_with("the password is too easy to guess: "), "{text}");
        }
        for text in ["correct horse battery", "Xk7#pQ2!vLz9"] {
            assert!(Password::parse(text.to_owned()).is_ok(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_flood_of_passwords_is_refused_and_uses_bounded_memory() {
        let flood = (0..200).map(|_| Password::presented("wrong".to_owned()).matches(None));
        let results = futures_util::future::join_all(flood).await;
        assert!(results.iter().any(Result::is_ok));
        let busy = results.iter().filter(|result| matches!(result, Err(PasswordError::Busy))).count();
        assert!(busy >= 200 - MAX_WAITING - 2 * THREADS - 20, "{busy} refused");
    }
}
