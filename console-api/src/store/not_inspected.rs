//! Requests that went on without a verdict.

use super::{
    Connection, Store, StoreError, requests,
    words::{Columns, count},
};
use crate::paging::{Cursor, Listed, Page, Slice};
use jiff::Timestamp;
use serde::Serialize;
use shared::{NotInspected, RequestId};
use sqlx::FromRow;
use std::collections::BTreeMap;

impl Listed for NotInspected {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.at, &self.id)
    }
}

/// How many requests were not inspected, at least: a Lambda function that ends may take its memory of some along.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct NotInspectedCounts {
    pub total: u64,
    pub by_reason: BTreeMap<String, u64>,
}

/// Stores an entry once. A request the visitor got through without a verdict was not held by any block.
pub(super) async fn record(connection: &mut Connection, entry: &NotInspected) -> Result<bool, StoreError> {
    let stored = sqlx::query(
        "insert into not_inspected (id, request_id, reason, at) values ($1, $2, $3, $4) on conflict (id) do nothing",
    )
    .bind(entry.id.to_string())
    .bind(entry.request_id.to_string())
    .bind(entry.reason.as_str())
    .bind(entry.at.as_millisecond())
    .execute(&mut *connection)
    .await?;
    let is_new = stored.rows_affected() > 0;
    if is_new {
        requests::passed(connection, entry.request_id).await?;
    }
    Ok(is_new)
}

pub(super) async fn has_entry(connection: &mut Connection, id: RequestId) -> Result<bool, StoreError> {
    let entry = sqlx::query("select 1 from not_inspected where request_id = $1 limit 1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(entry.is_some())
}

#[derive(FromRow)]
struct Row {
    id: String,
    request_id: String,
    reason: String,
    at: i64,
}

impl TryFrom<Row> for NotInspected {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "not_inspected", id: &row.id };
        Ok(Self {
            id: columns.parse("id", &row.id)?,
            request_id: columns.parse("request_id", &row.request_id)?,
            reason: row.reason.as_str().into(),
            at: columns.time("at", row.at)?,
        })
    }
}

impl Store {
    pub async fn not_inspected(&self, slice: &Slice) -> Result<Page<NotInspected>, StoreError> {
        let (at, id) = slice.bounds().unzip();
        let rows: Vec<Row> = sqlx::query_as(
            "select id, request_id, reason, at from not_inspected \
             where $1 is null or at < $1 or (at = $1 and id < $2) order by at desc, id desc limit $3",
        )
        .bind(at)
        .bind(id)
        .bind(i64::from(slice.limit) + 1)
        .fetch_all(&self.reader)
        .await?;
        let items = rows.into_iter().map(NotInspected::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(items, slice.limit))
    }

    /// How many there are in each interval that has any, so many milliseconds long; from the first of them to the last.
    pub async fn not_inspected_times(
        &self,
        from: Timestamp,
        interval: i64,
    ) -> Result<Vec<(i64, u64)>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "select at - at % $1, count(*) from not_inspected where at >= $2 group by 1 order by 1",
        )
        .bind(interval)
        .bind(from.as_millisecond())
        .fetch_all(&self.reader)
        .await?;
        Ok(rows.into_iter().map(|(at, n)| (at, count(n))).collect())
    }

    pub async fn not_inspected_counts(&self) -> Result<NotInspectedCounts, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("select reason, count(*) from not_inspected group by reason")
                .fetch_all(&self.reader)
                .await?;
        let by_reason: BTreeMap<_, _> = rows.into_iter().map(|(reason, n)| (reason, count(n))).collect();
        Ok(NotInspectedCounts { total: by_reason.values().sum(), by_reason })
    }
}
