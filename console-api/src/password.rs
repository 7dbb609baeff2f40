//! Passwords, and what is kept of them: Argon2id with 19 MiB, two passes and one lane, the least that OWASP's cheat sheet on
//! password storage asks for. That takes some 30 ms of a core, so it happens off the server's threads, two at a time.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _},
};
use serde::{Deserialize, Deserializer, de};
use std::fmt;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Bounds the memory, too.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// A password as it was typed. `Debug` keeps it to itself.
#[derive(Clone)]
pub struct Password(String);

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has 12 to 1000 characters")]
    Length,
    #[error("the password cannot be hashed")]
    Hash,
}

impl Password {
    /// A password that may be set.
    pub fn parse(text: String) -> Result<Self, PasswordError> {
        if (12..=1000).contains(&text.chars().count()) { Ok(Self(text)) } else { Err(PasswordError::Length) }
    }

    /// What somebody typed to sign in, whatever it is.
    pub fn presented(text: String) -> Self {
        Self(text)
    }

    /// What is kept: the hash with its salt and cost.
    pub async fn hash(self) -> Result<String, PasswordError> {
        off_the_threads(move || {
            Argon2::default().hash_password(self.0.as_bytes()).map(|hash| hash.to_string())
        })
        .await
        .and_then(Result::ok)
        .ok_or(PasswordError::Hash)
    }

    /// Whether it is the one of which this is kept. Takes as long when nothing is kept, so that nobody learns which users there
    /// are.
    pub async fn is(self, kept: Option<String>) -> bool {
        off_the_threads(move || match kept {
            Some(kept) => Argon2::default().verify_password(self.0.as_bytes(), kept.as_str()).is_ok(),
            None => Argon2::default().hash_password(self.0.as_bytes()).is_err(),
        })
        .await
        .unwrap_or(false)
    }
}

async fn off_the_threads<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let _place = AT_ONCE.acquire().await.ok()?;
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
    async fn a_password_is_known_by_its_hash_and_no_other_is() {
        let password = Password::parse("correct horse battery".to_owned()).unwrap();
        let kept = password.clone().hash().await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(password.clone().is(Some(kept.clone())).await);
        assert!(!Password::presented("correct horse batterz".to_owned()).is(Some(kept)).await);
        assert!(!password.clone().is(None).await);
        assert_eq!(format!("{password:?}"), "Password(…)");
    }

    #[test]
    fn a_short_password_is_refused() {
        assert!(Password::parse("elevenchars".to_owned()).is_err());
    }
}
