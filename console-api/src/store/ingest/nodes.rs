//! Nodes that deliver records.

use crate::audit::{AuditEvent, Author, ObjectKind};
use crate::store::{
    Connection, Store, StoreError, audit,
    change::ChangeError,
    ingest::{Delivery, connectors},
    sql::{
        row::{ReadRow, Row, read_all},
        text_codec::{self, Text},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;
use shared::record::NodeStatus;
use uuid::Uuid;

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Node {
    pub id: Uuid,
    /// The name of the token that the node is bound to. Absent: of none that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    pub version: String,
    /// The time of the last delivery or status report.
    pub last_seen: Timestamp,
    /// Absent: no status reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<NodeStatus>,
}

/// The most nodes of a token in a day: a stolen token must not fill the list.
pub(super) const MAX_NODES: i64 = 1_000;
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Whether the node is new to its token, and the token has reached its limit of nodes.
pub(crate) async fn exceeds_limit(
    connection: &mut Connection,
    &Delivery { node, token, now, .. }: &Delivery<'_>,
) -> Result<bool, StoreError> {
    // The usual case, a known node, costs a lookup by its id: its token's nodes are not counted.
    let (others,): (i64,) = sqlx::query_as(
        "select count(*) from nodes where token_hash = $2 and last_seen > $3 and not exists \
         (select 1 from nodes k where k.id = $1 and k.token_hash = $2 and k.last_seen > $3)",
    )
    .bind(node.id.to_string())
    .bind(token)
    .bind((now - DAY).as_millisecond())
    .fetch_one(&mut *connection)
    .await?;
    Ok(others >= MAX_NODES)
}

/// Remembers the node, and binds it to its first token. `false` if it is bound to another token.
pub(crate) async fn seen(
    connection: &mut Connection,
    &Delivery { node, token, status, now }: &Delivery<'_>,
) -> Result<bool, StoreError> {
    let written = sqlx::query(
        "insert into nodes (id, version, last_seen, status, token_hash) values ($1, $2, $3, $4, $5) \
         on conflict (id) do update set version = excluded.version, last_seen = excluded.last_seen, \
             status = coalesce(excluded.status, nodes.status), token_hash = excluded.token_hash \
         where nodes.token_hash is null or nodes.token_hash = excluded.token_hash \
             or not exists (select 1 from tokens t where t.hash = nodes.token_hash \
                 and (t.expires_at is null or t.expires_at > $3))",
    )
    .bind(node.id.to_string())
    .bind(&node.version)
    .bind(now.as_millisecond())
    // Connectors have a table of their own.
    .bind(status.map(|status| text_codec::json(&NodeStatus { connectors: Vec::new(), ..status.clone() })))
    .bind(token)
    .execute(&mut *connection)
    .await?;
    if written.rows_affected() == 0 {
        return Ok(false);
    }
    if let Some(status) = status {
        connectors::seen(connection, node, status).await?;
    }
    Ok(true)
}

impl ReadRow for Node {
    const TABLE: &'static str = "nodes";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            token: row.optional("token", Row::text)?,
            last_seen: row.time("last_seen")?,
            status: row.optional("status", Row::json)?,
            version: row.get("version")?,
        })
    }
}

impl Store {
    /// All nodes, the latest seen first.
    pub async fn nodes(&self) -> Result<Vec<Node>, StoreError> {
        let rows = sqlx::query(
            "select n.id, n.version, n.last_seen, n.status, t.name as token from nodes n \
             left join tokens t on t.hash = n.token_hash order by n.last_seen desc, n.id",
        )
        .fetch_all(&self.reader)
        .await?;
        read_all(&rows)
    }

    /// Releases a node from its token: the next token that delivers for it is bound.
    pub async fn release_node(&self, id: Uuid, author: &Author) -> Result<(), ChangeError> {
        let mut change = self.begin_write().await?;
        let token: Option<(Option<Text>,)> = sqlx::query_as(
            "select t.name from nodes n left join tokens t on t.hash = n.token_hash where n.id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *change)
        .await?;
        let (token,) = token.ok_or_else(|| ChangeError::unknown("node", &id))?;
        sqlx::query("update nodes set token_hash = null where id = $1")
            .bind(id.to_string())
            .execute(&mut *change)
            .await?;
        let before = json!({"token": token.map(String::from)});
        let event = AuditEvent::changed(ObjectKind::Node, &id, &before, &json!({"token": null}));
        audit::record(&mut change, author, &event, None).await?;
        Ok(change.commit().await?)
    }
}
