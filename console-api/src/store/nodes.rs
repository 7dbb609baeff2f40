//! The nodes that deliver here.

use super::{Connection, Store, StoreError, words::Columns};
use jiff::Timestamp;
use serde::Serialize;
use shared::record::NodeInfo;
use sqlx::FromRow;
use uuid::Uuid;

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Node {
    pub id: Uuid,
    pub version: String,
    /// When it last delivered something.
    pub last_seen: Timestamp,
}

pub(super) async fn seen(
    connection: &mut Connection,
    node: &NodeInfo,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into nodes (id, version, last_seen) values ($1, $2, $3) \
         on conflict (id) do update set version = excluded.version, last_seen = excluded.last_seen",
    )
    .bind(node.id.to_string())
    .bind(&node.version)
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct Row {
    id: String,
    version: String,
    last_seen: i64,
}

impl TryFrom<Row> for Node {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "nodes", id: &row.id };
        Ok(Self {
            id: columns.parse("id", &row.id)?,
            last_seen: columns.time("last_seen", row.last_seen)?,
            version: row.version,
        })
    }
}

impl Store {
    /// All nodes, the latest seen first.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let rows: Vec<Row> =
            sqlx::query_as("select id, version, last_seen from nodes order by last_seen desc, id")
                .fetch_all(&self.reader)
                .await?;
        rows.into_iter().map(Node::try_from).collect()
    }
}
