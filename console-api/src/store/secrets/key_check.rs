//! The key check: a text sealed with the current key, which detects a wrong key file.

use crate::{
    sealing::{KeyFile, Keys, Location, Sealed},
    store::{
        Connection, StoreError, UnlockError,
        sql::{
            row::{ReadRow, Row},
            statement::{Source, Statement},
        },
    },
};
use sqlx::AnyPool;

/// Sealed to be opened.
const TEXT: &str = "wallarm-console";

pub(super) struct KeyCheck {
    sealed: Sealed,
    /// Whether no page contains the bytes of a secret in plain text.
    pub(super) is_clean: bool,
}

impl ReadRow for KeyCheck {
    const TABLE: &'static str = "secret_key";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { sealed: row.sealed("key_check")?, is_clean: row.get::<String>("is_clean")? == "yes" })
    }
}

impl KeyCheck {
    fn location() -> Location {
        Location::new(Self::TABLE, "key_check", &1)
    }

    /// `None`: no start of this version yet.
    pub(super) async fn read(from: impl Source) -> Result<Option<Self>, StoreError> {
        Statement::new("select one, key_check, is_clean from secret_key").fetch_optional(from).await
    }

    pub(super) fn key(&self) -> &str {
        self.sealed.key()
    }

    /// The keys of the file, which include that of the database.
    pub(super) fn verified(&self, file: &KeyFile) -> Result<Keys, UnlockError> {
        let (path, key) = (file.path().to_owned(), self.key().to_owned());
        let Some(keys) = file.load()? else { return Err(UnlockError::NoKeyFile { file: path, key }) };
        if !keys.has(&key) {
            return Err(UnlockError::WrongKey { file: path, key });
        }
        keys.open(&Self::location(), &self.sealed).map_err(StoreError::from)?;
        Ok(keys)
    }

    pub(super) async fn write(
        connection: &mut Connection,
        keys: &Keys,
        is_clean: bool,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "insert into secret_key (one, key_check, is_clean) values (1, $1, $2) \
             on conflict (one) do update set key_check = $1, is_clean = $2",
        )
        .bind(keys.seal(&Self::location(), TEXT).as_str().to_owned())
        .bind(if is_clean { "yes" } else { "no" })
        .execute(connection)
        .await?;
        Ok(())
    }

    pub(super) async fn set_clean(writer: &AnyPool) -> Result<(), sqlx::Error> {
        sqlx::query("update secret_key set is_clean = 'yes'").execute(writer).await?;
        Ok(())
    }
}
