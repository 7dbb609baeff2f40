//! The record of a request with attacks: sensitive values masked, the body bounded.

use crate::{cut, mask::Masks};
use jiff::Timestamp;
use shared::{
    AttackRecord, Body, Decision, Finding, Hit, InspectRequest, Location, RecordedRequest, RequestId,
    point::Key,
};
use uuid::Uuid;

/// The recorded start of a body. Findings carry their payloads in any case.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The recorded start of a point: an attacker chooses its depth and names, and lists show it.
const MAX_POINT_STEPS: usize = 64;
const MAX_POINT_BYTES: usize = 1 << 10;

/// Makes a hit for each attack type among the findings, which are ordered by severity. `at` is the
/// time of the request.
pub(crate) fn record(
    request: InspectRequest,
    (request_id, at): (RequestId, Timestamp),
    decision: Decision,
    location: Location,
    findings: Vec<Finding>,
    masks: &Masks<'_>,
) -> AttackRecord {
    let mut hits: Vec<Hit> = Vec::new();
    let findings: Vec<Finding> =
        findings.into_iter().map(|finding| bounded(masks.finding(finding))).collect();
    let request = recorded(request, (request_id, at), masks, &findings);
    for finding in findings {
        match hits.iter_mut().find(|hit| hit.attack_type == finding.attack_type) {
            Some(hit) => hit.findings.push(finding),
            None => hits.push(Hit {
                id: Uuid::now_v7(),
                attack_type: finding.attack_type.clone(),
                point: finding.point.clone(),
                findings: vec![finding],
            }),
        }
    }
    AttackRecord { request, decision, location, hits }
}

/// The finding with the start of its point.
fn bounded(mut finding: Finding) -> Finding {
    let mut bytes = 0;
    let steps = finding.point.0.iter().take(MAX_POINT_STEPS).take_while(|step| {
        let name = if let Some(Key::Name(name)) = &step.key { name.len() } else { 0 };
        bytes += step.tag.as_str().len() + name;
        bytes <= MAX_POINT_BYTES
    });
    let kept = steps.count();
    finding.point.0.truncate(kept);
    finding
}

fn recorded(
    request: InspectRequest,
    (request_id, at): (RequestId, Timestamp),
    masks: &Masks<'_>,
    findings: &[Finding],
) -> RecordedRequest {
    let seen = request.body.as_ref().map_or(0, |Body(bytes)| bytes.len() as u64);
    let unseen = request.unseen_body.as_ref().and_then(|unseen| unseen.bytes);
    let mut recorded = RecordedRequest {
        request_id,
        at,
        connector: request.connector,
        client_ip: request.client_ip,
        method: request.method,
        scheme: request.scheme,
        http_version: request.http_version,
        host: request.host,
        path: request.path,
        query: request.query,
        headers: request.headers,
        body: request.body,
        body_bytes: unseen.map(|unseen| seen.saturating_add(unseen)),
        body_truncated: request.body_truncated,
    };
    // Before the body is truncated: a whole body can be parsed better.
    masks.request(&mut recorded, findings);
    if let Some(Body(bytes)) = &mut recorded.body
        && bytes.len() > MAX_BODY_BYTES
    {
        recorded.body_bytes.get_or_insert(seen);
        bytes.truncate(MAX_BODY_BYTES);
    }
    cut::request(&mut recorded);
    recorded
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::rules::RequestRules;
    use shared::{
        AttackType, DecidedBy, Delivery, Enforced, Mode, Outcome, Point, Severity, TruncationPolicy,
        UnseenBody, point::Tag,
    };

    fn finding(attack_type: AttackType, point: Point, payload: &str) -> Finding {
        Finding {
            attack_type,
            point,
            signature: "test".into(),
            class: None,
            severity: Severity::High,
            payload: payload.into(),
            span: (0, 0),
            decoded: Vec::new(),
            score: Vec::new(),
        }
    }

    fn record_of(headers: &[(&str, &str)], body: Vec<u8>, findings: Vec<Finding>) -> AttackRecord {
        let request = InspectRequest {
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: Some(Body(body)),
            ..serde_json::from_str(r#"{"client_ip":"::1","method":"POST","host":"h","path":"/"}"#).unwrap()
        };
        let decision = Decision {
            outcome: Outcome::Monitored,
            reason: None,
            mode: Mode::Monitoring,
            mode_source: "config".into(),
            delivery: Delivery::Inline,
            enforced: Enforced::No,
            decided_by: DecidedBy::default(),
        };
        let masks = Masks::of(&RequestRules::default(), Some(b"a key of the test"));
        record(
            request,
            (RequestId::random(), Timestamp::UNIX_EPOCH),
            decision,
            Location::default(),
            findings,
            &masks,
        )
    }

    #[test]
    fn findings_of_a_type_form_one_hit_at_the_first_point() {
        let findings = vec![
            finding(AttackType::Sqli, Point::get("a"), "1"),
            finding(AttackType::Xss, Point::get("b"), "2"),
            finding(AttackType::Sqli, Point::get("c"), "3"),
        ];
        let hits = record_of(&[], Vec::new(), findings).hits;
        let shape: Vec<_> = hits
            .iter()
            .map(|hit| (hit.attack_type.as_str(), hit.point.to_string(), hit.findings.len()))
            .collect();
        assert_eq!(shape, [("sqli", "get > a".to_owned(), 2), ("xss", "get > b".to_owned(), 1)]);
    }

    #[test]
    fn records_the_start_of_a_deep_point() {
        let json = Point::new(Tag::Post).then(Tag::JsonDoc);
        let deep = |depth, name: &str| (0..depth).fold(json.clone(), |point, _| point.named(Tag::Hash, name));
        let steps = |point: Point| {
            let hits = record_of(&[], Vec::new(), vec![finding(AttackType::Sqli, point, "1")]).hits;
            assert_eq!(hits[0].point, hits[0].findings[0].point);
            hits[0].point.0.len()
        };
        assert_eq!(steps(deep(30, "key")), 32);
        assert_eq!(steps(deep(128, "key")), MAX_POINT_STEPS);
        assert_eq!(steps(deep(128, &"k".repeat(100))), 11);
    }

    #[test]
    fn secrets_reach_neither_the_request_nor_the_payload() {
        let headers = [("Authorization", "Bearer s3cret' or 1=1"), ("accept", "*/*")];
        let findings = vec![finding(AttackType::Sqli, Point::header("authorization"), "s3cret' or 1=1")];
        let record = record_of(&headers, Vec::new(), findings);
        assert!(!serde_json::to_string(&record).unwrap().contains("s3cret"));
        assert_eq!(record.request.headers[1].1, "*/*");
    }

    #[test]
    fn records_the_start_of_a_long_body_and_its_length() {
        let record = record_of(&[], vec![b'x'; MAX_BODY_BYTES + 1], Vec::new());
        assert_eq!(record.request.body.unwrap().0.len(), MAX_BODY_BYTES);
        assert_eq!(record.request.body_bytes, Some(MAX_BODY_BYTES as u64 + 1));
    }

    #[test]
    fn records_the_length_of_a_body_that_was_seen_in_part() {
        let mut request = engine::mutate::empty_request("POST");
        request.body = Some(Body(vec![b'x'; 40_960]));
        request.body_truncated = true;
        request.unseen_body = Some(UnseenBody { bytes: Some(1_000_000), policy: TruncationPolicy::Text });
        let masks = Masks::of(&RequestRules::default(), None);
        let recorded = recorded(request, (RequestId::random(), Timestamp::UNIX_EPOCH), &masks, &[]);
        assert_eq!(recorded.body_bytes, Some(1_040_960));
    }
}
