//! What a custom detector would have found in recorded requests.

use super::{
    ENGINE, Recorded, again, application,
    scan::{Progress, RequestScan, Scan, ScanLimits},
};
use crate::store::{Store, StoreError};
use engine::rules::RuleBook;
use jiff::Timestamp;
use serde::Serialize;
use shared::{Finding, RecordedRequest, RequestId, ruleset::Rule};
use tokio::task;

/// More are counted, and not listed.
const LISTED: usize = 100;

/// What a detector would have found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DetectorTest)]
pub struct Test {
    pub scanned: Progress,
    /// How many requests were looked at.
    pub requests: u64,
    /// In how many of them it would have found something.
    pub found: u64,
    /// The latest of those.
    pub items: Vec<Found>,
}

/// A request that the detector finds something in.
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

/// Tries a detector on what was recorded.
pub async fn test(store: &Store, rule: &Rule, which: Recorded) -> Result<Test, StoreError> {
    let mut scan = RequestScan::new(Scan::new(store.clone(), which, ScanLimits::CALL));
    let mut test = Test { scanned: Progress::default(), requests: 0, found: 0, items: Vec::new() };
    while let Some(requests) = scan.requests().await? {
        test.requests += requests.len() as u64;
        let rule = rule.clone();
        let look = move || {
            let (book, _) = RuleBook::compile(&[rule]);
            requests.into_iter().filter_map(|(request, _)| find(&book, request)).collect()
        };
        let found: Vec<Found> = task::spawn_blocking(look).await.expect("the engine takes any request");
        test.found += found.len() as u64;
        let room = LISTED - test.items.len();
        test.items.extend(found.into_iter().take(room));
    }
    test.scanned = scan.progress();
    Ok(test)
}

fn find(book: &RuleBook, request: RecordedRequest) -> Option<Found> {
    let at = request.at;
    let request_id = request.request_id;
    let request = again(request);
    let rules = book.of_request(&request.host, &request.path, &request.method, application(&request));
    let mut findings = ENGINE.inspect_under(&request, &rules).findings;
    // Signatures of rules begin with this word; there is but one rule.
    findings.retain(|finding| finding.signature.starts_with("rule-"));
    let (method, host, path) = (request.method, request.host, request.path);
    (!findings.is_empty()).then_some(Found { request_id, at, method, host, path, findings })
}
