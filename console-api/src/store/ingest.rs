//! Taking in what nodes deliver: one transaction a batch, each record told apart as new, known or refused.

pub(crate) mod connectors;
mod fresh;
pub(crate) mod grouping;
mod names;
pub(crate) mod nodes;
pub(crate) mod not_inspected;
mod reports;
pub(crate) mod requests;
pub(crate) mod responses;
pub(crate) mod statuses;
pub(crate) mod time_buckets;

pub use names::node_validation_error;

use crate::store::{Connection, Store, StoreError, ingest::grouping::NewHit, sql::text_codec::word};
use jiff::Timestamp;
use shared::{
    AttackRecord, Hit, NotInspected, Record, RecordedRequest, ResponseReport,
    record::{NodeInfo, NodeStatus},
};
use sqlx::{Any, Transaction};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It added something.
    Stored,
    /// All of it was known.
    Duplicate,
    /// It makes no sense, and nothing of it was stored.
    Refused(String),
}

impl Kept {
    fn new(is_new: bool) -> Self {
        if is_new { Self::Stored } else { Self::Duplicate }
    }
}

/// Who delivers a batch, and when that was.
#[derive(Debug, Clone, Copy)]
struct Delivered {
    node: Uuid,
    now: Timestamp,
}

impl Store {
    /// Begins a transaction that may group hits.
    pub(crate) async fn begin_ingest(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let mut transaction = self.writer.begin_with(self.dialect.begin_ingest()).await?;
        if let Some(statement) = self.dialect.lock_attacks() {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        Ok(transaction)
    }

    /// Takes in a batch of a node: says of each record what became of it, once all that is kept is safe. `now` is the
    /// console's clock: a node's may be off.
    pub async fn ingest(
        &self,
        node: &NodeInfo,
        status: Option<&NodeStatus>,
        now: Timestamp,
        records: &[&Record],
    ) -> Result<Vec<Kept>, StoreError> {
        let mut transaction = self.begin_ingest().await?;
        nodes::seen(&mut transaction, node, status, now).await?;
        let from = Delivered { node: node.id, now };
        let kept = take_all(&mut transaction, records, from).await?;
        if records.iter().any(|record| matches!(record, Record::Response(_))) {
            responses::prune(&mut transaction, now).await?;
        }
        transaction.commit().await?;
        Ok(kept)
    }
}

/// Stores what nothing is known of at once, the rest one by one: the order makes no difference.
async fn take_all(
    connection: &mut Connection,
    records: &[&Record],
    from: Delivered,
) -> Result<Vec<Kept>, StoreError> {
    let mut stored = fresh::take(connection, records).await?;
    stored.append(&mut reports::take(connection, records, from.now).await?);
    let mut kept = Vec::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        let known = if stored.contains(&index) { None } else { Some(take(connection, record, from).await?) };
        kept.push(known.unwrap_or(Kept::Stored));
    }
    Ok(kept)
}

async fn take(connection: &mut Connection, record: &Record, from: Delivered) -> Result<Kept, StoreError> {
    if let Some(reason) = names::validation_error(record) {
        return Ok(Kept::Refused(reason));
    }
    match record {
        Record::Attack(attack) => take_attack(connection, attack).await,
        Record::Response(report) => take_response(connection, report, from).await,
        Record::NotInspected(entry) => take_not_inspected(connection, entry, from).await,
    }
}

async fn take_attack(connection: &mut Connection, record: &AttackRecord) -> Result<Kept, StoreError> {
    if let Some(reason) = validation_error(connection, record).await? {
        return Ok(Kept::Refused(reason.to_owned()));
    }
    let request = &record.request;
    let is_new = requests::record(connection, request, &record.decision).await?;
    let known = types_of(connection, request).await?;
    let hits = new_hits(record, known);
    if hits.is_empty() {
        return Ok(Kept::new(is_new));
    }
    let is_enforced = requests::is_request_enforced(connection, request.request_id).await?;
    let status = requests::answer(connection, request.request_id).await?.flatten();
    let hits = hits.into_iter().map(|hit| NewHit { request, hit, is_enforced, status }).collect();
    grouping::add(connection, hits).await?;
    Ok(Kept::Stored)
}

async fn take_response(
    connection: &mut Connection,
    report: &ResponseReport,
    from: Delivered,
) -> Result<Kept, StoreError> {
    let mut is_new = responses::record(connection, report, from.now).await?;
    for entry in &report.not_inspected {
        is_new |= not_inspected::record(connection, entry, from.node).await?;
    }
    Ok(Kept::new(is_new))
}

async fn take_not_inspected(
    connection: &mut Connection,
    entry: &NotInspected,
    from: Delivered,
) -> Result<Kept, StoreError> {
    Ok(Kept::new(not_inspected::record(connection, entry, from.node).await?))
}

/// The types of a request's hits that are stored.
async fn types_of(
    connection: &mut Connection,
    request: &RecordedRequest,
) -> Result<BTreeSet<String>, StoreError> {
    let types: Vec<(String,)> = sqlx::query_as("select type from hits where request_id = $1")
        .bind(request.request_id.to_string())
        .fetch_all(connection)
        .await?;
    Ok(types.into_iter().map(|(code,)| code).collect())
}

/// The first hit of each type that is not known: a request has one hit of a type, whoever tells of it.
fn new_hits(record: &AttackRecord, mut known: BTreeSet<String>) -> Vec<&Hit> {
    record.hits.iter().filter(|hit| known.insert(hit.attack_type.as_str().to_owned())).collect()
}

/// What speaks against a record. Asked before anything of it is written, so that a refused record leaves no trace.
async fn validation_error(
    connection: &mut Connection,
    record: &AttackRecord,
) -> Result<Option<&'static str>, StoreError> {
    if record.hits.is_empty() {
        return Ok(Some("an attack record needs at least one hit"));
    }
    if !has_own_ids(record) {
        return Ok(Some("two hits of the record have the same id"));
    }
    for hit in &record.hits {
        if is_taken(connection, record, hit).await? {
            return Ok(Some("the id of a hit belongs to another hit"));
        }
    }
    Ok(None)
}

async fn is_taken(connection: &mut Connection, record: &AttackRecord, hit: &Hit) -> Result<bool, StoreError> {
    let other = sqlx::query("select 1 from hits where id = $1 and not (request_id = $2 and type = $3)")
        .bind(hit.id.to_string())
        .bind(record.request.request_id.to_string())
        .bind(hit.attack_type.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(other.is_some())
}

fn has_own_ids(record: &AttackRecord) -> bool {
    let ids: BTreeSet<_> = record.hits.iter().map(|hit| hit.id).collect();
    ids.len() == record.hits.len()
}
