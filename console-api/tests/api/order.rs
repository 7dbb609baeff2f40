//! Grouping is independent of the order and repetition of hits.

use crate::harness::{Console, attack, monitored, not_inspected, response, with};
use proptest::{prelude::*, sample::Index, test_runner::Config};
use serde_json::{Value, json};

/// Hits on two paths from two addresses, some with gaps of more than an hour, and response reports
/// on some of them.
fn records(minutes: &[u32]) -> Vec<Value> {
    let mut records = Vec::new();
    for (n, minute) in (1..).zip(minutes) {
        let path = if n % 3 == 0 { "/other/etc/passwd" } else { "/shop/etc/passwd" };
        let ip = if n % 2 == 0 { "198.51.100.1" } else { "203.0.113.7" };
        let changes = [("/attack/request/path", json!(path)), ("/attack/request/client_ip", json!(ip))];
        let record = with(attack(n, *minute), &changes);
        records.push(if n % 4 == 0 { monitored(record) } else { record });
        match n % 5 {
            0 => records.push(response(n, 200, "origin-response")),
            1 => records.push(not_inspected(500 + n, n, "node_timeout")),
            2 => records.push(response(n, 302, "viewer-response")),
            3 => records.extend(["origin-response", "viewer-response"].map(|event| response(n, 500, event))),
            _ => {}
        }
    }
    records
}

/// The attacks after these deliveries, without their ids, which depend on the order.
async fn attacks(deliveries: &[Value]) -> Vec<Value> {
    let console = Console::start().await;
    for batch in deliveries.chunks(4) {
        console.ingest(batch).await;
    }
    let mut items = Vec::new();
    for mut attack in
        console.get("/api/v1/attacks?limit=200").await.json()["items"].as_array().unwrap().clone()
    {
        let id = attack["id"].as_str().unwrap().to_owned();
        let detail = console.get(&format!("/api/v1/attacks/{id}")).await.json();
        let hits = console.get(&format!("/api/v1/attacks/{id}/hits?limit=200")).await.json();
        let ids: Vec<_> = hits["items"].as_array().unwrap().iter().map(|hit| hit["id"].clone()).collect();
        attack["id"] =
            json!({"hits": ids, "sources": detail["top_sources"], "statuses": detail["response_statuses"]});
        items.push(attack);
    }
    items.sort_by_key(ToString::to_string);
    items
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_order_and_repetition_gives_the_same_attacks(
        minutes in prop::collection::vec(0..400_u32, 1..14),
        order in prop::collection::vec(any::<Index>(), 0..40),
    ) {
        let records = records(&minutes);
        // Some records in any order and repetition, then all of them backwards: each at least once.
        let mut shuffled: Vec<Value> = order.iter().map(|index| index.get(&records).clone()).collect();
        shuffled.extend(records.iter().rev().cloned());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (expected, actual) = runtime.block_on(async { (attacks(&records).await, attacks(&shuffled).await) });
        prop_assert_eq!(expected, actual);
    }
}
