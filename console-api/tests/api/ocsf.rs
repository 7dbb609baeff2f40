//! Export of attacks as Open Cybersecurity Schema Framework findings.

use crate::harness::{Console, attack, monitored};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

#[tokio::test]
async fn an_attack_is_a_detection_finding() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0)]).await;
    let answer = console.get("/api/v1/attacks/export.ocsf").await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let mut finding: Value = serde_json::from_str(answer.text.trim_end()).unwrap();
    finding["finding_info"]["uid"] = json!("[id]");
    finding["metadata"]["product"]["version"] = json!("[version]");
    assert_json_snapshot!("finding", finding);
}

#[tokio::test]
async fn reports_the_action_of_attacks_that_passed() {
    let console = Console::start().await;
    console.ingest(&[monitored(attack(1, 0))]).await;
    let answer = console.get("/api/v1/attacks/export.ocsf?q=status:monitoring").await;
    let finding: Value = serde_json::from_str(answer.text.trim_end()).unwrap();
    assert_eq!((&finding["action_id"], &finding["action"]), (&json!(1), &json!("Allowed")));
}
