//! Administrators: users with a password, and tokens without an end. One of them stays, and no caller removes the
//! credential of the call.

use crate::store::change::{Change, ChangeError};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

const OTHERS: [&str; 2] = [
    // The role of other users is that of the provider, which can take it away.
    "select id from users where role = 'admin' and issuer is null and id <> $1",
    "select id from tokens where role = 'admin' and expires_at is null and id <> $1",
];

impl Change<'_> {
    /// Checks that the credential can be removed.
    pub(crate) async fn may_remove(&mut self, id: Uuid) -> Result<(), ChangeError> {
        if self.author().id == Some(id) {
            return Err(ChangeError::OwnCredential);
        }
        self.leaves_administrator(id).await
    }

    /// Checks that there is an administrator besides this one. Locks the others, so that two
    /// administrators cannot remove each other at the same time.
    pub(crate) async fn leaves_administrator(&mut self, id: Uuid) -> Result<(), ChangeError> {
        let lock = self.lock_row();
        for others in OTHERS {
            let others = sqlx::query(AssertSqlSafe(format!("{others}{lock}"))).bind(id.to_string());
            if !others.fetch_all(self.connection()).await?.is_empty() {
                return Ok(());
            }
        }
        Err(ChangeError::LastAdministrator)
    }
}
