//! IP list entries.

use crate::store::{
    Store, StoreError,
    change::Stored,
    rules::versioned::Versioned,
    sql::{
        bulk::Query,
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::{Text, json, word},
    },
};
use crate::{
    audit::ObjectKind,
    paging::{Page, Slice},
    ruleset::StoredEntry,
};
use jiff::Timestamp;
use shared::ruleset::{List, ListEntry};
use uuid::Uuid;

impl ReadRow for StoredEntry {
    const TABLE: &'static str = "list_entries";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let entry = ListEntry {
            id: row.parse("id")?,
            list: row.word("list")?,
            source: row.json("source")?,
            applications: row.json("applications")?,
            expires_at: row.optional("expires_at", Row::time)?,
            reason: row.text("reason")?,
        };
        Ok(Self { entry, revision: row.number("revision")?, created_at: row.time("created_at")? })
    }
}

impl Stored for StoredEntry {
    const KIND: ObjectKind = ObjectKind::IpListEntry;
    const NAMES: (&'static str, &'static str) = ("entry", "entries");
    const MAX: Option<i64> = Some(200_000);
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
        statement.fetch_page(&self.reader, slice).await
    }
}
