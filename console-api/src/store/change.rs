//! Changes of stored objects: one transaction with the check of the revision, the change and its
//! audit line.

use crate::{
    audit::{AuditEvent, Author, ObjectKind},
    paging::{Listed, Page, Slice},
    store::{
        Connection, Store, StoreError,
        audit::{self, PartOf},
        sql::{
            bulk::{Query, among},
            dialect::Dialect,
            row::ReadRow,
            statement::Statement,
        },
    },
};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Any, AssertSqlSafe, Transaction};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("there is no {object} {id}")]
    Unknown { object: &'static str, id: String },
    #[error("revision conflict: the current revision is {0}")]
    Stale(u32),
    #[error("the limit of {limit} {objects} is reached; delete some first")]
    Full { limit: i64, objects: &'static str },
    #[error("there is another {object} named {name}")]
    NameTaken { object: &'static str, name: String },
    #[error(
        "this is the last administrator; add another user or a token without an end, of role admin, first"
    )]
    LastAdministrator,
    #[error("you are signed in with this user or token; sign in with another one to remove it")]
    OwnCredential,
    #[error("an administrator removed this user")]
    RemovedIdentity,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChangeError {
    pub(crate) fn unknown(object: &'static str, id: &impl ToString) -> Self {
        Self::Unknown { object, id: id.to_string() }
    }
}

impl From<sqlx::Error> for ChangeError {
    fn from(cause: sqlx::Error) -> Self {
        Self::Store(cause.into())
    }
}

/// A limit of some of the objects in a table.
pub(crate) struct SortLimit {
    pub(crate) limit: i64,
    /// The name of these objects.
    pub(crate) objects: &'static str,
    /// Counts them.
    pub(crate) count: &'static str,
}

/// An object that users change, stored as a row of a table.
pub(crate) trait Stored: ReadRow + Listed + Serialize {
    const KIND: ObjectKind;
    /// The names of one and of several objects in errors.
    const NAMES: (&'static str, &'static str);
    /// The maximum number of objects, if limited.
    const MAX: Option<i64> = None;
    /// The query without conditions.
    const SELECT: &'static str;

    /// The limit of objects of this sort, if there is one besides `MAX`.
    fn limit_of_sort(&self) -> Option<SortLimit> {
        None
    }

    fn id(&self) -> Uuid;

    /// The name that no other object may have; default: the id.
    fn unique_name(&self) -> String {
        self.id().to_string()
    }

    /// Incremented by each change; constant for objects that are only added and deleted.
    fn revision(&self) -> u32 {
        1
    }

    /// Counts the objects that count toward the limit.
    fn count(_now: Timestamp) -> Statement {
        let mut statement = Statement::new("select count(*) from ");
        statement.push(Self::TABLE);
        statement
    }
}

fn by_id<T: Stored>(id: Uuid) -> Statement {
    let mut statement = Statement::new(T::SELECT);
    statement.push(" where id = ").bind(id.to_string());
    statement
}

impl Store {
    /// The newest first.
    pub(crate) async fn list<T: Stored>(&self, slice: &Slice) -> Result<Page<T>, StoreError> {
        let mut statement = Statement::new(T::SELECT);
        statement.push(" where ").push_newest(slice);
        statement.fetch_page(&self.reader, slice).await
    }

    pub(crate) async fn find<T: Stored>(&self, id: Uuid) -> Result<Option<T>, StoreError> {
        by_id::<T>(id).fetch_optional(&self.reader).await
    }

    /// The ids among these whose objects exist.
    pub async fn existing(&self, kind: ObjectKind, ids: &[String]) -> Result<BTreeSet<String>, StoreError> {
        let query = match kind {
            ObjectKind::Rule => "select id from rules where id",
            ObjectKind::IpListEntry => "select id from list_entries where id",
            ObjectKind::Attack => {
                "select x.id from (select id from attacks union all select old_id from attack_redirects) x where x.id"
            }
            ObjectKind::User => "select id from users where id",
            ObjectKind::View => "select id from views where id",
            ObjectKind::Webhook => "select id from webhooks where id",
            _ => return Ok(BTreeSet::new()),
        };
        let rows: Vec<(String,)> = among(self.dialect, query, ids).fetch_all(&self.reader).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    pub(crate) async fn begin_change<'a>(&self, author: &'a Author) -> Result<Change<'a>, StoreError> {
        let transaction = self.begin_write().await?;
        Ok(Change { transaction, dialect: self.dialect, author, part: PartOf::default() })
    }
}

/// A change in progress.
pub(crate) struct Change<'a> {
    transaction: Transaction<'static, Any>,
    dialect: Dialect,
    author: &'a Author,
    pub(crate) part: PartOf,
}

