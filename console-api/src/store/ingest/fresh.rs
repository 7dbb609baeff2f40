//! The attack records of a batch of which nothing is known yet. They are most of them, and stored with few statements.

use super::{has_own_ids, names, new_hits};
use crate::store::{
    Connection, StoreError,
    ingest::{
        grouping::{self, NewHit},
        requests,
    },
    sql::{bulk::among, dialect::Dialect},
};
use shared::{AttackRecord, Record};
use std::collections::{BTreeSet, HashSet};

/// Stores them, and gives their places in the batch.
pub(super) async fn take(
    connection: &mut Connection,
    records: &[&Record],
) -> Result<BTreeSet<usize>, StoreError> {
    let candidates: Vec<(usize, &AttackRecord)> =
        records.iter().enumerate().filter_map(|(index, record)| Some((index, candidate(record)?))).collect();
    let mut told = told(connection, &candidates).await?;
    let is_fresh = |(_, record): &(usize, &AttackRecord)| {
        let names: Vec<String> = names_of(record).collect();
        let is_fresh = names.iter().all(|name| !told.contains(name));
        told.extend(names);
        is_fresh
    };
    let fresh: Vec<(usize, &AttackRecord)> = candidates.into_iter().filter(is_fresh).collect();
    store(connection, &fresh).await?;
    Ok(fresh.into_iter().map(|(index, _)| index).collect())
}

/// An attack record that can be stored, as far as it tells by itself.
fn candidate(record: &Record) -> Option<&AttackRecord> {
    let Record::Attack(attack) = record else { return None };
    let is_good = !attack.hits.is_empty() && has_own_ids(attack) && names::validation_error(record).is_none();
    is_good.then_some(attack)
}

/// Of the ids of requests and hits, those that something is known of.
async fn told(
    connection: &mut Connection,
    records: &[(usize, &AttackRecord)],
) -> Result<HashSet<String>, StoreError> {
    let dialect = Dialect::of(connection);
    let requests: Vec<String> =
        records.iter().map(|(_, record)| record.request.request_id.to_string()).collect();
    let hits: Vec<String> =
        records.iter().flat_map(|(_, record)| &record.hits).map(|hit| hit.id.to_string()).collect();
    let mut told = HashSet::new();
    for (query, ids) in [
        ("select request_id from requests where request_id", &requests),
        ("select request_id from pending_responses where request_id", &requests),
        ("select request_id from not_inspected where request_id", &requests),
        ("select id from hits where id", &hits),
    ] {
        let known: Vec<(String,)> = among(dialect, query, ids).fetch_all(&mut *connection).await?;
        told.extend(known.into_iter().map(|(id,)| id));
    }
    Ok(told)
}

/// The ids of a record. Those of requests and of hits cannot be mixed up: the latter have hyphens.
fn names_of(record: &AttackRecord) -> impl Iterator<Item = String> {
    let request = record.request.request_id.to_string();
    [request].into_iter().chain(record.hits.iter().map(|hit| hit.id.to_string()))
}

async fn store(connection: &mut Connection, fresh: &[(usize, &AttackRecord)]) -> Result<(), StoreError> {
    let decided: Vec<_> = fresh.iter().map(|(_, record)| (&record.request, &record.decision)).collect();
    requests::insert(connection, &decided).await?;
    let mut hits = Vec::new();
    for (_, record) in fresh {
        let is_enforced = requests::is_enforced(&record.decision);
        let new = new_hits(record, BTreeSet::new());
        hits.extend(new.into_iter().map(|hit| NewHit {
            request: &record.request,
            hit,
            is_enforced,
            status: None,
        }));
    }
    grouping::add(connection, hits).await
}
