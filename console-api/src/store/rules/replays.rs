//! Replays and their reports.

use crate::store::{
    Store, StoreError,
    sql::{
        statement::Statement,
        text_codec::{Columns, Text, count, json, word},
    },
};
use crate::{
    paging::{Page, Slice},
    replay::{Replay, ReplayStatus},
};
use jiff::{SignedDuration, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

/// The maximum number of stored replays; older ones are deleted.
const MAX_REPLAYS: i64 = 100;
/// A running replay without an update for this time counts as interrupted.
const UPDATE_TIMEOUT: SignedDuration = SignedDuration::from_mins(5);

#[derive(FromRow)]
struct Row {
    id: String,
    created_at: i64,
    updated_at: i64,
    author: Text,
    status: String,
    draft: Text,
    hits: i64,
    report: Text,
}

impl Row {
    fn read(self, now: Timestamp) -> Result<Replay, StoreError> {
        let columns = Columns { table: "replays", id: &self.id };
        let updated_at = columns.time("updated_at", self.updated_at)?;
        let status = columns.word("status", &self.status)?;
        let is_interrupted =
            status == ReplayStatus::Running && now.duration_since(updated_at) > UPDATE_TIMEOUT;
        Ok(Replay {
            id: columns.parse("id", &self.id)?,
            created_at: columns.time("created_at", self.created_at)?,
            author: self.author.into(),
            status: if is_interrupted { ReplayStatus::Interrupted } else { status },
            draft: columns.json("draft", &String::from(self.draft))?,
            hits: count(self.hits),
            report: columns.json("report", &String::from(self.report))?,
        })
    }
}

impl Store {
    /// Adds a replay.
    pub async fn add_replay(&self, replay: &Replay) -> Result<(), StoreError> {
        let mut change = self.writer.begin().await?;
        sqlx::query(
            "insert into replays (id, created_at, updated_at, author, status, draft, hits, report) \
             values ($1, $2, $2, $3, $4, $5, $6, $7)",
        )
        .bind(replay.id.to_string())
        .bind(replay.created_at.as_millisecond())
        .bind(Text::from(replay.author.as_str()))
        .bind(word(&replay.status))
        .bind(Text::from(json(&replay.draft).as_str()))
        .bind(i64::try_from(replay.hits).unwrap_or(i64::MAX))
        .bind(Text::from(json(&replay.report).as_str()))
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
            .bind(Text::from(json(&replay.report).as_str()))
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    pub async fn replay(&self, id: Uuid, now: Timestamp) -> Result<Option<Replay>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "select id, created_at, updated_at, author, status, draft, hits, report from replays where id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&self.reader)
        .await?;
        row.map(|row| row.read(now)).transpose()
    }

    /// The latest first.
    pub async fn replays(&self, slice: &Slice, now: Timestamp) -> Result<Page<Replay>, StoreError> {
        let mut statement = Statement::new(
            "select id, created_at, updated_at, author, status, draft, hits, report from replays where ",
        );
        statement.push_newest(slice);
        let rows: Vec<Row> = statement.fetch_all(&self.reader).await?;
        let replays = rows.into_iter().map(|row| row.read(now)).collect::<Result<_, _>>()?;
        Ok(Page::cut(replays, slice.limit))
    }
}
