//! Requests that were not inspected.

use crate::paging::{Cursor, Listed, Page, Slice};
use crate::query::TimeRange;
use crate::store::{
    Connection, Store, StoreError,
    delivery::events,
    ingest::requests,
    sql::{
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::count,
    },
};
use jiff::Timestamp;
use serde::Serialize;
use shared::{NotInspected, NotInspectedReason, RequestId};
use std::{collections::BTreeMap, ops::Deref};
use uuid::Uuid;

/// A request that was not inspected, and the node that reported it first.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = NotInspectedReport)]
pub struct Reported {
    #[serde(flatten)]
    pub entry: NotInspected,
    /// Absent: unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<Uuid>,
}

impl Deref for Reported {
    type Target = NotInspected;

    fn deref(&self) -> &NotInspected {
        &self.entry
    }
}

impl Listed for Reported {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.at, &self.id)
    }
}

/// A filter; absent fields match all.
#[derive(Debug, Default)]
pub struct NotInspectedFilter {
    pub node: Option<Uuid>,
    pub reason: Option<String>,
}

/// Minimum numbers of requests that were not inspected: a Lambda environment that ends may lose
/// some.
#[derive(Debug, Clone, Default, Serialize, utoipa::ToSchema)]
pub struct NotInspectedCounts {
    pub total: u64,
    pub by_reason: BTreeMap<String, u64>,
    /// By the node that reported them first, and by reason.
    pub by_node: BTreeMap<Uuid, BTreeMap<String, u64>>,
}

/// Stores an entry once. A request without a verdict was not blocked.
pub(crate) async fn record(
    connection: &mut Connection,
    entry: &NotInspected,
    node: Uuid,
) -> Result<bool, StoreError> {
    let stored = sqlx::query(
        "insert into not_inspected (id, request_id, reason, at, node_id) values ($1, $2, $3, $4, $5) on conflict (id) do nothing",
    )
    .bind(entry.id.to_string())
    .bind(entry.request_id.to_string())
    .bind(entry.reason.as_str())
    .bind(entry.at.as_millisecond())
    .bind(node.to_string())
    .execute(&mut *connection)
    .await?;
    let is_new = stored.rows_affected() > 0;
    if is_new {
        requests::passed(connection, entry.request_id).await?;
        events::count_not_inspected(connection).await?;
    }
    Ok(is_new)
}

pub(crate) async fn has_entry(connection: &mut Connection, id: RequestId) -> Result<bool, StoreError> {
    let entry = sqlx::query("select 1 from not_inspected where request_id = $1 limit 1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(entry.is_some())
}

impl ReadRow for Reported {
    const TABLE: &'static str = "not_inspected";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let entry = NotInspected {
            id: row.parse("id")?,
            request_id: row.parse("request_id")?,
            reason: row.get::<String>("reason")?.as_str().into(),
            at: row.time("at")?,
        };
        Ok(Self { entry, node: row.optional("node_id", Row::parse)? })
    }
}

impl Store {
    /// The number of requests of a time range that were not inspected.
    pub async fn not_inspected_in(&self, TimeRange { from, to }: TimeRange) -> Result<u64, StoreError> {
        let mut statement = Statement::new("select count(*) from not_inspected where at >= ");
        statement.bind(from.map_or(i64::MIN, Timestamp::as_millisecond));
        statement.push(" and at < ").bind(to.map_or(i64::MAX, Timestamp::as_millisecond));
        let (requests,): (i64,) = statement.fetch_tuple(&self.searcher).await?;
        Ok(count(requests))
    }

    /// Why a request was not inspected, if a function reported it.
    pub async fn not_inspected_reason(
        &self,
        id: RequestId,
    ) -> Result<Option<NotInspectedReason>, StoreError> {
        let reason =
            sqlx::query_as("select reason from not_inspected where request_id = $1 order by at limit 1");
        let reason: Option<(String,)> = reason.bind(id.to_string()).fetch_optional(&self.reader).await?;
        Ok(reason.map(|(reason,)| reason.as_str().into()))
    }

    pub async fn not_inspected(
        &self,
        filter: &NotInspectedFilter,
        slice: &Slice,
    ) -> Result<Page<Reported>, StoreError> {
        let mut statement =
            Statement::new("select id, request_id, reason, at, node_id from not_inspected where true");
        if let Some(node) = filter.node {
            statement.push(" and node_id = ").bind(node.to_string());
        }
        if let Some(reason) = &filter.reason {
            statement.push(" and reason = ").bind(reason.as_str());
        }
        statement.push(" and ").push_newest_by(("at", "id"), slice);
        statement.fetch_page(&self.reader, slice).await
    }

    /// The non-empty intervals of this length in milliseconds, with their counts, in order.
    pub async fn not_inspected_time_buckets(
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
        let rows: Vec<(Option<String>, String, i64)> =
            sqlx::query_as("select node_id, reason, count(*) from not_inspected group by node_id, reason")
                .fetch_all(&self.reader)
                .await?;
        let mut counts = NotInspectedCounts::default();
        for (node, reason, n) in rows {
            let n = count(n);
            counts.total += n;
            *counts.by_reason.entry(reason.clone()).or_default() += n;
            if let Some(node) = node {
                let bad = |_| StoreError::bad_row("not_inspected", &node, "node_id");
                let node = node.parse().map_err(bad)?;
                counts.by_node.entry(node).or_default().insert(reason, n);
            }
        }
        Ok(counts)
    }
}
