//! Taking in what nodes deliver: one transaction a batch, each record told apart as new, known or refused.

mod names;

pub use names::objection_to_node;

use super::{
    Connection, Store, StoreError, grouping, nodes, not_inspected, requests, responses, words::word,
};
use jiff::Timestamp;
use shared::{AttackRecord, Hit, NotInspected, Record, ResponseReport, record::NodeInfo};
use sqlx::{Any, Transaction};
use std::collections::BTreeSet;

/// The transaction of a batch. Nothing of it is seen, or lasts, before [`Ingest::commit`].
pub struct Ingest {
    transaction: Transaction<'static, Any>,
    now: Timestamp,
    took_responses: bool,
}

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

impl Store {
    /// Begins to take in a batch of a node. `now` is the console's clock: a node's may be off.
    pub async fn ingest(&self, node: &NodeInfo, now: Timestamp) -> Result<Ingest, StoreError> {
        let mut transaction = self.writer.begin_with(self.dialect.begin_ingest()).await?;
        if let Some(statement) = self.dialect.lock_attacks() {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        nodes::seen(&mut transaction, node, now).await?;
        Ok(Ingest { transaction, now, took_responses: false })
    }
}

impl Ingest {
    pub async fn take(&mut self, record: &Record) -> Result<Kept, StoreError> {
        if let Some(reason) = names::objection(record) {
            return Ok(Kept::Refused(reason));
        }
        match record {
            Record::Attack(attack) => self.take_attack(attack).await,
            Record::Response(report) => self.take_response(report).await,
            Record::NotInspected(entry) => self.take_not_inspected(entry).await,
        }
    }

    pub async fn commit(mut self) -> Result<(), StoreError> {
        if self.took_responses {
            responses::prune(&mut self.transaction, self.now).await?;
        }
        Ok(self.transaction.commit().await?)
    }

    async fn take_attack(&mut self, record: &AttackRecord) -> Result<Kept, StoreError> {
        let connection = &mut *self.transaction;
        if let Some(reason) = objection(connection, record).await? {
            return Ok(Kept::Refused(reason.to_owned()));
        }
        let mut is_new = requests::record(connection, &record.request, &record.decision).await?;
        for hit in &record.hits {
            is_new |= grouping::record(connection, &record.request, hit).await?;
        }
        Ok(Kept::new(is_new))
    }

    async fn take_response(&mut self, report: &ResponseReport) -> Result<Kept, StoreError> {
        self.took_responses = true;
        let mut is_new = responses::record(&mut self.transaction, report, self.now).await?;
        for entry in &report.not_inspected {
            is_new |= not_inspected::record(&mut self.transaction, entry).await?;
        }
        Ok(Kept::new(is_new))
    }

    async fn take_not_inspected(&mut self, entry: &NotInspected) -> Result<Kept, StoreError> {
        Ok(Kept::new(not_inspected::record(&mut self.transaction, entry).await?))
    }
}

/// What speaks against a record. Asked before anything of it is written, so that a refused record leaves no trace.
async fn objection(
    connection: &mut Connection,
    record: &AttackRecord,
) -> Result<Option<&'static str>, StoreError> {
    if record.hits.is_empty() {
        return Ok(Some("an attack record needs at least one hit"));
    }
    let ids: BTreeSet<_> = record.hits.iter().map(|hit| hit.id).collect();
    if ids.len() < record.hits.len() {
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
