//! Requests not inspected, each counted once.

use crate::harness::{Console, not_inspected, uuid, without_cursor};
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn counts_each_entry_once_across_nodes() {
    let console = Console::start().await;
    let mut report = json!({"response": {"request_id": "0".repeat(32), "status": 200}});
    report["response"]["not_inspected"] = json!([not_inspected(1, 1, "node_timeout")["not_inspected"]]);
    console.ingest(&[not_inspected(1, 1, "node_timeout"), report, not_inspected(2, 2, "internal")]).await;
    console.ingest(&[not_inspected(3, 3, "internal")]).await;
    let list = console.body("/api/v1/not-inspected?limit=2").await;
    let next = list["next_cursor"].as_str().unwrap().to_owned();
    assert_json_snapshot!(without_cursor(list));
    let rest = console.body(&format!("/api/v1/not-inspected?limit=2&cursor={next}")).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!((&rest["total"], &rest["next_cursor"]), (&json!(3), &json!(null)));
}

#[tokio::test]
async fn attributes_an_entry_to_the_first_reporting_node() {
    let console = Console::start().await;
    console.ingest(&[not_inspected(1, 1, "node_timeout"), not_inspected(2, 2, "internal")]).await;
    let entries = json!([not_inspected(2, 2, "internal"), not_inspected(3, 3, "internal")]);
    let batch = json!({"node": {"id": uuid(901), "version": "1.2.3"}, "records": entries});
    assert_eq!(console.post_batch(batch.to_string()).await.status, 200);
    let list = console.body(&format!("/api/v1/not-inspected?node={}", uuid(901))).await;
    assert_eq!(list["items"][0]["node"], json!(uuid(901)));
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let counts = json!({uuid(900): {"internal": 1, "node_timeout": 1}, uuid(901): {"internal": 1}});
    assert_eq!((&list["by_node"], &list["total"]), (&counts, &json!(3)));
    let of_a_reason = console.body("/api/v1/not-inspected?reason=internal&limit=1").await;
    assert_eq!(of_a_reason["items"][0]["id"], json!(uuid(3)));
    assert!(of_a_reason["next_cursor"].is_string());
    assert_eq!(console.get("/api/v1/not-inspected?node=me").await.status, 400);
}
