use crate::harness::{Console, not_inspected, without_cursor};
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn each_entry_counts_once_whoever_tells_it() {
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
