//! Marks of attacks.

use crate::store::{
    Connection, Store, StoreError,
    change::{Change, ChangeError},
    ingest,
    sql::{
        bulk::statement_among,
        row::{ReadRow, Row, read_all},
        text_codec::Text,
    },
};
use crate::{
    attack::{Mark, MarkDraft, Marking},
    audit::{AuditEvent, Author, ObjectKind},
};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// The mark of an attack.
pub(crate) fn read(row: &Row<'_>) -> Result<Option<Marking>, StoreError> {
    row.optional("mark", |row, mark| {
        Ok(Marking {
            value: row.word(mark)?,
            note: row.optional("mark_note", Row::text)?.unwrap_or_default(),
            by: row.text("mark_by")?,
            at: row.time("mark_at")?,
        })
    })
}

impl ReadRow for (Uuid, Mark) {
    const TABLE: &'static str = "attacks";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok((row.parse("id")?, row.word("mark")?))
    }
}

impl Store {
    /// The marks of attacks that have one.
    pub async fn marks_of(
        &self,
        attacks: impl Iterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, Mark>, StoreError> {
        let ids: BTreeSet<String> = attacks.map(|id| id.to_string()).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        let query = "select id, mark from attacks where mark is not null and id";
        let rows = statement_among(self.dialect, query, &ids, "").fetch_all(&self.reader).await?;
        Ok(read_all(&rows)?.into_iter().collect())
    }

    /// Marks the attack of this id, or the one it was merged into, if its mark still has this
    /// revision.
    pub async fn mark(
        &self,
        (id, revision): (Uuid, u32),
        MarkDraft { mark, note }: MarkDraft,
        author: &Author,
    ) -> Result<(), ChangeError> {
        let mut change = self.begin_change(author).await?;
        ingest::lock_attacks(change.connection()).await?;
        let current = current(change.connection(), id).await?;
        let current = current.ok_or_else(|| ChangeError::unknown("attack", &id))?;
        if current.revision != revision {
            return Err(ChangeError::Stale(current.revision));
        }
        put(&mut change, current, mark.map(|mark| (mark, note))).await?;
        Ok(change.commit().await?)
    }
}

/// An attack with its current mark.
pub(crate) struct Current {
    id: String,
    revision: u32,
    marking: Option<Marking>,
}

impl Current {
    pub(crate) fn revision(&self) -> u32 {
        self.revision
    }

    pub(crate) fn marking(&self) -> Option<&Marking> {
        self.marking.as_ref()
    }

    pub(crate) fn value(&self) -> Option<Mark> {
        self.marking.as_ref().map(|marking| marking.value)
    }
}

/// The attack of this id, or the one it was merged into. Concurrent ingest may merge it: the
/// transaction locks attacks.
pub(crate) async fn current(connection: &mut Connection, id: Uuid) -> Result<Option<Current>, StoreError> {
    let merged: Option<String> = sqlx::query_scalar(
        "select id from attacks where id = coalesce((select new_id from attack_redirects where old_id = $1), $1)",
    )
    .bind(id.to_string())
    .fetch_optional(&mut *connection)
    .await?;
    let Some(id) = merged else { return Ok(None) };
    let (revision, marking) = marking(connection, &id).await?;
    Ok(Some(Current { id, revision, marking }))
}

/// Replaces a mark by another one with its note, or clears it.
pub(crate) async fn put(
    change: &mut Change<'_>,
    Current { id, revision, marking: before }: Current,
    mark: Option<(Mark, String)>,
) -> Result<(), StoreError> {
    let Author { name, at, .. } = change.author();
    let after = mark.map(|(value, note)| Marking { value, note, by: name.clone(), at: *at });
    store(change.connection(), &id, revision + 1, after.as_ref()).await?;
    let [before, after] = [before, after].map(|marking| shown(marking.as_ref()));
    change.record(AuditEvent::changed(ObjectKind::Attack, &id, &before, &after)).await
}

/// A mark in the audit log.
pub(crate) fn shown(marking: Option<&Marking>) -> Value {
    json!({ "mark": marking })
}

/// Merges the marks of two attacks: the more severe one stays; of equal marks, the later.
pub(crate) async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    let (from_revision, other) = marking(connection, from).await?;
    let (into_revision, own) = marking(connection, into).await?;
    let rank = |mark: &Marking| (mark.value, mark.at);
    let stays = [own, other].into_iter().flatten().max_by_key(rank);
    // A new revision: a client with the revision of either attack has a conflict.
    store(connection, into, into_revision.saturating_add(from_revision), stays.as_ref()).await
}

/// The revision of an attack's mark, and the mark.
async fn marking(connection: &mut Connection, id: &str) -> Result<(u32, Option<Marking>), StoreError> {
    let row =
        sqlx::query("select id, mark, mark_note, mark_by, mark_at, mark_revision from attacks where id = $1")
            .bind(id)
            .fetch_one(connection)
            .await?;
    let row = Row { table: "attacks", row: &row };
    Ok((row.number("mark_revision")?, read(&row)?))
}

async fn store(
    connection: &mut Connection,
    id: &str,
    revision: u32,
    marking: Option<&Marking>,
) -> Result<(), StoreError> {
    sqlx::query(
        "update attacks set mark = $2, mark_note = $3, mark_by = $4, mark_at = $5, mark_revision = $6 where id = $1",
    )
    .bind(id)
    .bind(marking.map(|marking| marking.value.as_str()))
    .bind(marking.map(|marking| Text::from(marking.note.as_str())))
    .bind(marking.map(|marking| Text::from(marking.by.as_str())))
    .bind(marking.map(|marking| marking.at.as_millisecond()))
    .bind(i64::from(revision))
    .execute(connection)
    .await?;
    Ok(())
}
