//! Detector tests: the matches and the cost of a custom detector on recorded requests.

use super::{
    ENGINE,
    cost::{self, Cost},
    on_blocking_thread,
    scan::{RequestScan, Scan, ScanLimits},
    to_inspect_request,
};
use crate::{
    hit::HitFilter,
    replay::Progress,
    store::{Store, StoreError},
};
use engine::rules::RuleBook;
use jiff::Timestamp;
use serde::Serialize;
use shared::{Finding, RecordedRequest, RequestId, ruleset::Rule};
use std::sync::Arc;

/// The maximum number of listed requests; further ones are only counted.
const LISTED: usize = 100;

/// The result of a detector test.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DetectorTest)]
pub struct Test {
    pub scanned: Progress,
    /// Scanned requests.
    pub requests: u64,
    /// Requests with findings of the detector.
    pub found: u64,
    pub cost: Cost,
    /// The latest of them.
    pub items: Vec<Found>,
}

/// A request with findings of the detector.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DetectorFound)]
pub struct Found {
    pub request_id: RequestId,
    pub at: Timestamp,
    pub method: String,
    pub host: String,
    pub path: String,
    pub findings: Vec<Finding>,
}

/// Runs a detector on recorded requests.
pub async fn test(store: &Store, rule: Rule, hits: HitFilter) -> Result<Test, StoreError> {
    let compile = move || (Cost::of(&rule), RuleBook::compile(&[rule]).0);
    let (mut cost, book) = on_blocking_thread(compile).await;
    let book = Arc::new(book);
    let mut scan = RequestScan::new(Scan::new(store.clone(), hits, ScanLimits::CALL));
    let (mut requests, mut found, mut items) = (0, 0, Vec::new());
    while let Some(recorded) = scan.requests().await? {
        requests += recorded.len() as u64;
        let book = Arc::clone(&book);
        let find_all = move || {
            let recorded = recorded.into_iter().map(|(request, _)| request);
            let found: Vec<Found> = recorded.filter_map(|it| find(&book, it, &mut cost)).collect();
            (found, cost)
        };
        let found_here: Vec<Found>;
        (found_here, cost) = on_blocking_thread(find_all).await;
        found += found_here.len() as u64;
        let room = LISTED - items.len();
        items.extend(found_here.into_iter().take(room));
    }
    Ok(Test { scanned: scan.progress(), requests, found, cost, items })
}

fn find(book: &RuleBook, request: RecordedRequest, cost: &mut Cost) -> Option<Found> {
    let at = request.at;
    let request_id = request.request_id;
    let request = to_inspect_request(request);
    if !cost.is_measured() {
        cost.add(cost::added_time(book, &request));
    }
    let application = request.connector.as_ref().and_then(|connector| connector.application);
    let rules = book.select_for(&request.host, &request.path, &request.method, application);
    let mut findings = ENGINE.inspect_with_rules(&request, &rules).findings;
    // Signature ids of rules begin with this prefix; the book holds one rule.
    findings.retain(|finding| finding.signature.starts_with("rule-"));
    let (method, host, path) = (request.method, request.host, request.path);
    (!findings.is_empty()).then_some(Found { request_id, at, method, host, path, findings })
}
