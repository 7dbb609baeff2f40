//! The change set of a batch: which records are stored in bulk, and which update known rows one by
//! one.
//!
//! Most records are new requests or the first reports on their requests. The stored rows with ids
//! of the batch are loaded with a few statements; then each record is classified without further
//! lookups.

use super::{Delivered, new_hits, valid_record::ValidRecord};
use crate::facet::Facets;
use crate::store::{
    Connection, StoreError,
    ingest::{
        grouping::{self, NewHit},
        requests, responses,
    },
    sql::{bulk::among, dialect::Dialect, text_codec::word},
};
use shared::{AttackRecord, Enforced, Record, RequestId, ResponseReport};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The change that a record makes.
pub(super) enum RecordChange<'r> {
    /// Adds an unknown request with unknown hits.
    NewRequest(&'r AttackRecord),
    /// Parks a report until its request arrives.
    EarlyReport(&'r ResponseReport),
    /// Adds the status of a known request.
    FirstResponse(&'r ResponseReport),
    /// Updates known rows, or may do so: applied one by one.
    Update(&'r Record),
    /// No change, for this reason.
    Rejected(&'r str),
}

/// The part of the state of a request that reports change.
#[derive(Clone, Copy)]
struct RequestState {
    has_response: bool,
    /// Whether it is known to have reached the origin.
    has_passed: bool,
}

/// The stored state of the ids in a batch.
struct StoredState {
    requests: HashMap<String, RequestState>,
    /// Requests with parked reports.
    pending: HashSet<String>,
    /// Ids of requests and hits with rows in any table. Only those of hits have hyphens.
    ids: HashSet<String>,
}

/// The changes of records, in their order.
pub(super) async fn changes<'r>(
    connection: &mut Connection,
    records: &'r [Result<ValidRecord, String>],
) -> Result<Vec<RecordChange<'r>>, StoreError> {
    let mut known = StoredState::load(connection, records).await?;
    let mut reports: HashMap<RequestId, u32> = HashMap::new();
    let mut changes: Vec<_> = records
        .iter()
        .map(|record| match record.as_ref().map(ValidRecord::get) {
            Err(reason) => RecordChange::Rejected(reason),
            Ok(Record::Attack(attack)) if known.take_new(attack) => RecordChange::NewRequest(attack),
            Ok(record) => {
                if let Record::Response(report) = record {
                    *reports.entry(report.request_id).or_default() += 1;
                }
                RecordChange::Update(record)
            }
        })
        .collect();
    // Reports are classified when all new requests of the batch are known.
    for change in &mut changes {
        if let RecordChange::Update(Record::Response(report)) = change
            && reports.get(&report.request_id) == Some(&1)
            && let Some(simple) = known.simple_report(report)
        {
            *change = simple;
        }
    }
    Ok(changes)
}

impl StoredState {
    async fn load(
        connection: &mut Connection,
        records: &[Result<ValidRecord, String>],
    ) -> Result<Self, StoreError> {
        let (mut requests, mut hits) = (Vec::new(), Vec::new());
        for record in records.iter().flatten() {
            match record.get() {
                Record::Attack(attack) => {
                    requests.push(attack.request.request_id.to_string());
                    hits.extend(attack.hits.iter().map(|hit| hit.id.to_string()));
                }
                Record::Response(report) => requests.push(report.request_id.to_string()),
                Record::NotInspected(_) | Record::Coverage(_) => {}
            }
        }
        let query = "select request_id, response_status, enforced from requests where request_id";
        let rows: Vec<(String, Option<i64>, String)> =
            among(Dialect::of(connection), query, &requests).fetch_all(&mut *connection).await?;
        let no = word(&Enforced::No);
        let state = |(id, status, enforced): (String, Option<i64>, String)| {
            (id, RequestState { has_response: status.is_some(), has_passed: enforced == no })
        };
        let known_requests: HashMap<_, _> = rows.into_iter().map(state).collect();
        let pending = "select request_id from pending_responses where request_id";
        let pending = existing(connection, pending, &requests).await?;
        let not_inspected = "select request_id from not_inspected where request_id";
        let mut ids = existing(connection, not_inspected, &requests).await?;
        ids.extend(existing(connection, "select id from hits where id", &hits).await?);
        ids.extend(pending.iter().chain(known_requests.keys()).cloned());
        Ok(Self { requests: known_requests, pending, ids })
    }

    /// Whether the request and the hits of an attack are unknown. Later records with one of their
    /// ids are updates.
    fn take_new(&mut self, attack: &AttackRecord) -> bool {
        let request = attack.request.request_id.to_string();
        let mut ids: Vec<String> = attack.hits.iter().map(|hit| hit.id.to_string()).collect();
        ids.push(request.clone());
        let is_new = ids.iter().all(|id| !self.ids.contains(id));
        self.ids.extend(ids);
        if is_new {
            let has_passed = attack.decision.enforced == Enforced::No;
            self.requests.insert(request, RequestState { has_response: false, has_passed });
        }
        is_new
    }

    /// The change of the only report on its request, if it changes nothing but the status.
    fn simple_report<'r>(&self, report: &'r ResponseReport) -> Option<RecordChange<'r>> {
        let id = report.request_id.to_string();
        match self.requests.get(&id) {
            _ if !report.not_inspected.is_empty() => None,
            None if self.pending.contains(&id) => None,
            None => Some(RecordChange::EarlyReport(report)),
            Some(state) => {
                let is_simple = report.logged.is_none()
                    && !state.has_response
                    && (state.has_passed || !responses::may_prove_passage(report));
                is_simple.then_some(RecordChange::FirstResponse(report))
            }
        }
    }
}

/// The stored ids among these. `query` ends with their column.
async fn existing(
    connection: &mut Connection,
    query: &'static str,
    ids: &[String],
) -> Result<HashSet<String>, StoreError> {
    let rows: Vec<(String,)> = among(Dialect::of(connection), query, ids).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Applies the changes that are stored in bulk.
pub(super) async fn apply_bulk(
    connection: &mut Connection,
    changes: &[RecordChange<'_>],
    from: Delivered,
) -> Result<(), StoreError> {
    let (mut new, mut hits, mut early) = (Vec::new(), Vec::new(), Vec::new());
    let mut responded: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for change in changes {
        match change {
            RecordChange::NewRequest(record) => {
                let (request, decision) = (&record.request, &record.decision);
                new.push((request, decision));
                let client_ip = request.client_ip;
                let new_hit = |hit| {
                    let facets = Facets::of(request, decision, &record.location, from.node, hit);
                    NewHit { request, hit, decision, client_ip, status: None, facets }
                };
                hits.extend(new_hits(record, BTreeSet::new()).into_iter().map(new_hit));
            }
            RecordChange::EarlyReport(report) => early.push(*report),
            RecordChange::FirstResponse(report) => {
                responded.entry(report.status).or_default().push(report.request_id.to_string());
            }
            RecordChange::Update(_) | RecordChange::Rejected(_) => {}
        }
    }
    requests::insert(connection, &new).await?;
    grouping::add(connection, hits).await?;
    responses::keep_all(connection, &early, from.now).await?;
    for (status, ids) in responded {
        requests::first_responses(connection, &ids, i64::from(status)).await?;
    }
    Ok(())
}
