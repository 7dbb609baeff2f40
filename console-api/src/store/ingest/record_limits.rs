//! Limits of the texts and lists of a record. No benign node exceeds them, whatever it inspects.

use crate::{coverage::day, store::sql::text_codec};
use jiff::{Timestamp, civil::Date};
use shared::{
    AttackRecord, ConnectorInfo, CoverageCount, CoverageRecord, Finding, Hit, Point, RecordedRequest,
    ResponseReport, Trigger,
    point::Key,
    record_limits::{MAX_HEADER_BYTES, MAX_HEADERS, MAX_PATH_BYTES, MAX_QUERY_BYTES, MAX_WORD_BYTES},
};
use std::collections::BTreeSet;

/// Twice what a node keeps of a body.
const MAX_BODY_BYTES: usize = 128 << 10;
/// More than attack types exist: one hit for each.
const MAX_HITS: usize = 100;
/// The engine keeps 64 and one of each type.
const MAX_FINDINGS: usize = 200;
/// Nodes keep 64 steps and 1 KB; older ones kept the 128 levels of a document, with 100 characters each.
const MAX_STEPS: usize = 1024;
const MAX_POINT_BYTES: usize = 32 << 10;
const MAX_PAYLOAD_BYTES: usize = 4 * Finding::PAYLOAD_CHARS;
/// Decoded layers, parts of a score, classes, and rules that suppressed findings.
const MAX_PARTS: usize = 100;
/// All texts of the hits of a record. A node's largest are a third of it.
const MAX_HITS_BYTES: usize = 1 << 20;
const MAX_NOT_INSPECTED: usize = 10_000;
/// Nodes count at most 500 requests at a time.
const MAX_COUNTS: usize = 1000;
/// Sums stay far below the range of a number of the database.
const MAX_REQUESTS: u64 = 1_000_000_000;
const MAX_NAME_BYTES: usize = 255;
/// CloudFront did not exist before.
const EARLIEST_DAY: Date = jiff::civil::date(2000, 1, 1);

/// The first limit that an attack record exceeds.
pub(super) fn of_attack(record: &AttackRecord) -> Option<String> {
    let (country, decision) = (record.location.country.as_deref(), &record.decision);
    let reason = decision.reason.as_ref().map(text_codec::word);
    of_request(&record.request)
        .or_else(|| name("the reason", reason.as_deref()))
        .or_else(|| name("the source of the mode", Some(&decision.mode_source)))
        .or_else(|| {
            // Some databases have an empty code.
            let is_long = country.is_some_and(|code| code.len() > 2);
            is_long.then(|| "the country is no code of two letters".to_owned())
        })
        .or_else(|| {
            count(
                "the list of rules that suppressed findings",
                decision.decided_by.silenced_by.len(),
                MAX_PARTS,
            )
        })
        .or_else(|| count("the list of hits", record.hits.len(), MAX_HITS))
        .or_else(|| {
            let types: BTreeSet<_> = record.hits.iter().map(|hit| &hit.attack_type).collect();
            (types.len() != record.hits.len()).then(|| "two hits of the record have the same type".to_owned())
        })
        .or_else(|| record.hits.iter().find_map(of_hit))
        .or_else(|| size("the list of hits", record.hits.iter().map(hit_bytes).sum(), MAX_HITS_BYTES))
}

/// The first limit that a response report exceeds.
pub(super) fn of_response(report: &ResponseReport) -> Option<String> {
    let logged = report.logged.as_ref();
    let words = logged.into_iter().flat_map(|it| {
        [
            &it.result_type,
            &it.response_result_type,
            &it.detailed_result_type,
            &it.edge_location,
            &it.path_pattern,
            &it.tls_version,
        ]
    });
    let connector = report.connector.as_ref();
    name("the trigger", connector.and_then(|it| it.event.as_ref()).map(Trigger::as_str))
        .or_else(|| of_connector(connector))
        .or_else(|| word("the edge request id", report.edge_request_id.as_deref()))
        .or_else(|| words.into_iter().find_map(|it| word("a text of the log", it.as_deref())))
        .or_else(|| of_headers(&report.headers))
        .or_else(|| {
            count("the list of requests without inspection", report.not_inspected.len(), MAX_NOT_INSPECTED)
        })
}

/// The first limit that counts of coverage exceed.
pub(super) fn of_coverage(record: &CoverageRecord, latest: Timestamp) -> Option<String> {
    let latest = day(latest);
    let of_count = |one: &CoverageCount| {
        let is_day = one.day.is_none_or(|day| day >= EARLIEST_DAY && day.to_string() <= latest);
        let is_sum = one.totals.all().into_iter().all(|number| number <= one.totals.requests);
        coverage_name("the distribution", &one.distribution_id)
            .or_else(|| coverage_name("the behavior", &one.behavior))
            .or_else(|| (!is_day).then(|| "the day is before 2000 or after the console's".to_owned()))
            .or_else(|| (!is_sum).then(|| "a part of the requests is larger than their number".to_owned()))
            .or_else(|| {
                let is_large = one.totals.requests > MAX_REQUESTS;
                is_large.then(|| format!("a count has more than {MAX_REQUESTS} requests"))
            })
    };
    (record.sequence == 0 || i64::try_from(record.sequence).is_err())
        .then(|| "the sequence of the counts is out of range".to_owned())
        .or_else(|| count("the list of counts", record.counts.len(), MAX_COUNTS))
        .or_else(|| record.counts.iter().find_map(of_count))
}

