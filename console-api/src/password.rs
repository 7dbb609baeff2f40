//! Passwords and their hashes: Argon2id with 19 MiB, two passes and one lane, the minimum of
//! OWASP's Password Storage Cheat Sheet. A hash takes about 30 ms of a core, so it runs on blocking
//! threads, two at a time.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _},
};
use serde::{Deserialize, Deserializer, de};
use std::fmt;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Also bounds the memory.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A password in plain text. `Debug` does not print it.
#[derive(Clone)]
pub struct Password(String);

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("a password must have 12 to 1000 characters")]
    Length,
    #[error("the password cannot be hashed")]
    Hash,
}

impl Password {
    /// A password of an accepted length.
    pub fn parse(text: String) -> Result<Self, PasswordError> {
        if (12..=1000).contains(&text.chars().count()) { Ok(Self(text)) } else { Err(PasswordError::Length) }
    }

    /// A password of a sign-in, not validated.
    pub fn presented(text: String) -> Self {
        Self(text)
    }

    /// The hash to store, with its salt and cost.
    pub async fn hash(self) -> Result<String, PasswordError> {
        on_blocking_thread(move || {
            Argon2::default().hash_password(self.0.as_bytes()).map(|hash| hash.to_string())
        })
        .await
        .and_then(Result::ok)
        .ok_or(PasswordError::Hash)
    }

    /// Whether the password matches the stored hash. Takes as long without a hash, so that the time
    /// does not reveal which users exist.
    pub async fn matches(self, stored: Option<String>) -> bool {
        on_blocking_thread(move || match stored {
            Some(stored) => Argon2::default().verify_password(self.0.as_bytes(), stored.as_str()).is_ok(),
            None => Argon2::default().hash_password(self.0.as_bytes()).is_err(),
        })
        .await
        .unwrap_or(false)
    }
}

async fn on_blocking_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _permit = AT_ONCE.acquire().await.ok()?;
    spawn_blocking(work).await.ok()
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
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches_its_hash() {
        let password = Password::parse("correct horse battery".to_owned()).unwrap();
        let stored = password.clone().hash().await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(password.clone().matches(Some(stored.clone())).await);
        assert!(!Password::presented("correct horse batterz".to_owned()).matches(Some(stored)).await);
        assert!(!password.clone().matches(None).await);
        assert_eq!(format!("{password:?}"), "Password(…)");
    }

    #[test]
    fn rejects_a_short_password() {
        assert!(Password::parse("elevenchars".to_owned()).is_err());
    }
}
