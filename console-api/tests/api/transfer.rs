//! Backup, restore and migration of a database.

use crate::harness::{Console, attack, hit, monitored, not_inspected, response, uuid, with};
use console_api::store::{Database, DatabaseUrl};
use serde_json::{Value, json};

/// The contents that readers see, with ids: a copy has the same.
async fn seen(console: &Console) -> Vec<Value> {
    let mut seen = Vec::new();
    let hit = format!("/api/v1/hits/{}", uuid(2));
    for path in ["/api/v1/attacks", "/api/v1/not-inspected", "/api/v1/nodes", &hit] {
        let answer = console.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        seen.push(answer.json());
    }
    seen
}

async fn with_records() -> Console {
    let console = Console::start().await;
    let strange = hit(2, "sqli", &json!([["post"]]), "\0'\u{1a}\u{1f980}");
    let mut request = with(attack(2, 30), &[("/attack/hits", json!([strange]))]);
    request["attack"]["request"]["body"] = json!("AP8=");
    let mut records: Vec<Value> = (10..700).map(|n| monitored(attack(n, n % 60))).collect();
    records.extend([
        attack(1, 0),
        request,
        response(2, 403, "viewer-response"),
        not_inspected(9, 1, "node_timeout"),
    ]);
    console.ingest(&records).await;
    console
}

#[tokio::test]
async fn restores_a_backup_into_a_new_database() {
    let console = with_records().await;
    let dir = tempfile::tempdir().unwrap();
    let backup = Database::open(&DatabaseUrl::in_dir(dir.path())).await.unwrap();
    console.store.database().copy_to(&backup).await.unwrap();
    let restored = Console::copied_from(&backup, &console.database.keys()).await;
    assert_eq!(seen(&restored).await, seen(&console).await);
}

#[tokio::test]
async fn rejects_a_database_that_is_not_empty() {
    let console = with_records().await;
    let dir = tempfile::tempdir().unwrap();
    let backup = Database::open(&DatabaseUrl::in_dir(dir.path())).await.unwrap();
    console.store.database().copy_to(&backup).await.unwrap();
    let refused = backup.copy_to(&Console::start().await.store.database()).await.unwrap_err();
    assert_eq!(refused.to_string(), "the table tokens is not empty: only a new database can be filled");
}

#[tokio::test]
async fn vacuum_releases_disk_space() {
    let console = with_records().await;
    console.store.vacuum().await.unwrap();
    assert_eq!(console.get("/api/v1/attacks").await.status, 200);
}
