//! Nodes that deliver records.

use crate::store::{
    Connection, Store, StoreError,
    ingest::connectors,
    sql::{
        row::{ReadRow, Row, read_all},
        text_codec,
    },
};
use jiff::Timestamp;
use serde::Serialize;
use shared::record::{NodeInfo, NodeStatus};
use uuid::Uuid;

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Node {
    pub id: Uuid,
    pub version: String,
    /// The time of the last delivery or status report.
    pub last_seen: Timestamp,
    /// Absent: no status reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<NodeStatus>,
}

pub(crate) async fn seen(
    connection: &mut Connection,
    node: &NodeInfo,
    status: Option<&NodeStatus>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into nodes (id, version, last_seen, status) values ($1, $2, $3, $4) \
         on conflict (id) do update set version = excluded.version, last_seen = excluded.last_seen, \
             status = coalesce(excluded.status, nodes.status)",
    )
    .bind(node.id.to_string())
    .bind(&node.version)
    .bind(now.as_millisecond())
    // Connectors have a table of their own.
    .bind(status.map(|status| text_codec::json(&NodeStatus { connectors: Vec::new(), ..status.clone() })))
    .execute(&mut *connection)
    .await?;
    match status {
        Some(status) => connectors::seen(connection, node, status).await,
        None => Ok(()),
    }
}

impl ReadRow for Node {
    const TABLE: &'static str = "nodes";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            last_seen: row.time("last_seen")?,
            status: row.optional("status", Row::json)?,
            version: row.get("version")?,
        })
    }
}

impl Store {
    /// All nodes, the latest seen first.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let rows =
            sqlx::query("select id, version, last_seen, status from nodes order by last_seen desc, id")
                .fetch_all(&self.reader)
                .await?;
        read_all(&rows)
    }
}
