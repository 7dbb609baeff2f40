//! The pages of rules and of replays.

use super::{submit, views::rejected};
use crate::harness::{Console, attack, uuid, with};
use console_api::actor::Role;
use serde_json::json;

fn form(effect: &str) -> [(&str, &str); 5] {
    [("host", ""), ("path", ""), ("method", ""), ("effect", effect), ("comment", "<i>")]
}

#[tokio::test]
async fn a_detector_is_tested_before_it_is_added() {
    let console = Console::start().await;
    console.ingest(&[with(attack(1, 1), &[("/attack/request/query", json!("q=legacy-42"))])]).await;
    let form = form(
        r#"{"kind": "detector", "pattern": {"literal": "legacy-"}, "attack_type": "rce", "severity": "high"}"#,
    );
    let page = submit(&console, Role::Analyst, "/rules/test", &form).await;
    assert_eq!(page.status, 200, "{}", page.text);
    for shown in
        ["<b>1</b> of 1 recorded request", " µs", "(mean of 1,", "of at most 512", "legacy-", "&#60;i&#62;"]
    {
        assert!(page.text.contains(shown), "{shown}: {}", page.text);
    }
    assert_eq!(console.get("/api/v1/rules").await.json()["items"], json!([]), "nothing is added");
    assert_eq!(submit(&console, Role::Analyst, "/rules", &form).await.status, 303);
}

