//! Connectors that nodes reported.

use crate::store::{
    Connection, Store, StoreError,
    sql::{
        row::{ReadRow, Row, read_all},
        text_codec::{Text, word},
    },
};
use crate::{connectors::Connector, digest::sha256_hex};
use jiff::Timestamp;
use shared::{
    ConnectorInfo, Trigger,
    record::{ConnectorStatus, NodeInfo, NodeStatus},
};

/// Limits of a node's report.
const MAX_OF_A_NODE: usize = 100;
const MAX_TEXT_BYTES: usize = 200;
/// Rows of a node that are kept, over all its starts.
const MAX_ROWS: i64 = 5000;
/// So that the sum over all nodes fits.
const MAX_BYTES: i64 = i64::MAX >> 20;

/// Stores what a node counted since its start.
pub(crate) async fn seen(
    connection: &mut Connection,
    node: &NodeInfo,
    status: &NodeStatus,
) -> Result<(), StoreError> {
    for seen in status.connectors.iter().filter(|seen| is_short(&seen.connector)).take(MAX_OF_A_NODE) {
        let ConnectorInfo { kind, version, event, distribution_id, distribution_domain, application, .. } =
            &seen.connector;
        let text = |text: &Option<String>| text.as_deref().map(Text::from);
        sqlx::query(
            "insert into connectors (node_id, started_at, key_hash, kind, version, event, distribution_id, \
             distribution_domain, application, delivery, last_seen, calls, not_inspected, truncated, unseen_bytes) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
             on conflict (node_id, started_at, key_hash) do update set last_seen = excluded.last_seen, \
             calls = excluded.calls, not_inspected = excluded.not_inspected, truncated = excluded.truncated, \
             unseen_bytes = excluded.unseen_bytes",
        )
        .bind(node.id.to_string())
        .bind(status.started_at.as_millisecond())
        .bind(key(seen))
        .bind(Text::from(kind.as_str()))
        .bind(Text::from(version.as_str()))
        .bind(event.as_ref().map(|event| Text::from(event.as_str())))
        .bind(text(distribution_id))
        .bind(text(distribution_domain))
        .bind(application.map(i64::from))
        .bind(seen.delivery.as_ref().map(word))
        .bind(seen.last_seen.as_millisecond())
        .bind(i64::try_from(seen.calls).unwrap_or(i64::MAX))
        .bind(i64::try_from(seen.not_inspected).unwrap_or(i64::MAX))
        .bind(i64::try_from(seen.truncated).unwrap_or(i64::MAX))
        .bind(i64::try_from(seen.unseen_bytes).unwrap_or(MAX_BYTES).min(MAX_BYTES))
        .execute(&mut *connection)
        .await?;
    }
    delete_beyond_limit(connection, node).await
}

/// Deletes the rows of a node that were seen earliest.
async fn delete_beyond_limit(connection: &mut Connection, node: &NodeInfo) -> Result<(), StoreError> {
    let rows: i64 = sqlx::query_scalar("select count(*) from connectors where node_id = $1")
        .bind(node.id.to_string())
        .fetch_one(&mut *connection)
        .await?;
    if rows > MAX_ROWS {
        sqlx::query(
            "delete from connectors where node_id = $1 and (started_at, key_hash) in (select started_at, key_hash \
             from connectors where node_id = $1 order by last_seen, started_at limit $2)",
        )
        .bind(node.id.to_string())
        .bind(rows - MAX_ROWS)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn key(seen: &ConnectorStatus) -> String {
    let ConnectorInfo { kind, version, event, distribution_id, application, .. } = &seen.connector;
    let parts = serde_json::json!([kind, version, event, distribution_id, application, seen.delivery]);
    sha256_hex(parts.to_string().as_bytes())
}

fn is_short(connector: &ConnectorInfo) -> bool {
    let ConnectorInfo { kind, version, event, distribution_id, distribution_domain, .. } = connector;
    let optional =
        [distribution_id.as_deref(), distribution_domain.as_deref(), event.as_ref().map(Trigger::as_str)];
    let texts = optional.into_iter().flatten().chain([kind.as_str(), version.as_str()]);
    texts.into_iter().all(|text| text.len() <= MAX_TEXT_BYTES)
}

impl ReadRow for Connector {
    const TABLE: &'static str = "connectors";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let version = row.text("version")?;
        let kind = row.text("kind")?;
        Ok(Self {
            upgrade_to: Connector::upgrade(&kind, &version),
            event: row.optional("event", Row::text)?.map(|event| event.as_str().into()),
            distribution_id: row.optional("distribution_id", Row::text)?,
            distribution_domain: row.optional("distribution_domain", Row::text)?,
            application: row.optional("application", Row::number)?,
            delivery: row.optional("delivery", Row::word)?,
            nodes: row.count("nodes")?,
            last_seen: row.time("last_seen")?,
            calls: row.count("calls")?,
            not_inspected: row.count("not_inspected")?,
            truncated: row.count("truncated")?,
            unseen_bytes: row.count("unseen_bytes")?,
            kind,
            version,
        })
    }
}

impl Store {
    /// All connectors, the latest seen first.
    pub async fn connectors(&self) -> Result<Vec<Connector>, StoreError> {
        let rows = sqlx::query(
            "select kind, version, event, distribution_id, max(distribution_domain) as distribution_domain, application, \
             delivery, count(distinct node_id) as nodes, max(last_seen) as last_seen, \
             cast(sum(calls) as bigint) as calls, cast(sum(not_inspected) as bigint) as not_inspected, \
             cast(sum(truncated) as bigint) as truncated, cast(sum(unseen_bytes) as bigint) as unseen_bytes \
             from connectors group by kind, version, event, distribution_id, application, delivery \
             order by max(last_seen) desc, kind, version, event, distribution_id, application, delivery limit 1000",
        )
        .fetch_all(&self.reader)
        .await?;
        read_all(&rows)
    }

    /// Deletes connectors last seen before a time.
    pub async fn delete_connectors(&self, before: Timestamp) -> Result<(), StoreError> {
        sqlx::query("delete from connectors where last_seen < $1")
            .bind(before.as_millisecond())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
