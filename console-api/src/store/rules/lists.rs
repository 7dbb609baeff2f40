//! IP list entries.

use crate::store::{
    Store, StoreError,
    change::Stored,
    rules::versioned::Versioned,
    sql::{
        bulk::Query,
        statement::Statement,
        text_codec::{Columns, Text, json, word},
    },
};
use crate::{
    audit::Kind,
    paging::{Page, Slice},
    ruleset::StoredEntry,
};
use jiff::Timestamp;
use shared::ruleset::{List, ListEntry};
use sqlx::FromRow;
use uuid::Uuid;

#[derive(FromRow)]
pub(crate) struct Row {
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
            revision: columns.number("revision", row.revision)?,
            created_at: columns.time("created_at", row.created_at)?,
        })
    }
}

impl Stored for StoredEntry {
    type Row = Row;

    const KIND: Kind = Kind::IpListEntry;
    const NAMES: (&'static str, &'static str) = ("entry", "entries");
    const TABLE: &'static str = "list_entries";
    const MAX: i64 = 200_000;
    const SELECT: &'static str =
        "select id, revision, list, source, applications, expires_at, reason, created_at from list_entries";

    fn id(&self) -> Uuid {
        self.entry.id
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    /// Expired entries do not count toward the limit.
    fn count(now: Timestamp) -> Statement {
        let mut statement =
            Statement::new("select count(*) from list_entries where expires_at is null or expires_at > ");
        statement.bind(now.as_millisecond());
        statement
    }
}

impl Versioned for StoredEntry {
    fn set_revision(&mut self, revision: u32, _at: Timestamp) {
        self.revision = revision;
    }

    fn upsert(&self) -> Query {
        let entry = &self.entry;
        sqlx::query(
            "insert into list_entries (id, revision, list, source, applications, expires_at, reason, created_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do update set revision = excluded.revision, \
             list = excluded.list, source = excluded.source, applications = excluded.applications, \
             expires_at = excluded.expires_at, reason = excluded.reason, created_at = excluded.created_at",
        )
        .bind(entry.id.to_string())
        .bind(i64::from(self.revision))
        .bind(word(&entry.list))
        .bind(json(&entry.source))
        .bind(json(&entry.applications))
        .bind(entry.expires_at.map(Timestamp::as_millisecond))
        .bind(Text::from(entry.reason.as_str()))
        .bind(self.created_at.as_millisecond())
    }
}

impl Store {
    /// The entries of one list or of all, including expired ones, the newest first.
    pub async fn entries(&self, list: Option<List>, slice: &Slice) -> Result<Page<StoredEntry>, StoreError> {
        let mut statement = Statement::new(StoredEntry::SELECT);
        statement.push(" where ");
        if let Some(list) = &list {
            statement.push("list = ").bind(word(list)).push(" and ");
        }
        statement.push_newest(slice);
        statement.fetch_page::<Row, _>(&self.reader, slice).await
    }
}
