//! Replays and their reports.

use crate::store::{
    Store, StoreError,
    sql::{
        row::Row,
        statement::Statement,
        text_codec::{Text, json, word},
    },
};
use crate::{
    paging::{Page, Slice},
    replay::{Replay, ReplayStatus},
};
use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;
use uuid::Uuid;

/// The maximum number of stored replays; older ones are deleted.
const MAX_REPLAYS: i64 = 100;
/// A running replay without an update for this time counts as interrupted.
const UPDATE_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);

const SELECT: &str =
    "select id, created_at, updated_at, author, status, draft, hits, report from replays where ";

fn read(row: &AnyRow, now: Timestamp) -> Result<Replay, StoreError> {
    let row = Row { table: "replays", row };
    let status = row.word("status")?;
    let is_interrupted =
        status == ReplayStatus::Running && now.duration_since(row.time("updated_at")?) > UPDATE_TIMEOUT;
    Ok(Replay {
        id: row.parse("id")?,
        created_at: row.time("created_at")?,
        author: row.text("author")?,
        status: if is_interrupted { ReplayStatus::Interrupted } else { status },
        draft: row.json("draft")?,
        hits: row.count("hits")?,
        report: row.json("report")?,
    })
}

impl Store {
    /// Adds a replay.
    pub async fn add_replay(&self, replay: &Replay) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        sqlx::query(
            "insert into replays (id, created_at, updated_at, author, status, draft, hits, report) \
             values ($1, $2, $2, $3, $4, $5, $6, $7)",
        )
        .bind(replay.id.to_string())
        .bind(replay.created_at.as_millisecond())
        .bind(Text::from(replay.author.as_str()))
        .bind(word(&replay.status))
        .bind(json(&replay.draft))
        .bind(i64::try_from(replay.hits).unwrap_or(i64::MAX))
        .bind(json(&replay.report))
        .execute(&mut *change)
        .await?;
        sqlx::query(
            "delete from replays where id not in (select id from replays order by created_at desc, id desc limit $1)",
        )
        .bind(MAX_REPLAYS)
        .execute(&mut *change)
        .await?;
        Ok(change.commit().await?)
    }

    /// Stores the progress of a replay.
    pub async fn update_replay(&self, replay: &Replay, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("update replays set updated_at = $2, status = $3, hits = $4, report = $5 where id = $1")
            .bind(replay.id.to_string())
            .bind(now.as_millisecond())
            .bind(word(&replay.status))
            .bind(i64::try_from(replay.hits).unwrap_or(i64::MAX))
            .bind(json(&replay.report))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub async fn replay(&self, id: Uuid, now: Timestamp) -> Result<Option<Replay>, StoreError> {
        let mut statement = Statement::new(SELECT);
        statement.push("id = ").bind(id.to_string());
        let rows = statement.fetch_rows(&self.reader).await?;
        rows.first().map(|row| read(row, now)).transpose()
    }

    /// The latest first.
    pub async fn replays(&self, slice: &Slice, now: Timestamp) -> Result<Page<Replay>, StoreError> {
        let mut statement = Statement::new(SELECT);
        statement.push_newest(slice);
        let rows = statement.fetch_rows(&self.reader).await?;
        let replays = rows.iter().map(|row| read(row, now)).collect::<Result<_, _>>()?;
        Ok(Page::cut(replays, slice.limit))
    }
}