/// Names are stored and indexed as they are.
fn coverage_name(what: &str, text: &str) -> Option<String> {
    let is_bad = text.is_empty() || text.len() > MAX_NAME_BYTES || text.contains(char::is_control);
    is_bad
        .then(|| format!("{what} is empty, longer than {MAX_NAME_BYTES} bytes, or holds a control character"))
}

fn of_request(request: &RecordedRequest) -> Option<String> {
    let body = request.body.as_ref().map_or(0, |body| body.0.len());
    let connector = request.connector.as_ref();
    word("the host", Some(&request.host))
        .or_else(|| request.host.is_empty().then(|| "the host is empty".to_owned()))
        .or_else(|| size("the path", request.path.len(), MAX_PATH_BYTES))
        .or_else(|| word("the method", Some(&request.method)))
        .or_else(|| size("the query", request.query.len(), MAX_QUERY_BYTES))
        .or_else(|| of_headers(&request.headers))
        .or_else(|| size("the body", body, MAX_BODY_BYTES))
        .or_else(|| name("the scheme", request.scheme.as_deref()))
        .or_else(|| name("the HTTP version", request.http_version.as_deref()))
        .or_else(|| of_connector(connector))
        .or_else(|| word("the trigger", connector.and_then(|it| it.event.as_ref()).map(Trigger::as_str)))
        .or_else(|| name("the edge request id", connector.and_then(|it| it.edge_request_id.as_deref())))
}

fn of_headers(headers: &[(String, String)]) -> Option<String> {
    let bytes = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    count("the list of headers", headers.len(), MAX_HEADERS)
        .or_else(|| size("the list of headers", bytes, MAX_HEADER_BYTES))
}

fn of_connector(connector: Option<&ConnectorInfo>) -> Option<String> {
    let connector = connector?;
    word("the kind of the connector", Some(&connector.kind))
        .or_else(|| word("the version of the connector", Some(&connector.version)))
        .or_else(|| word("the distribution", connector.distribution_id.as_deref()))
        .or_else(|| word("the domain of the distribution", connector.distribution_domain.as_deref()))
}

fn of_hit(hit: &Hit) -> Option<String> {
    name("the type of a hit", Some(hit.attack_type.as_str()))
        .or_else(|| of_point(&hit.point))
        .or_else(|| count("the list of findings", hit.findings.len(), MAX_FINDINGS))
        .or_else(|| hit.findings.iter().find_map(of_finding))
}

fn of_finding(finding: &Finding) -> Option<String> {
    let class = finding.class.as_ref();
    let classes = class.map_or(0, |class| class.cwe.len() + class.owasp.len() + class.capec.len());
    of_point(&finding.point)
        .or_else(|| word("the type of a finding", Some(finding.attack_type.as_str())))
        .or_else(|| word("the signature of a finding", Some(&finding.signature)))
        .or_else(|| size("the payload of a finding", finding.payload.len(), MAX_PAYLOAD_BYTES))
        .or_else(|| count("the list of decoded layers", finding.decoded.len(), MAX_PARTS))
        .or_else(|| finding.decoded.iter().find_map(|layer| word("a decoded layer", Some(layer))))
        .or_else(|| count("the list of score parts", finding.score.len(), MAX_PARTS))
        .or_else(|| finding.score.iter().find_map(|part| word("a reason of a score", Some(&part.reason))))
        .or_else(|| count("the list of classes", classes, MAX_PARTS))
        .or_else(|| word("the subtype of a finding", class.map(|class| class.subtype.as_str())))
        .or_else(|| class?.owasp.iter().find_map(|category| word("an OWASP category", Some(category))))
}

fn of_point(point: &Point) -> Option<String> {
    count("a point", point.0.len(), MAX_STEPS)
        .or_else(|| size("a point", point_bytes(point), MAX_POINT_BYTES))
}

fn point_bytes(point: &Point) -> usize {
    let bytes = point.0.iter().map(|step| {
        let name = if let Some(Key::Name(name)) = &step.key { name.len() } else { 0 };
        step.tag.as_str().len() + name
    });
    bytes.sum()
}

fn hit_bytes(hit: &Hit) -> usize {
    let findings = hit.findings.iter().map(|finding| {
        let layers: usize = finding.decoded.iter().map(String::len).sum();
        let reasons: usize = finding.score.iter().map(|part| part.reason.len()).sum();
        let owasp: usize = finding.class.iter().flat_map(|class| &class.owasp).map(String::len).sum();
        point_bytes(&finding.point)
            + finding.signature.len()
            + finding.payload.len()
            + layers
            + reasons
            + owasp
    });
    point_bytes(&hit.point) + findings.sum::<usize>()
}

/// The limits of the reason of a request that was not inspected.
pub(super) fn of_reason(reason: &str) -> Option<String> {
    name("the reason of what was not inspected", Some(reason))
}

/// The limits of the version of a node.
pub(super) fn of_version(version: &str) -> Option<String> {
    name("the node's version", Some(version))
}

/// A word that is stored and shown as it is.
fn name(what: &str, text: Option<&str>) -> Option<String> {
    let has_control = || text?.contains(char::is_control).then(|| format!("{what} has a control character"));
    word(what, text).or_else(has_control)
}

fn word(what: &str, text: Option<&str>) -> Option<String> {
    size(what, text?.len(), MAX_WORD_BYTES)
}

fn size(what: &str, bytes: usize, limit: usize) -> Option<String> {
    (bytes > limit).then(|| format!("{what} has {bytes} bytes, more than {limit}"))
}

fn count(what: &str, entries: usize, limit: usize) -> Option<String> {
    (entries > limit).then(|| format!("{what} has {entries} entries, more than {limit}"))
}
