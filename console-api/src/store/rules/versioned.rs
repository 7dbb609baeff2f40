//! Changes of rules and list entries: each creates a version of the ruleset.

use crate::{
    audit::{AuditEvent, Author},
    ruleset::Difference,
    store::{
        Connection, Store, StoreError,
        change::{self, Change, ChangeError, Stored},
        sql::{bulk::Query, statement::Statement},
    },
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

/// A part of the ruleset. The audit log contains its earlier states.
pub(crate) trait Versioned: Stored + DeserializeOwned {
    fn set_revision(&mut self, revision: u32, at: Timestamp);

    /// Inserts the object, or replaces the one of this id.
    fn upsert(&self) -> Query;
}

impl Store {
    pub(crate) async fn add_versioned<T: Versioned>(
        &self,
        object: T,
        author: &Author,
    ) -> Result<T, ChangeError> {
        let (change, _) = self.begin_version(author).await?;
        let insert = object.upsert();
        change.add(object, insert).await
    }

    /// Replaces an object that still has this revision; `after` makes the new one from it.
    pub(crate) async fn replace_versioned<T: Versioned>(
        &self,
        known: (Uuid, u32),
        after: impl FnOnce(&T) -> T,
        author: &Author,
    ) -> Result<T, ChangeError> {
        let (mut change, _) = self.begin_version(author).await?;
        let before: T = change.current(known).await?;
        let mut after = after(&before);
        after.set_revision(before.revision() + 1, author.at);
        let update = after.upsert();
        change.replace(&before, after, update).await
    }

    /// Deletes an object that still has this revision.
    pub(crate) async fn delete_versioned<T: Versioned>(
        &self,
        known: (Uuid, u32),
        author: &Author,
    ) -> Result<(), ChangeError> {
        let (mut change, _) = self.begin_version(author).await?;
        let object: T = change.current(known).await?;
        change.delete(&object).await
    }

    /// Begins a change that creates the next version of the ruleset, and returns this version.
    /// Concurrent ones wait.
    pub(crate) async fn begin_version<'a>(
        &self,
        author: &'a Author,
    ) -> Result<(Change<'a>, i64), StoreError> {
        let mut change = self.begin_change(author).await?;
        let version = next_version(&mut change).await?;
        Ok((change, version))
    }
}

/// Makes a change create the next version of the ruleset, and returns this version.
pub(crate) async fn next_version(change: &mut Change<'_>) -> Result<i64, StoreError> {
    let version = sqlx::query_scalar(
        "insert into ruleset (one, version, id) values (1, 1, $1) \
         on conflict (one) do update set version = ruleset.version + 1, id = excluded.id returning version",
    )
    .bind(Uuid::new_v4().to_string())
    .fetch_one(change.connection())
    .await?;
    change.part.version = Some(version);
    Ok(version)
}

/// Makes changes of the ruleset by others wait for this one, which may create no version: one without
/// an audit line would break the history.
pub(crate) async fn lock_version(change: &mut Change<'_>) -> Result<(), StoreError> {
    let mut statement = Statement::new("select version from ruleset where one = 1");
    statement.push(change.lock_row());
    statement.fetch_rows(change.connection()).await?;
    Ok(())
}

/// All objects, the oldest first.
pub(crate) async fn all<T: Versioned>(connection: &mut Connection) -> Result<Vec<T>, StoreError> {
    let mut statement = Statement::new(T::SELECT);
    statement.push(" order by created_at, id");
    statement.fetch_all(connection).await
}

/// Restores the earlier state of an object as a new revision.
pub(crate) async fn put_back<T: Versioned>(
    change: &mut Change<'_>,
    Difference { object, before, after, revision, .. }: Difference,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some(before) = before else {
        let id = object.parse().map_err(|_| StoreError::bad_row("audit", &object, "object"))?;
        change::delete::<T>(change.connection(), id).await?;
        return change.record(AuditEvent::deleted(T::KIND, &object, &after)).await;
    };
    let mut restored: T = logged(&object, before)?;
    restored.set_revision(revision + 1, at);
    restored.upsert().execute(change.connection()).await?;
    let event = match after {
        Some(after) => AuditEvent::changed(T::KIND, &object, &after, &restored),
        None => AuditEvent::created(T::KIND, &object, &restored),
    };
    change.record(event).await
}

/// An object from its JSON in the log.
pub(crate) fn logged<T: DeserializeOwned>(object: &str, value: Value) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|_| StoreError::bad_row("audit", object, "before"))
}
