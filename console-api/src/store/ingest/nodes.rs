//! Nodes that deliver records.

use crate::audit::{AuditEvent, Author, ObjectKind};
use crate::node_problem::{NodeProblem, ReportedTimes};
use crate::store::{
    Connection, Store, StoreError,
    audit::{self, PartOf},
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
use std::collections::BTreeMap;
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
    /// A command that ends when its work is done, such as `ingest-logs`: it has no problems.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_command: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<NodeProblem>,
    #[serde(skip)]
    pub(crate) reported: ReportedTimes,
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
        "insert into nodes (id, version, last_seen, status, token_hash, spool_failed_at, left_out_at, dropped, is_command) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         on conflict (id) do update set version = excluded.version, last_seen = excluded.last_seen, \
             status = coalesce(excluded.status, nodes.status), token_hash = excluded.token_hash, \
             spool_failed_at = case when excluded.status is null then nodes.spool_failed_at \
                 when excluded.spool_failed_at is null then null \
                 else coalesce(nodes.spool_failed_at, excluded.spool_failed_at) end, \
             left_out_at = case when excluded.status is null then nodes.left_out_at \
                 when excluded.left_out_at is null then null \
                 else coalesce(nodes.left_out_at, excluded.left_out_at) end, \
             dropped_at = case when excluded.dropped > nodes.dropped then excluded.last_seen \
                 else nodes.dropped_at end, \
             dropped = coalesce(excluded.dropped, nodes.dropped), is_command = excluded.is_command \
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
    .bind(status.filter(|status| status.spool_failed).map(|_| now.as_millisecond()))
    .bind(status.filter(|status| status.left_out > 0).map(|_| now.as_millisecond()))
    .bind(status.map(|status| i64::try_from(status.dropped).unwrap_or(i64::MAX)))
    .bind(i64::from(node.is_command))
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
        let last_seen = row.time("last_seen")?;
        Ok(Self {
            id: row.parse("id")?,
            token: row.optional("token", Row::text)?,
            last_seen,
            status: row.optional("status", Row::json)?,
            version: row.get("version")?,
            is_command: row.get::<i64>("is_command")? != 0,
            problems: Vec::new(),
            reported: ReportedTimes {
                last_seen,
                spool_failed_at: row.optional("spool_failed_at", Row::time)?,
                left_out_at: row.optional("left_out_at", Row::time)?,
                dropped_at: row.optional("dropped_at", Row::time)?,
            },
        })
    }
}

impl Store {
    /// All nodes with their problems, the latest seen first.
    pub async fn nodes(&self, now: Timestamp) -> Result<Vec<Node>, StoreError> {
        let rows = sqlx::query(
            "select n.id, n.version, n.last_seen, n.status, n.spool_failed_at, n.left_out_at, n.dropped_at, n.is_command, \
             t.name as token from nodes n \
             left join tokens t on t.hash = n.token_hash order by n.last_seen desc, n.id",
        )
        .fetch_all(&self.reader)
        .await?;
        let mut nodes: Vec<Node> = read_all(&rows)?;
        let (current, _) = self.ruleset_head().await?;
        let mut superseded = BTreeMap::new();
        for node in &mut nodes {
            let version = node.status.as_ref().and_then(|status| status.ruleset);
            let outdated = version.filter(|version| *version < current);
            if let Some(version) = outdated
                && !superseded.contains_key(&version)
            {
                superseded.insert(version, self.superseded_at(version).await?);
            }
            let superseded_at = outdated.and_then(|version| superseded.get(&version).copied().flatten());
            // A command that has ended is not unreachable.
            if !node.is_command {
                node.problems = node.reported.problems(superseded_at, now);
            }
        }
        Ok(nodes)
    }

    /// When a version of the ruleset got a successor.
    async fn superseded_at(&self, version: u64) -> Result<Option<Timestamp>, StoreError> {
        let next = "select at from audit where ruleset > $1 order by ruleset, id limit 1";
        let at: Option<(i64,)> = sqlx::query_as(next)
            .bind(i64::try_from(version).unwrap_or(i64::MAX))
            .fetch_optional(&self.reader)
            .await?;
        Ok(at.and_then(|(at,)| Timestamp::from_millisecond(at).ok()))
    }

    /// Removes a node. It is listed again when it delivers.
    pub async fn remove_node(&self, id: Uuid, author: &Author) -> Result<(), ChangeError> {
        let mut change = self.begin_write().await?;
        let removed: Option<(String, i64)> =
            sqlx::query_as("delete from nodes where id = $1 returning version, last_seen")
                .bind(id.to_string())
                .fetch_optional(&mut *change)
                .await?;
        let (version, last_seen) = removed.ok_or_else(|| ChangeError::unknown("node", &id))?;
        let last_seen = Timestamp::from_millisecond(last_seen).ok();
        let before = json!({"version": version, "last_seen": last_seen});
        let event = AuditEvent::deleted(ObjectKind::Node, &id, &before);
        audit::record(&mut change, author, &event, PartOf::default()).await?;
        Ok(change.commit().await?)
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
        audit::record(&mut change, author, &event, PartOf::default()).await?;
        Ok(change.commit().await?)
    }
}
