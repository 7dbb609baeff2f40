//! Hits with their requests.

use crate::harness::{Console, attack, request_id, uuid, with};
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn a_hit_shows_its_whole_request() {
    let console = Console::start().await;
    let mut record = attack(1, 0);
    record["attack"]["request"]["body"] = json!("AP//IGJvZHk=");
    record["attack"]["request"]["body_bytes"] = json!(9000);
    console.ingest(&[record]).await;
    assert_json_snapshot!(console.body(&format!("/api/v1/hits/{}", uuid(1))).await);
}

#[tokio::test]
async fn finds_hits_by_either_request_id() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), attack(2, 0)]).await;
    for query in [format!("request_id={}", request_id(2)), "edge_request_id=edge-2".to_owned()] {
        let list = console.body(&format!("/api/v1/hits?{query}")).await;
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{query}");
        assert_eq!(list["items"][0]["id"], uuid(2));
    }
}

#[tokio::test]
async fn requires_exactly_one_request_id() {
    let console = Console::start().await;
    let both = format!("?edge_request_id=edge-1&request_id={}", request_id(1));
    for query in ["", "?request_id=", "?request_id=7", both.as_str()] {
        let answer = console.get(&format!("/api/v1/hits{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["parameter"]),
            (400, &json!("request_id")),
            "{query}"
        );
    }
}

#[tokio::test]
async fn answers_404_for_an_unknown_hit() {
    let console = Console::start().await;
    assert_eq!(console.get(&format!("/api/v1/hits/{}", uuid(1))).await.status, 404);
}

#[tokio::test]
async fn a_hit_without_findings_is_a_hit() {
    let console = Console::start().await;
    console.ingest(&[with(attack(1, 0), &[("/attack/hits/0/findings", json!([]))])]).await;
    let hit = console.body(&format!("/api/v1/hits/{}", uuid(1))).await;
    assert_eq!((&hit["payload"], &hit["severity"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn preserves_unusual_text() {
    let console = Console::start().await;
    let strange = json!("/\0\u{202e}\u{1f980}'\";--\u{fffd}\r\n");
    let at = json!("2000-01-01T00:00:00Z");
    let changes = [
        ("/attack/request/path", strange.clone()),
        ("/attack/request/at", at.clone()),
        ("/attack/hits/0/point", json!([["get", strange.clone()], ["array", u64::MAX]])),
    ];
    console.ingest(&[with(attack(1, 0), &changes)]).await;
    let hit = console.body(&format!("/api/v1/hits/{}", uuid(1))).await;
    assert_eq!((&hit["path"], &hit["at"], &hit["request"]["path"]), (&strange, &at, &strange));
    assert_eq!(hit["point"], json!([["get", strange], ["array", u64::MAX]]));
    assert_eq!(console.get("/attacks").await.status, 200);
}
