//! Migrations: upgrades of databases of older versions.

use crate::harness::{Console, Database, attack, hit, request_id, uuid, with};
use crate::suspicious::suspicious;
use console_api::paging::Slice;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor as _, migrate::Migrator};

/// Hits of an attack at version 1 of the schema: one blocked request.
fn rows() -> String {
    let (attack, request, hit, at) = (uuid(800), request_id(1), uuid(1), 1_767_261_600_000_i64);
    format!(
        "insert into requests (request_id, at, client_ip, method, host, path, query, headers, body_truncated, outcome, \
         reason, mode, mode_source, delivery, enforced, response_status) values ('{request}', {at}, '203.0.113.7', \
         'GET', 'old.example.com', '/', 'q=1', '[]', 'no', 'blocked', 'attack', 'block', 'config', 'inline', 'yes', 403); \
         insert into attacks (id, key_hash, type, point, parameter, host, path, first_seen, last_seen, hits, blocked) \
         values ('{attack}', 'k', 'sqli', '[[\"get\",\"q\"]]', 'GET_q_value', 'old.example.com', '/', {at}, {at}, 1, 1); \
         insert into hits (id, request_id, type, attack_id, at, point, parameter, payload, severity, findings) \
         values ('{hit}', '{request}', 'sqli', '{attack}', {at}, '[[\"get\",\"q\"]]', 'GET_q_value', '1', 'high', '[]'); \
         insert into attack_sources (attack_id, ip, hits) values ('{attack}', '4cb007107', 1); \
         insert into attack_statuses (attack_id, status, hits) values ('{attack}', 403, 1); \
         insert into attack_times (attack_id, slot, hits, blocked) values ('{attack}', {at}, 1, 1)"
    )
}

/// A database that an older version of the console created: with the first migrations only.
async fn old_database(migrations: usize) -> Database {
    let database = Database::empty().await;
    let all = if database.is_sqlite() {
        sqlx::migrate!("migrations/sqlite")
    } else {
        sqlx::migrate!("migrations/postgres")
    };
    let first = all.migrations[..migrations].to_vec();
    let mut connection = database.connect().await;
    Migrator { migrations: first.into(), ..Migrator::DEFAULT }.run(&mut connection).await.unwrap();
    connection.execute(AssertSqlSafe(rows())).await.unwrap();
    database
}

#[tokio::test]
async fn a_database_without_counters_of_suspicious_hits_is_upgraded_and_keeps_its_rows() {
    let console = Console::on(old_database(1).await).await;
    let list = console.body("/api/v1/attacks").await;
    let old = &list["items"][0];
    assert_eq!((&old["host"], &old["status"]), (&json!("old.example.com"), &json!("blocked")), "{list}");
    assert_eq!((&old["hits"], &old["suspicious"]), (&json!(1), &json!(0)), "{list}");
    assert_eq!(console.get(&format!("/api/v1/hits/{}", uuid(1))).await.status, 200);

    let other = hit(2, "sqli", &json!([["get", "q"]]), "1'");
    let other = with(attack(2, 0), &[("/attack/hits", json!([other]))]);
    console.ingest(&[suspicious(other)]).await;
    for (query, hits) in [("", 1), ("?q=status:suspicious,blocked", 2)] {
        let stats = console.get(&format!("/api/v1/attacks/stats{query}")).await.json();
        let points = stats["series"]["points"].as_array().unwrap();
        let series: u64 = points.iter().map(|point| point["hits"].as_u64().unwrap()).sum();
        assert_eq!((&stats["hits"], series), (&json!(hits), hits), "{stats}");
        assert_eq!(stats["top"]["ip"][0]["hits"], hits, "{stats}");
        assert_eq!(stats["response_statuses"], json!({"403": 1}), "{stats}");
    }
}

#[tokio::test]
async fn hits_of_an_older_version_are_found_and_counted_by_their_source() {
    let console = Console::on(old_database(5).await).await;
    // The database of the test has no search terms, which positive conditions on texts use.
    for query in ["ip:203.0.113.7", "response:403", "-method:post", "-payload:2", "-severity:low"] {
        let list = console.get(&format!("/api/v1/attacks?q={query}")).await.json();
        assert_eq!(
            (&list["items"][0]["hits"], &list["items"][0]["blocked"]),
            (&json!(1), &json!(1)),
            "{query}"
        );
    }
    for query in ["-ip:203.0.113.7", "-response:403", "-method:get", "-severity:high"] {
        let list = console.get(&format!("/api/v1/attacks?q={query}")).await.json();
        assert_eq!(list["items"], json!([]), "{query}");
    }
    let unfilled = console.count("select count(*) from hits where ip is null or payload_id is null").await;
    assert_eq!(unfilled, 0);
    let groups = console.get("/api/v1/attacks?group_by=ip").await.json();
    assert_eq!(groups["items"][0]["blocked"], 1, "{groups}");
    for (facet, value) in [
        ("country", "unknown"),
        ("signature", "unknown"),
        ("score", "unknown"),
        ("severity", "high"),
        ("seen_by", "edge"),
    ] {
        let groups = console.get(&format!("/api/v1/attacks?group_by={facet}")).await.json();
        let group = &groups["items"][0];
        assert_eq!(group["group"][facet], value, "{groups}");
        assert_eq!((&group["hits"], &group["blocked"]), (&json!(1), &json!(1)), "{groups}");
        let found = console.get(&format!("/api/v1/attacks?q={facet}:{value}")).await.json();
        assert_eq!(found["items"][0]["hits"], 1, "{facet}");
    }
}

#[tokio::test]
async fn an_old_view_belongs_to_the_user_of_its_time() {
    let database = old_database(3).await;
    let (ann, bob, before, after) = (uuid(701), uuid(702), 1_767_261_600_000_i64, 1_767_261_700_000_i64);
    let mut connection = database.connect().await;
    for (id, name, created) in [(&ann, "ann", before - 1), (&bob, "bob", after)] {
        let user = format!(
            "insert into users (id, name, role, password, revision, created_at) \
             values ('{id}', '{name}', 'analyst', '', 1, {created})"
        );
        connection.execute(AssertSqlSafe(user)).await.unwrap();
        let view = format!(
            "insert into views (id, revision, owner, created_at, updated_at, draft, shared) values ('{}', 1, '{name}', \
             {before}, {before}, '{{\"name\": \"Mine\"}}', 'no')",
            id.replace("-8000-", "-9000-")
        );
        connection.execute(AssertSqlSafe(view)).await.unwrap();
    }
    let console = Console::on(database).await;
    let id = |text: &str| text.parse().unwrap();
    let views = async |owner: &str| {
        let slice = Slice { limit: 10, after: None };
        console.store.views(id(owner), &slice).await.unwrap().items.len()
    };
    assert_eq!((views(&ann).await, views(&bob).await), (1, 0), "bob was created after the view");
}

#[tokio::test]
async fn webhooks_are_not_notified_of_versions_before_the_upgrade() {
    let database = old_database(12).await;
    let ruleset = format!("insert into ruleset (one, version, id) values (1, 5, '{}')", uuid(5));
    database.connect().await.execute(AssertSqlSafe(ruleset)).await.unwrap();
    let console = Console::on(database).await;
    assert_eq!(console.count("select count(*) from ruleset where notified_version = 5").await, 1);
}
