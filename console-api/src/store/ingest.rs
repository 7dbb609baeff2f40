//! Ingest of delivered records: one transaction per batch; each record is stored, a duplicate or
//! rejected.

mod arrivals;
mod change_set;
pub(crate) mod connectors;
pub(crate) mod coverage;
pub(crate) mod facets;
pub(crate) mod grouping;
pub(crate) mod nodes;
pub(crate) mod not_inspected;
mod record_limits;
pub(crate) mod requests;
pub(crate) mod responses;
pub(crate) mod rule_hits;
pub(crate) mod sources;
pub(crate) mod statuses;
pub(crate) mod time_buckets;
mod valid_record;

use change_set::RecordChange;
use grouping::NewHit;
use requests::StoredRequest;
pub use valid_record::{ValidRecord, node_validation_error, plausible};

use crate::facet::Facets;
use crate::store::{Connection, Store, StoreError, sql::dialect::Dialect};
use jiff::Timestamp;
use shared::{
    AttackRecord, Hit, NotInspected, Record, RecordedRequest, ResponseReport,
    record::{NodeInfo, NodeStatus},
};
use sqlx::{Any, Transaction};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The result of a delivered record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ingested {
    /// It changed stored data.
    Stored,
    /// It was already stored.
    Duplicate,
    /// It is invalid: nothing of it was stored.
    Rejected(String),
}

impl Ingested {
    fn new(is_new: bool) -> Self {
        if is_new { Self::Stored } else { Self::Duplicate }
    }
}

/// Hits and reports that are stored in one transaction, so that others write in between. A record is
/// never split.
const MAX_OF_A_PIECE: usize = 2000;

/// The records in pieces, each for one transaction; one empty piece without records.
pub fn pieces(mut records: &[Result<ValidRecord, String>]) -> Vec<&[Result<ValidRecord, String>]> {
    let mut pieces = Vec::new();
    loop {
        let mut sum = 0;
        let fits = records.iter().take_while(|record| {
            sum += rows(record);
            sum <= MAX_OF_A_PIECE
        });
        let length = fits.count().max(1).min(records.len());
        let (piece, rest) = records.split_at(length);
        pieces.push(piece);
        if rest.is_empty() {
            return pieces;
        }
        records = rest;
    }
}

/// The hits or reports of a record; one for others.
pub fn rows(record: &Result<ValidRecord, String>) -> usize {
    record.as_ref().map_or(1, ValidRecord::rows)
}