impl Change<'_> {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.transaction
    }

    pub(crate) fn author(&self) -> &Author {
        self.author
    }

    /// Completes the query of rows that concurrent changes wait for.
    pub(crate) fn lock_row(&self) -> &'static str {
        self.dialect.lock_row()
    }

    /// An object, locked for this change.
    pub(crate) async fn find<T: Stored>(&mut self, id: Uuid) -> Result<T, ChangeError> {
        let mut statement = by_id::<T>(id);
        statement.push(self.dialect.lock_row());
        statement
            .fetch_optional(self.connection())
            .await?
            .ok_or_else(|| ChangeError::unknown(T::NAMES.0, &id))
    }

    /// The same, if the object still has this revision.
    pub(crate) async fn current<T: Stored>(&mut self, (id, revision): (Uuid, u32)) -> Result<T, ChangeError> {
        let object: T = self.find(id).await?;
        if object.revision() == revision { Ok(object) } else { Err(ChangeError::Stale(object.revision())) }
    }

    /// Checks that there is room for further objects.
    pub(crate) async fn check_room<T: Stored>(&mut self, added: usize) -> Result<(), ChangeError> {
        let Some(limit) = T::MAX else { return Ok(()) };
        let (existing,): (i64,) = T::count(self.author.at).fetch_tuple(self.connection()).await?;
        let fits = i64::try_from(added).is_ok_and(|added| existing.saturating_add(added) <= limit);
        if fits { Ok(()) } else { Err(ChangeError::Full { limit, objects: T::NAMES.1 }) }
    }

    /// The same for an object of its sort.
    pub(crate) async fn check_room_of_sort<T: Stored>(&mut self, object: &T) -> Result<(), ChangeError> {
        let Some(SortLimit { limit, objects, count }) = object.limit_of_sort() else { return Ok(()) };
        let (existing,): (i64,) = Statement::new(count).fetch_tuple(self.connection()).await?;
        if existing < limit { Ok(()) } else { Err(ChangeError::Full { limit, objects }) }
    }

    pub(crate) async fn add<T: Stored>(mut self, object: T, insert: Query) -> Result<T, ChangeError> {
        self.check_room::<T>(1).await?;
        self.check_room_of_sort(&object).await?;
        self.write(&object, insert).await?;
        self.finish(AuditEvent::created(T::KIND, &object.id(), &object)).await?;
        Ok(object)
    }

    pub(crate) async fn replace<T: Stored>(
        mut self,
        before: &T,
        after: T,
        update: Query,
    ) -> Result<T, ChangeError> {
        if before.limit_of_sort().is_none() {
            self.check_room_of_sort(&after).await?;
        }
        self.write(&after, update).await?;
        self.finish(AuditEvent::changed(T::KIND, &after.id(), before, &after)).await?;
        Ok(after)
    }

    pub(crate) async fn delete<T: Stored>(mut self, object: &T) -> Result<(), ChangeError> {
        self.remove(object).await?;
        Ok(self.commit().await?)
    }

    /// Deletes an object as a part of the change.
    pub(crate) async fn remove<T: Stored>(&mut self, object: &T) -> Result<(), StoreError> {
        delete::<T>(self.connection(), object.id()).await?;
        self.record(AuditEvent::deleted(T::KIND, &object.id(), object)).await
    }

    /// Writes the row of an object. Only a unique name can prevent it.
    async fn write<T: Stored>(&mut self, object: &T, query: Query) -> Result<(), ChangeError> {
        let written = query.execute(self.connection()).await?.rows_affected();
        let taken = || ChangeError::NameTaken { object: T::NAMES.0, name: object.unique_name() };
        if written == 0 { Err(taken()) } else { Ok(()) }
    }

    /// Records a part of the change.
    pub(crate) async fn record(&mut self, event: AuditEvent) -> Result<(), StoreError> {
        audit::record(&mut self.transaction, self.author, &event, self.part).await
    }

    /// Records the change, and commits it.
    pub(crate) async fn finish(mut self, event: AuditEvent) -> Result<(), StoreError> {
        self.record(event).await?;
        self.commit().await
    }

    /// Commits the recorded parts of the change.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.transaction.commit().await?)
    }
}

pub(crate) async fn delete<T: Stored>(connection: &mut Connection, id: Uuid) -> Result<(), StoreError> {
    let statement = format!("delete from {} where id = $1", T::TABLE);
    sqlx::query(AssertSqlSafe(statement)).bind(id.to_string()).execute(connection).await?;
    Ok(())
}
