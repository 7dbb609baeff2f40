//! The keys of the database's secrets: a start verifies the key file, and encrypts what an older
//! version stored in plain text; `rotate-key` encrypts all secrets with a new key.
//!
//! Each is one transaction under a lock, so a kill in the middle changes nothing.

mod key_check;
mod outdated;

use crate::{
    sealing::{KeyFile, KeyFileError, KeyId, Keyring, Keys},
    store::{Database, OpenError, Store, StoreError},
};
use key_check::KeyCheck;
use outdated::Outdated;
use sqlx::{Any, Row as _, Transaction};
use std::path::PathBuf;

/// Why the secrets of a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error(
        "the key file {} does not exist, but key {key} encrypts the secrets in the database; restore the file from its \
         copy, or see `rotate-key --lost-key`",
        file.display()
    )]
    NoKeyFile { file: PathBuf, key: String },
    #[error(
        "the key file {} does not contain key {key}, which encrypts the secrets in the database; use the key file of the \
         console that created the database, or see `rotate-key --lost-key`",
        file.display()
    )]
    WrongKey { file: PathBuf, key: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for UnlockError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Store(cause.into())
    }
}

/// The result of a rotation.
#[derive(Debug)]
pub struct Rotation {
    pub current: KeyId,
    /// Keys that only decrypt.
    pub old: Vec<KeyId>,
    /// Secrets that were encrypted.
    pub encrypted: usize,
    /// Secrets whose key is lost.
    pub unreadable: usize,
}

/// What to do with the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    Use,
    Rotate,
    ReplaceLost,
}

impl Intent {
    fn keys(self, file: &KeyFile, check: Option<&KeyCheck>) -> Result<Keys, UnlockError> {
        let Some(check) = check else { return Ok(file.load_or_create()?) };
        if self == Self::ReplaceLost {
            return Ok(file.load_or_create()?);
        }
        let keys = check.verified(file)?;
        // Another current key in the file: a rotation was interrupted, or begun by hand.
        let is_finished = keys.current().as_str() == check.key();
        if self == Self::Rotate && is_finished { Ok(file.add_key()?) } else { Ok(keys) }
    }
}

impl Database {
    /// Verifies the key file, which the first start creates, and encrypts secrets in plain text.
    pub async fn unlock(self, file: &KeyFile) -> Result<Store, UnlockError> {
        let keys = match self.ready_keys(file).await? {
            Some(keys) => keys,
            None => self.encrypt(file, Intent::Use).await?.0,
        };
        if file.is_public() {
            tracing::warn!(file = %file.path().display(), "every user can read the key file; run chmod 600");
        }
        let keys = Keyring::new(file.clone(), keys);
        let Self { writer, reader, searcher, dialect } = self;
        Ok(Store { writer, reader, searcher, dialect, keys })
    }

    /// Fails if the file lacks the key of this database.
    pub async fn verify(&self, file: &KeyFile) -> Result<(), UnlockError> {
        let check = KeyCheck::read(&self.reader).await?;
        check.map_or(Ok(()), |check| check.verified(file).map(drop))
    }

    /// Adds a new key to the file and encrypts all secrets with it, or finishes an interrupted
    /// rotation. A running console follows.
    pub async fn rotate_key(&self, file: &KeyFile) -> Result<Rotation, UnlockError> {
        Ok(self.encrypt(file, Intent::Rotate).await?.1)
    }

    /// Accepts another key file. Secrets of the lost key stay, unreadable, until they are deleted.
    pub async fn replace_lost_key(&self, file: &KeyFile) -> Result<Rotation, UnlockError> {
        Ok(self.encrypt(file, Intent::ReplaceLost).await?.1)
    }

    /// The keys, if there is nothing to encrypt. Takes no write lock, which a running server may
    /// hold.
    async fn ready_keys(&self, file: &KeyFile) -> Result<Option<Keys>, UnlockError> {
        let Some(check) = KeyCheck::read(&self.reader).await? else { return Ok(None) };
        let keys = check.verified(file)?;
        let mut connection = self.reader.acquire().await?;
        let is_ready = check.is_clean
            && check.key() == keys.current().as_str()
            && outdated::find(&mut connection, &keys).await?.0.is_empty();
        Ok(is_ready.then_some(keys))
    }

    async fn encrypt(&self, file: &KeyFile, intent: Intent) -> Result<(Keys, Rotation), UnlockError> {
        let mut transaction: Transaction<'_, Any> = self.begin_write().await?;
        if let Some(lock) = self.dialect.lock_keys() {
            sqlx::query(lock).execute(&mut *transaction).await?;
        }
        let check = KeyCheck::read(&mut *transaction).await?;
        let keys = intent.keys(file, check.as_ref())?;
        let (outdated, unreadable) = outdated::find(&mut transaction, &keys).await?;
        let was_clean = match &check {
            Some(check) => check.is_clean,
            None => !outdated::has_history(&mut transaction).await?,
        };
        let is_clean = was_clean && !outdated.iter().any(Outdated::was_plain);
        for secret in &outdated {
            secret.update(&mut transaction).await?;
        }
        KeyCheck::write(&mut transaction, &keys, is_clean).await?;
        transaction.commit().await?;
        if !outdated.is_empty() {
            tracing::info!(secrets = outdated.len(), key = %keys.current(), "encrypted secrets in the database");
        }
        if !is_clean && let Err(error) = self.erase_plain_text().await {
            tracing::warn!(%error, "bytes of replaced plain text may remain; the next start tries to erase them again");
        }
        let (current, old) = (keys.current().clone(), keys.old().cloned().collect());
        Ok((keys, Rotation { current, old, encrypted: outdated.len(), unreadable }))
    }

    async fn erase_plain_text(&self) -> Result<(), sqlx::Error> {
        tracing::info!("erasing the bytes of secrets that were stored in plain text");
        for statement in self.dialect.erase_replaced() {
            let rows = sqlx::query(*statement).fetch_all(&self.writer).await?;
            if rows.iter().any(|row| row.try_get::<i64, _>(0).is_ok_and(|busy| busy != 0)) {
                return Err(sqlx::Error::Protocol("another process uses the database".to_owned()));
            }
        }
        KeyCheck::set_clean(&self.writer).await
    }
}