/// A delivery of a node.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    pub node: &'a NodeInfo,
    /// The SHA-256 of the token. Absent: the delivery binds the node to no token.
    pub token: Option<&'a str>,
    pub status: Option<&'a NodeStatus>,
    /// The console's clock: a node's may be wrong.
    pub now: Timestamp,
}

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error(
        "the node {0} is bound to another token: revoke that token, or release the node on the page of nodes"
    )]
    NodeOfAnotherToken(Uuid),
    #[error("the token has delivered for {limit} nodes in a day; give further nodes a token of their own")]
    TooManyNodes { limit: i64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The node that delivers a batch, and the time of the delivery.
#[derive(Debug, Clone, Copy)]
struct Delivered {
    node: Uuid,
    now: Timestamp,
}

impl Store {
    /// Begins a transaction that may group hits.
    pub(crate) async fn begin_ingest(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let mut transaction = self.begin_write().await?;
        lock_attacks(&mut transaction).await?;
        Ok(transaction)
    }

    /// Stores a batch of a node, and returns the result of each record once all is committed.
    pub async fn ingest(
        &self,
        delivery: Delivery<'_>,
        records: &[Result<ValidRecord, String>],
    ) -> Result<Vec<Ingested>, IngestError> {
        let Delivery { node, now, .. } = delivery;
        let mut transaction = self.begin_ingest().await?;
        if nodes::exceeds_limit(&mut transaction, &delivery).await? {
            return Err(IngestError::TooManyNodes { limit: nodes::MAX_NODES });
        }
        if !nodes::seen(&mut transaction, &delivery).await? {
            return Err(IngestError::NodeOfAnotherToken(node.id));
        }
        let from = Delivered { node: node.id, now };
        let ingested = ingest_all(&mut transaction, records, from).await?;
        if records.iter().flatten().any(|record| matches!(record.get(), Record::Response(_))) {
            responses::prune(&mut transaction, now).await?;
        }
        transaction.commit().await.map_err(StoreError::from)?;
        Ok(ingested)
    }
}

/// Makes ingest by other consoles wait for this transaction: it may merge attacks.
pub(crate) async fn lock_attacks(connection: &mut Connection) -> Result<(), StoreError> {
    if let Some(statement) = Dialect::of(connection).lock_attacks() {
        sqlx::query(statement).execute(connection).await?;
    }
    Ok(())
}

/// Applies the bulk changes first, then the others one by one: the order makes no difference.
async fn ingest_all(
    connection: &mut Connection,
    records: &[Result<ValidRecord, String>],
    from: Delivered,
) -> Result<Vec<Ingested>, StoreError> {
    let changes = change_set::changes(connection, records).await?;
    change_set::apply_bulk(connection, &changes, from).await?;
    let mut ingested = Vec::with_capacity(changes.len());
    for change in changes {
        ingested.push(match change {
            RecordChange::Rejected(reason) => Ingested::Rejected(reason.to_owned()),
            RecordChange::Update(record) => update(connection, record, from).await?,
            RecordChange::NewRequest(_) | RecordChange::EarlyReport(_) | RecordChange::FirstResponse(_) => {
                Ingested::Stored
            }
        });
    }
    Ok(ingested)
}

async fn update(
    connection: &mut Connection,
    record: &Record,
    from: Delivered,
) -> Result<Ingested, StoreError> {
    match record {
        Record::Attack(attack) => update_attack(connection, attack, from).await,
        Record::Response(report) => add_response(connection, report, from).await,
        Record::NotInspected(entry) => add_not_inspected(connection, entry, from).await,
        Record::Coverage(counts) => Ok(Ingested::new(coverage::record(connection, counts, from.now).await?)),
    }
}

async fn update_attack(
    connection: &mut Connection,
    record: &AttackRecord,
    from: Delivered,
) -> Result<Ingested, StoreError> {
    for hit in &record.hits {
        if belongs_to_another_hit(connection, record, hit).await? {
            return Ok(Ingested::Rejected("the id of a hit belongs to another hit".to_owned()));
        }
    }
    let request = &record.request;
    let is_new = requests::record(connection, request, &record.decision).await?;
    let known = types_of(connection, request).await?;
    let hits = new_hits(record, known);
    if hits.is_empty() {
        return Ok(Ingested::new(is_new));
    }
    // Stored above, in this transaction.
    let stored = requests::stored(connection, request.request_id).await?.ok_or(sqlx::Error::RowNotFound)?;
    let StoredRequest { client_ip, ref decision, response_status: status, .. } = stored;
    let new_hit = |hit| {
        let facets = Facets::of(request, decision, &record.location, from.node, hit);
        NewHit { request, hit, decision, client_ip, status, facets }
    };
    grouping::add(connection, hits.into_iter().map(new_hit).collect()).await?;
    Ok(Ingested::Stored)
}

async fn add_response(
    connection: &mut Connection,
    report: &ResponseReport,
    from: Delivered,
) -> Result<Ingested, StoreError> {
    let mut is_new = responses::record(connection, report, from.now).await?;
    for entry in &report.not_inspected {
        is_new |= not_inspected::record(connection, entry, from.node).await?;
    }
    Ok(Ingested::new(is_new))
}

async fn add_not_inspected(
    connection: &mut Connection,
    entry: &NotInspected,
    from: Delivered,
) -> Result<Ingested, StoreError> {
    Ok(Ingested::new(not_inspected::record(connection, entry, from.node).await?))
}

/// The types of the stored hits of a request.
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

/// The first hit of each unknown type: a request has one hit of a type, whichever node reports it.
fn new_hits(record: &AttackRecord, mut known: BTreeSet<String>) -> Vec<&Hit> {
    record.hits.iter().filter(|hit| known.insert(hit.attack_type.as_str().to_owned())).collect()
}

async fn belongs_to_another_hit(
    connection: &mut Connection,
    record: &AttackRecord,
    hit: &Hit,
) -> Result<bool, StoreError> {
    let other = sqlx::query("select 1 from hits where id = $1 and not (request_id = $2 and type = $3)")
        .bind(hit.id.to_string())
        .bind(record.request.request_id.to_string())
        .bind(hit.attack_type.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(other.is_some())
}
