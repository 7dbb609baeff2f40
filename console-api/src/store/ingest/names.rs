//! The short texts of a record that name something: stored as they are, and kept in indexes.

use shared::{AttackRecord, NotInspected, Record, ResponseReport, Trigger, record::NodeInfo};

/// More than any name has, and less than an entry of PostgreSQL's indexes may have.
const MAX_BYTES: usize = 1000;

/// What speaks against the names of a record.
pub(super) fn validation_error(record: &Record) -> Option<String> {
    match record {
        Record::Attack(record) => of_attack(record),
        Record::Response(report) => of_response(report),
        Record::NotInspected(entry) => of_not_inspected(entry),
    }
}

/// What speaks against what a node says of itself.
pub fn node_validation_error(node: &NodeInfo) -> Option<String> {
    check("the node's version", Some(&node.version))
}

fn of_attack(record: &AttackRecord) -> Option<String> {
    let (request, decision) = (&record.request, &record.decision);
    let connector = request.connector.as_ref();
    let edge_request_id = connector.and_then(|connector| connector.edge_request_id.as_deref());
    let reason = decision.reason.as_ref().map(super::word);
    check("the edge request id", edge_request_id)
        .or_else(|| check("the scheme", request.scheme.as_deref()))
        .or_else(|| check("the HTTP version", request.http_version.as_deref()))
        .or_else(|| check("the reason", reason.as_deref()))
        .or_else(|| check("the source of the mode", Some(&decision.mode_source)))
        .or_else(|| {
            record.hits.iter().find_map(|hit| check("the type of a hit", Some(hit.attack_type.as_str())))
        })
}

pub(super) fn of_response(report: &ResponseReport) -> Option<String> {
    let event = report.connector.as_ref().and_then(|connector| connector.event.as_ref());
    check("the trigger", event.map(Trigger::as_str))
        .or_else(|| report.not_inspected.iter().find_map(of_not_inspected))
}

fn of_not_inspected(entry: &NotInspected) -> Option<String> {
    check("the reason of what was not inspected", Some(entry.reason.as_str()))
}

fn check(what: &str, name: Option<&str>) -> Option<String> {
    let name = name?;
    let is_bad = name.len() > MAX_BYTES || name.contains(char::is_control);
    is_bad.then(|| format!("{what} is longer than {MAX_BYTES} bytes or holds a control character"))
}
