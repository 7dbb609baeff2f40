//! Requests that connectors and logs report.

use super::{
    firehose::{line, with_logs},
    *,
};
use crate::server::LogTally;

/// As a connector sends it.
fn from_connector(id: &str, path: &str) -> Value {
    let mut message = get(path, "");
    message["request_id"] = RequestId::derive("E1", id).to_string().into();
    message
}

/// The first count in the spool.
fn first_totals(harness: &Harness) -> shared::CoverageTotals {
    let totals = harness.records().into_iter().find_map(|record| match record {
        Record::Coverage(coverage) => coverage.counts.first().map(|count| count.totals),
        _ => None,
    });
    totals.unwrap()
}

#[tokio::test]
async fn a_request_that_a_connector_sent_is_only_completed_by_its_record() {
    let harness = with_logs("");
    harness.inspect(&from_connector("a==", "/etc/passwd")).await.verdict();
    harness.inspect(&from_connector("b==", "/")).await.verdict();
    // Whatever its record shows.
    harness.deliver(&[line("a==", "/etc/passwd"), line("b==", "/etc/passwd")]).await;
    assert_eq!(harness.node.log_totals.get(), LogTally { completed: 2, ..LogTally::default() });
    let attacks = harness.records().into_iter().filter(|record| matches!(record, Record::Attack(_)));
    assert_eq!(attacks.count(), 1);
    let totals = first_totals(&harness);
    assert_eq!((totals.requests, totals.edge, totals.log_attacks), (2, 2, 0));
    let reports = harness.reports();
    let reported: Vec<_> = reports.iter().map(|report| (report.request_id, report.status)).collect();
    assert_eq!(reported, [(RequestId::derive("E1", "a=="), 200)], "a report only for the hit");
}

#[tokio::test]
async fn a_request_that_a_function_passed_without_a_verdict_counts_as_failed_open() {
    let harness = with_logs("");
    let mut message = from_connector("b==", "/");
    let report = json!({"id": "6f1e4a0c-6d0e-4b43-9c39-0e0a3c3a4f10", "reason": "node_timeout",
        "request_id": RequestId::derive("E1", "a==").to_string(), "at": "2026-01-01T00:00:00Z"});
    message["not_inspected"] = json!([report]);
    harness.inspect(&message).await.verdict();
    harness.deliver(&[line("a==", "/etc/passwd"), line("c==", "/")]).await;
    let totals = first_totals(&harness);
    assert_eq!((totals.requests, totals.fail_open, totals.cached, totals.log_attacks), (2, 1, 1, 1));
}

#[tokio::test]
async fn records_neither_count_for_their_source_nor_put_it_on_a_list() {
    let mut harness = with_logs("");
    let node = Arc::get_mut(&mut harness.node).unwrap();
    let controls = config_of(
        "behaviour: {controls: [{type: rate_limit, more_than: 1, within: 1m, reaction: deny}], payloads: {more_than: 1}}",
    );
    node.behaviour = Arc::new(Behaviour::new(&controls.behaviour));
    let paths = ["/etc/passwd", "/?x=1%27+or+1=1--", "/<script>alert(1)</script>", "/etc/shadow", "/"];
    let lines: Vec<_> = paths.iter().enumerate().map(|(n, path)| line(&format!("{n}=="), path)).collect();
    harness.deliver(&lines).await;
    assert_eq!(harness.node.behaviour.stats().sources, 0);
    let verdict = harness.inspect(&from_connector("x==", "/")).await.verdict();
    assert_eq!(verdict.action, Action::Allow);
}
