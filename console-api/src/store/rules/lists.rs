//! IP list entries.

use crate::store::{
    Connection, Store, StoreError,
    access::audit,
    rules::{
        rulesets::logged,
        {Change, changed},
    },
    sql::{
        statement::Statement,
        text_codec::{Columns, Text, json, word},
    },
};
use crate::{
    audit::{Author, Deed, Kind},
    paging::{Page, Slice},
    ruleset::{Difference, StoredEntry},
};
use jiff::Timestamp;
use shared::ruleset::{List, ListEntry};
use sqlx::FromRow;
use uuid::Uuid;

/// The maximum number of entries that a ruleset can contain.
const MAX_ENTRIES: i64 = 200_000;

#[derive(FromRow)]
struct Row {
    id: String,
    revision: i64,
    list: String,
    source: String,
    applications: String,
    expires_at: Option<i64>,
    reason: Text,
    created_at: i64,
}

impl TryFrom<Row> for StoredEntry {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "list_entries", id: &row.id };
        let entry = ListEntry {
            id: columns.parse("id", &row.id)?,
            list: columns.word("list", &row.list)?,
            source: columns.json("source", &row.source)?,
            applications: columns.json("applications", &row.applications)?,
            expires_at: row.expires_at.map(|end| columns.time("expires_at", end)).transpose()?,
            reason: row.reason.into(),
        };
        Ok(Self {
            entry,
            revision: u32::try_from(row.revision).map_err(|_| columns.bad("revision"))?,
            created_at: columns.time("created_at", row.created_at)?,
        })
    }
}

impl Store {
    /// The entries of one list or of all, including expired ones, the newest first.
    pub async fn entries(&self, list: Option<List>, slice: &Slice) -> Result<Page<StoredEntry>, StoreError> {
        let mut statement = Statement::new(
            "select id, revision, list, source, applications, expires_at, reason, created_at from list_entries where ",
        );
        if let Some(list) = &list {
            statement.push("list = ").bind(word(list)).push(" and ");
        }
        statement.push_newest(slice);
        statement.fetch_page::<Row, _>(&self.reader, slice).await
    }

    pub async fn entry(&self, id: Uuid) -> Result<Option<StoredEntry>, StoreError> {
        entry(&mut *self.reader.acquire().await?, id).await
    }

    /// Adds an entry. Expired ones do not count toward the limit.
    pub async fn add_entry(
        &self,
        entry: ListEntry,
        author: &Author,
    ) -> Result<Change<StoredEntry>, StoreError> {
        let mut change = self.writer.begin().await?;
        let version = changed(&mut change).await?;
        let (existing,): (i64,) =
            sqlx::query_as("select count(*) from list_entries where expires_at is null or expires_at > $1")
                .bind(author.at.as_millisecond())
                .fetch_one(&mut *change)
                .await?;
        if existing >= MAX_ENTRIES {
            return Ok(Change::Full(MAX_ENTRIES));
        }
        let entry = StoredEntry { entry, revision: 1, created_at: author.at };
        insert(&mut change, &entry).await?;
        audit::record(
            &mut change,
            author,
            &Deed::created(Kind::IpListEntry, &entry.entry.id, &entry).making(version),
        )
        .await?;
        change.commit().await?;
        Ok(Change::Made(entry))
    }

    /// Replaces an entry that still has this revision.
    pub async fn replace_entry(
        &self,
        revision: u32,
        entry: ListEntry,
        author: &Author,
    ) -> Result<Change<StoredEntry>, StoreError> {
        let mut change = self.writer.begin().await?;
        let version = changed(&mut change).await?;
        let before = match current(&mut change, entry.id, revision).await? {
            Ok(before) => before,
            Err(rejected) => return Ok(rejected),
        };
        let after = StoredEntry { entry, revision: revision + 1, created_at: before.created_at };
        delete(&mut change, before.entry.id).await?;
        insert(&mut change, &after).await?;
        let deed = Deed::changed(Kind::IpListEntry, &after.entry.id, &before, &after);
        audit::record(&mut change, author, &deed.making(version)).await?;
        change.commit().await?;
        Ok(Change::Made(after))
    }

    /// Deletes an entry that still has this revision.
    pub async fn delete_entry(
        &self,
        id: Uuid,
        revision: u32,
        author: &Author,
    ) -> Result<Change<StoredEntry>, StoreError> {
        let mut change = self.writer.begin().await?;
        let version = changed(&mut change).await?;
        let before = match current(&mut change, id, revision).await? {
            Ok(before) => before,
            Err(rejected) => return Ok(rejected),
        };
        delete(&mut change, id).await?;
        audit::record(&mut change, author, &Deed::deleted(Kind::IpListEntry, &id, &before).making(version))
            .await?;
        change.commit().await?;
        Ok(Change::Made(before))
    }
}

/// All entries, including expired ones, the oldest first.
pub(crate) async fn all(connection: &mut Connection) -> Result<Vec<StoredEntry>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "select id, revision, list, source, applications, expires_at, reason, created_at from list_entries \
         order by created_at, id",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(StoredEntry::try_from).collect()
}

/// Restores an earlier state of an entry as a new revision.
pub(crate) async fn put_back(
    connection: &mut Connection,
    Difference { object, before, after, revision, .. }: Difference,
    version: i64,
    author: &Author,
) -> Result<(), StoreError> {
    let id = Columns { table: "audit", id: &object }.parse("object", &object)?;
    delete(connection, id).await?;
    let deed = match before {
        None => Deed::deleted(Kind::IpListEntry, &object, &after),
        Some(before) => {
            let mut entry: StoredEntry = logged(&object, before)?;
            entry.revision = revision + 1;
            insert(connection, &entry).await?;
            Deed { before: after, ..Deed::created(Kind::IpListEntry, &object, &entry) }
        }
    };
    audit::record(connection, author, &deed.again().making(version)).await
}

/// The entry, if it still has this revision, else the result of the change.
async fn current(
    connection: &mut Connection,
    id: Uuid,
    revision: u32,
) -> Result<Result<StoredEntry, Change<StoredEntry>>, StoreError> {
    Ok(match entry(connection, id).await? {
        None => Err(Change::Unknown),
        Some(entry) if entry.revision == revision => Ok(entry),
        Some(entry) => Err(Change::Stale(entry.revision)),
    })
}

async fn entry(connection: &mut Connection, id: Uuid) -> Result<Option<StoredEntry>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "select id, revision, list, source, applications, expires_at, reason, created_at from list_entries where id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(StoredEntry::try_from).transpose()
}

async fn insert(connection: &mut Connection, stored: &StoredEntry) -> Result<(), StoreError> {
    let entry = &stored.entry;
    sqlx::query(
        "insert into list_entries (id, revision, list, source, applications, expires_at, reason, created_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(entry.id.to_string())
    .bind(i64::from(stored.revision))
    .bind(word(&entry.list))
    .bind(json(&entry.source))
    .bind(json(&entry.applications))
    .bind(entry.expires_at.map(Timestamp::as_millisecond))
    .bind(Text::from(entry.reason.as_str()))
    .bind(stored.created_at.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(connection: &mut Connection, id: Uuid) -> Result<(), StoreError> {
    sqlx::query("delete from list_entries where id = $1").bind(id.to_string()).execute(connection).await?;
    Ok(())
}
