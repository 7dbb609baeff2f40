use crate::harness::{Console, attack, hit, monitored, response, uuid, with, without_cursor};
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn from_ip(record: Value, ip: &str) -> Value {
    with(record, &[("/attack/request/client_ip", json!(ip))])
}

#[tokio::test]
async fn hits_of_one_kind_are_one_attack() {
    let console = Console::start().await;
    let passwd = from_ip(monitored(attack(3, 50)), "2001:db8::1");
    console.ingest(&[attack(1, 0), attack(2, 20), passwd, response(3, 404, "viewer-response")]).await;
    assert_json_snapshot!("list", console.body("/api/v1/attacks").await);
    let id = console.only_attack().await;
    assert_json_snapshot!("detail", console.body(&format!("/api/v1/attacks/{id}")).await);
    let hits = console.body(&format!("/api/v1/attacks/{id}/hits?limit=1")).await;
    assert_json_snapshot!("hits", without_cursor(hits));
}

#[tokio::test]
async fn an_hour_of_silence_ends_an_attack() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), attack(2, 60), attack(3, 121)]).await;
    let list = console.body("/api/v1/attacks").await;
    let hits: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|attack| attack["hits"].clone()).collect();
    assert_eq!(hits, [1, 2]);
}

#[tokio::test]
async fn a_late_hit_merges_two_attacks_into_the_older() {
    let console = Console::start().await;
    let id_at = async |index: usize| {
        console.get("/api/v1/attacks").await.json()["items"][index]["id"].as_str().unwrap().to_owned()
    };
    console.ingest(&[attack(1, 100)]).await;
    let older = id_at(0).await;
    console.ingest(&[from_ip(attack(2, 0), "198.51.100.1")]).await;
    let newer = id_at(1).await;
    console.ingest(&[attack(3, 50)]).await;
    let survivor = console.get(&format!("/api/v1/attacks/{newer}")).await.json();
    assert_eq!(survivor["id"], *older);
    assert_eq!((&survivor["hits"], &survivor["sources"]), (&json!(3), &json!(2)));
    assert_eq!(survivor["first_seen"], "2026-01-01T10:00:00Z");
    assert_eq!(console.only_attack().await, older);
    let hits = console.get(&format!("/api/v1/attacks/{newer}/hits")).await.json();
    assert_eq!(hits["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let console = Console::start().await;
    let sqli = with(
        monitored(attack(2, 200)),
        &[
            ("/attack/hits", json!([hit(2, "sqli", &json!([["get", "q"]]), "' or 1=1")])),
            ("/attack/request/host", json!("API.example.com")),
            ("/attack/request/path", json!("/login")),
            ("/attack/request/client_ip", json!("2001:db8::1")),
        ],
    );
    console.ingest(&[attack(1, 0), sqli]).await;
    for query in [
        "type=sqli",
        "host=api.example.COM",
        "path=/login",
        "ip=2001:DB8:0::1",
        "status=monitoring",
        "parameter=get%20%3E%20q",
        "from=2026-01-01T11:00:00Z",
        "type=sqli&host=api.example.com&status=monitoring&to=",
    ] {
        let list = console.body(&format!("/api/v1/attacks?{query}")).await;
        let types: Vec<_> = list["items"].as_array().unwrap().iter().map(|attack| &attack["type"]).collect();
        assert_eq!(types, ["sqli"], "{query}");
    }
    let before = console.body("/api/v1/attacks?to=2026-01-01T11:00:00Z").await;
    assert_eq!(before["items"][0]["type"], "ptrav");
    assert_eq!(console.body("/api/v1/attacks?type=sqli&status=blocked").await["items"], json!([]));
}

#[tokio::test]
async fn a_walk_by_cursor_meets_each_attack_once() {
    let console = Console::start().await;
    // Pairs share their time, so that the id has to break the tie.
    let records: Vec<_> = (0..25)
        .map(|n| {
            with(attack(n + 1, n / 2), &[("/attack/request/host", json!(format!("host-{n}.example.com")))])
        })
        .collect();
    console.ingest(&records).await;
    let (mut hosts, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = console.get(&format!("/api/v1/attacks?limit=7&cursor={cursor}")).await.json();
        hosts.extend(page["items"].as_array().unwrap().iter().map(|attack| attack["host"].to_string()));
        pages += 1;
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!((pages, hosts.len(), hosts.iter().collect::<BTreeSet<_>>().len()), (4, 25, 25));
}

#[tokio::test]
async fn a_walk_through_the_hits_of_an_attack_meets_each_once() {
    let console = Console::start().await;
    let records: Vec<_> = (0..9).map(|n| attack(n + 1, n / 4)).collect();
    console.ingest(&records).await;
    let id = console.only_attack().await;
    let (mut ids, mut cursor) = (BTreeSet::new(), String::new());
    for expected in [3, 6, 9] {
        let page = console.get(&format!("/api/v1/attacks/{id}/hits?limit=3&cursor={cursor}")).await.json();
        ids.extend(page["items"].as_array().unwrap().iter().map(|hit| hit["id"].to_string()));
        assert_eq!(ids.len(), expected);
        cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
    }
    assert_eq!(cursor, "");
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let console = Console::start().await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("cursor=nonsense", "cursor"),
        ("status=angry", "status"),
        ("ip=300.1.1.1", "ip"),
        ("from=yesterday", "from"),
        ("type=SQL%20injection", "type"),
        ("colour=red", "colour"),
        ("host=a&host=b", "host"),
    ] {
        let answer = console.get(&format!("/api/v1/attacks?{query}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["parameter"]), (400, &json!(name)), "{query}");
    }
    assert_json_snapshot!("bad_parameter", console.get("/api/v1/attacks?colour=red").await.json());
}

#[tokio::test]
async fn an_unknown_attack_is_not_found() {
    let console = Console::start().await;
    for path in [uuid(1), "seven".to_owned(), format!("{}/hits", uuid(1))] {
        assert_eq!(console.get(&format!("/api/v1/attacks/{path}")).await.status, 404, "{path}");
    }
}