#[tokio::test]
async fn a_costly_detector_is_rejected_on_the_page() {
    let console = Console::start().await;
    let form = form(
        r#"{"kind": "detector", "pattern": {"regex": "\\w{12}x"}, "attack_type": "rce", "severity": "high"}"#,
    );
    for path in ["/rules", "/rules/test"] {
        let page = submit(&console, Role::Analyst, path, &form).await;
        assert_eq!(page.status, 400, "{}", page.text);
        for shown in ["effect.pattern", "steps per byte; the limit is 512"] {
            assert!(page.text.contains(shown), "{shown}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn a_rejected_form_of_a_replay_keeps_its_fields() {
    let console = Console::start().await;
    let form = [
        ("ruleset", ""),
        ("remove", ""),
        ("effect", r#"{"kind": "mode", "mode": "off"}"#),
        ("host", "shop.example.com"),
        ("path", ""),
        ("query", "type:sqli"),
        ("from", "-30d"),
    ];
    for (field, value) in [("ruleset", "99"), ("query", "hosst:x"), ("effect", "{"), ("remove", "x")] {
        let form = form.map(|it| if it.0 == field { (field, value) } else { it });
        let page = submit(&console, Role::Analyst, "/replays", &form).await;
        let shown = [r#"name="host" value="shop.example.com""#, r#"<option value="-30d" selected>"#];
        rejected(&page, field, &shown);
        assert!(page.text.contains(value), "{value}: {}", page.text);
    }
}

/// The value of the first id in the address of a link or form.
fn id_after<'a>(page: &'a str, start: &str) -> &'a str {
    page.split(start).nth(1).unwrap_or_else(|| panic!("{start}: {page}")).get(..36).unwrap()
}

#[tokio::test]
async fn analysts_add_rules_of_known_kinds() {
    let console = Console::start().await;
    let list = console.get_as(Role::Analyst, "/rules").await.text;
    assert!(list.contains(r#"<a href="/rules/new?kind=ignore">Exclusion</a>"#), "{list}");
    let empty = console.get_as(Role::Analyst, "/rules/new?kind=ignore").await.text;
    for field in
        ["findings", "suppressed", "points", "host", "path", "method", "application", "comment", "for"]
    {
        assert!(empty.contains(&format!("name=\"{field}\"")), "{field}: {empty}");
    }
    assert_eq!(console.get("/rules/new?kind=ignore").await.status, 403);
    assert_eq!(console.get_as(Role::Analyst, "/rules/new?kind=tarpit").await.status, 400);
}

#[tokio::test]
async fn an_exclusion_is_made_and_changed_with_its_form() {
    let console = Console::start().await;
    let form = [
        ("kind", "ignore"),
        ("findings", "sqli"),
        ("points", "post > json_doc > hash:query"),
        ("host", "shop.example.com"),
        ("path", "/reports"),
        ("method", "POST"),
        ("comment", "a report builder"),
        ("for", "24"),
    ];
    let with = |name: &'static str, value: &'static str| {
        form.map(|field| if field.0 == name { (name, value) } else { field })
    };
    let page = submit(&console, Role::Analyst, "/rules", &with("points", "nowhere")).await;
    rejected(&page, "points", &[">nowhere</textarea>", r#"value="sqli" selected"#, "a report builder"]);
    assert_eq!(submit(&console, Role::Analyst, "/rules", &form).await.status, 303);
    let rule = console.get("/api/v1/rules").await.json()["items"][0].clone();
    assert_eq!(
        rule["effect"],
        json!({"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["post"], ["json_doc"], ["hash", "query"]]]})
    );
    assert_eq!(rule["expires_at"], "2026-01-02T12:00:00Z");

    let list = console.get_as(Role::Analyst, "/rules").await.text;
    let sentence = "Ignore SQL injection in JSON field “query” of POST shop.example.com/reports";
    assert!(list.contains(sentence) && list.contains("a report builder"), "{list}");
    let id = id_after(&list, "<a href=\"/rules/0").to_owned();
    let path = format!("/rules/0{}", &id[..35]);
    let edit = console.get_as(Role::Analyst, &path).await.text;
    assert!(edit.contains("post &#62; json_doc &#62; hash:query</textarea>"), "{edit}");
    assert!(
        edit.contains(sentence) && edit.contains(r#"<option value="" selected>2026-01-02 12:00:00 UTC"#),
        "{edit}"
    );
    let as_json = console.get_as(Role::Analyst, &format!("{path}?json")).await.text;
    assert!(as_json.contains(r#"name="effect""#) && !as_json.contains(r#"name="findings""#), "{as_json}");
    let mut changed = with("findings", "xss").to_vec();
    changed.extend([("revision", "1"), ("expires_at", "2026-01-02T12:00:00Z")]);
    changed.iter_mut().find(|field| field.0 == "for").unwrap().1 = "";
    assert_eq!(submit(&console, Role::Analyst, &path, &changed).await.status, 303);
    let rule = console.get("/api/v1/rules").await.json()["items"][0].clone();
    assert_eq!(
        (&rule["effect"]["findings"], &rule["expires_at"]),
        (&json!({"type": "xss"}), &json!("2026-01-02T12:00:00Z"))
    );
    let stale = submit(&console, Role::Analyst, &path, &changed).await;
    assert!(stale.status == 412 && stale.text.contains(r#"value="xss" selected"#), "{}", stale.text);
    let read_only = console.get(&path).await.text;
    assert!(
        read_only.contains("Ignore Cross-site scripting") && !read_only.contains("<textarea"),
        "{read_only}"
    );
}

#[tokio::test]
async fn a_rule_and_an_entry_lead_to_their_hits_and_back() {
    let console = Console::start().await;
    let patch = [("kind", "virtual_patch"), ("attack_types", "ptrav"), ("points", "uri")];
    assert_eq!(submit(&console, Role::Analyst, "/rules", &patch).await.status, 303);
    let detector = [
        ("kind", "detector"),
        ("matching", "literal"),
        ("pattern", "x"),
        ("attack_type", "rce"),
        ("severity", "low"),
    ];
    assert_eq!(submit(&console, Role::Analyst, "/rules", &detector).await.status, 303);
    let entry = [("list", "deny"), ("source", "203.0.113.7"), ("for", "24"), ("reason", "")];
    assert_eq!(submit(&console, Role::Analyst, "/ip-lists", &entry).await.status, 303);
    let rules = console.get("/api/v1/rules").await.json();
    let [detector, patch] = [0, 1].map(|n| rules["items"][n]["id"].as_str().unwrap());
    let entry = console.get("/api/v1/ip-lists").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let mut by_patch = attack(1, 0);
    by_patch["attack"]["decision"]["decided_by"] =
        json!({"ruleset": 3, "rule": {"id": patch, "revision": 1}});
    by_patch["attack"]["hits"][0]["findings"][0]["signature"] = json!(format!("rule-{detector}"));
    let mut by_entry = attack(2, 1);
    by_entry["attack"]["decision"]["decided_by"] =
        json!({"ruleset": 3, "list": {"list": "deny", "id": entry}});
    let old = with(
        by_patch.clone(),
        &[
            ("/attack/request/at", json!("2025-12-20T10:00:00Z")),
            ("/attack/request/request_id", json!(crate::harness::request_id(3))),
            ("/attack/hits/0/id", json!(uuid(3))),
        ],
    );
    console.ingest(&[by_patch, by_entry, old]).await;

    let list = console.get("/rules").await.text;
    let row = |id: &str| list.split(&format!("id=\"r-{id}\"")).nth(1).unwrap().split("</tr>").next().unwrap();
    let link = |query: &str, n: u32| {
        format!("<a href=\"/attacks?q={query}&amp;from=-{}\">{n}</a>", if n == 1 { "24h" } else { "30d" })
    };
    for (id, query) in
        [(patch, format!("rule%3A{patch}")), (detector, format!("signature%3Arule-{detector}"))]
    {
        for n in [1, 2] {
            assert!(row(id).contains(&link(&query, n)), "{query}: {}", row(id));
        }
        assert!(row(id).contains("2026-01-01T10:00:00Z"), "the last hit: {}", row(id));
    }
    let lists = console.get("/ip-lists").await.text;
    assert!(lists.contains(&link(&format!("rule%3A{entry}"), 1)) && lists.contains("10:01:00"), "{lists}");
    let hit = console.get(&format!("/hits/{}", uuid(1))).await.text;
    for part in [
        format!("/attacks?q=signature%3Arule-{detector}"),
        format!("/rules/{detector}"),
        format!("/rules/{patch}"),
    ] {
        assert!(hit.contains(&format!("href=\"{part}\"")), "{part}: {hit}");
    }
}
