//! The response reports of a batch that are the first on their requests. They are most of them, and stored with few statements.

use super::names;
use crate::store::{
    Connection, StoreError,
    ingest::{requests, responses},
    sql::{bulk::among, dialect::Dialect, text_codec::word},
};
use jiff::Timestamp;
use shared::{Enforced, Record, ResponseReport};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Stores them, and gives their places in the batch.
pub(super) async fn take(
    connection: &mut Connection,
    records: &[&Record],
    now: Timestamp,
) -> Result<BTreeSet<usize>, StoreError> {
    let candidates = candidates(records);
    if candidates.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<String> = candidates.iter().map(|(_, report)| report.request_id.to_string()).collect();
    let known = known(connection, &ids).await?;
    let waiting = waiting(connection, &ids).await?;
    let mut early = Vec::new();
    let mut answered: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for ((index, report), id) in candidates.into_iter().zip(ids) {
        match known.get(&id) {
            None if !waiting.contains(&id) => early.push(report),
            Some(request) if request.is_simple(report) => answered.entry(report.status).or_default().push(id),
            _ => continue,
        }
        taken.insert(index);
    }
    responses::keep_all(connection, &early, now).await?;
    for (status, ids) in answered {
        requests::first_answers(connection, &ids, i64::from(status)).await?;
    }
    Ok(taken)
}

/// The only reports of the batch on their requests, with nothing else to tell.
fn candidates<'a>(records: &[&'a Record]) -> Vec<(usize, &'a ResponseReport)> {
    let mut reports: BTreeMap<_, Vec<(usize, &ResponseReport)>> = BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        if let Record::Response(report) = record {
            reports.entry(report.request_id).or_default().push((index, report));
        }
    }
    let is_good =
        |record: &ResponseReport| record.not_inspected.is_empty() && names::of_response(record).is_none();
    let only = |reports: Vec<(usize, &'a ResponseReport)>| match reports[..] {
        [(index, report)] if is_good(report) => Some((index, report)),
        _ => None,
    };
    reports.into_values().filter_map(only).collect()
}

/// What is known of a request.
struct Known {
    is_answered: bool,
    /// That it went on is known, whatever was decided.
    has_passed: bool,
}

impl Known {
    /// Whether all that a report tells of the request is its status.
    fn is_simple(&self, report: &ResponseReport) -> bool {
        !self.is_answered && (self.has_passed || !responses::may_prove_passage(report))
    }
}

async fn known(connection: &mut Connection, ids: &[String]) -> Result<HashMap<String, Known>, StoreError> {
    let query = "select request_id, response_status, enforced from requests where request_id";
    let rows: Vec<(String, Option<i64>, String)> =
        among(Dialect::of(connection), query, ids).fetch_all(connection).await?;
    let no = word(&Enforced::No);
    let known = |(id, status, enforced): (String, Option<i64>, String)| {
        (id, Known { is_answered: status.is_some(), has_passed: enforced == no })
    };
    Ok(rows.into_iter().map(known).collect())
}

/// The requests that reports wait for.
async fn waiting(connection: &mut Connection, ids: &[String]) -> Result<HashSet<String>, StoreError> {
    let query = "select request_id from pending_responses where request_id";
    let rows: Vec<(String,)> = among(Dialect::of(connection), query, ids).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
