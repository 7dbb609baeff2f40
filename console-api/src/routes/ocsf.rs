//! Export for a SIEM: Detection Findings (class 2004) of the Open Cybersecurity Schema Framework
//! 1.3, one event per line.

use super::export::{Format, export};
use crate::{
    attachment::Attachment,
    attack::{Attack, AttackStatus},
    error::ApiError,
    extract::{Query, Reader, Searching},
    query::Filter,
    store::Store,
};
use axum::extract::State;
use serde_json::{Value, json};

const OCSF: Format<Attack> = Format {
    content_type: "application/x-ndjson",
    file_name: "attacks.ocsf.ndjson",
    head: "",
    write: as_findings,
};

/// Exports the attacks that match a filter as OCSF Detection Findings, one per line.
#[utoipa::path(
    get,
    path = "/attacks/export.ocsf",
    security(("token" = ["reader"])),
    params(Filter),
    responses(
        (status = 200, description = "The attacks, one event per line.", body = String, content_type = "application/x-ndjson"),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn findings(
    caller: Searching<Reader>,
    State(store): State<Store>,
    Query(filter): Query<Filter>,
) -> Result<Attachment, ApiError> {
    export(caller, store, filter, &OCSF).await
}

fn as_findings(text: &mut Vec<u8>, attacks: &[Attack]) {
    for attack in attacks {
        text.extend_from_slice(finding(attack).to_string().as_bytes());
        text.push(b'\n');
    }
}

fn finding(attack: &Attack) -> Value {
    let (first, last) = (attack.first_seen.as_millisecond(), attack.last_seen.as_millisecond());
    let (action_id, action) = match attack.status {
        AttackStatus::Monitoring | AttackStatus::Suspicious => (1, "Allowed"),
        AttackStatus::Blocked => (2, "Denied"),
        AttackStatus::PartiallyBlocked => (99, "Partially denied"),
    };
    json!({
        "category_uid": 2, "category_name": "Findings",
        "class_uid": 2004, "class_name": "Detection Finding",
        "activity_id": 1, "activity_name": "Create",
        "type_uid": 200_401, "type_name": "Detection Finding: Create",
        // The hits of an attack can have different severities.
        "severity_id": 0, "severity": "Unknown",
        "action_id": action_id, "action": action,
        "time": last, "start_time": first, "end_time": last,
        "count": attack.hits,
        "message": format!("{} in {}", attack.title, attack.parameter),
        "metadata": {
            "version": "1.3.0",
            "profiles": ["security_control"],
            "product": {"name": "wallarm-console", "vendor_name": "wallarm-console", "version": env!("CARGO_PKG_VERSION")},
        },
        "finding_info": {
            "uid": attack.id, "title": attack.title, "types": [attack.attack_type.as_str()],
            "created_time": first, "first_seen_time": first, "last_seen_time": last,
        },
        "evidences": [{
            "url": {"hostname": attack.host, "path": attack.path},
            "data": {
                "parameter": attack.parameter, "payload": attack.payload, "sources": attack.sources, "blocked": attack.blocked,
                "suspicious": attack.suspicious, "status": attack.status.as_str(),
            },
        }],
    })
}
