//! Pages of suspicious attacks and hits.

use super::submit;
use crate::{
    harness::{Console, attack, hit, uuid, with},
    suspicious::suspicious,
};
use console_api::actor::Role;
use serde_json::{Value, json};

/// A suspicious request with one finding, whose score has two parts.
fn scored(n: u32) -> Value {
    let mut hit = hit(n, "sqli", &json!([["get", "q"]]), "1' or '1'='1");
    hit["findings"][0]["score"] = json!([
        {"points": 7, "reason": "rule of high confidence"},
        {"points": -4, "reason": "in a report of a program"},
    ]);
    suspicious(with(attack(n, n), &[("/attack/hits", json!([hit]))]))
}

#[tokio::test]
async fn the_list_shows_suspicious_attacks_on_request() {
    let console = Console::start().await;
    console.ingest(&[scored(1), attack(2, 0)]).await;
    let list = console.get("/attacks").await.text;
    assert!(!list.contains("SQL injection<span"), "{list}");
    assert!(list.contains(r#"<option value="suspicious">Suspicious</option>"#), "{list}");
    let list = console.get("/attacks?status=suspicious&from=-24h").await.text;
    assert!(list.contains("SQL injection<span") && !list.contains("Path traversal<span"), "{list}");
    assert!(list.contains(r#"<option value="suspicious" selected>Suspicious</option>"#), "{list}");
    assert!(list.contains(r#"<a class="cell status suspicious""#), "{list}");
    let charts = console.get("/attacks/charts").await.text;
    assert!(charts.contains("<b>1</b> hit ·") && !charts.contains("SQL injection"), "{charts}");
    assert!(console.get("/attacks/charts?status=suspicious").await.text.contains("SQL injection"));
}

#[tokio::test]
async fn an_attack_marks_its_suspicious_hits() {
    let console = Console::start().await;
    console.ingest(&[attack(1, 0), suspicious(attack(2, 1))]).await;
    let path = format!("/attacks/{}", console.only_attack().await);
    let page = console.get(&path).await.text;
    assert!(page.contains("1 of 2 hits blocked, 1 suspicious"), "{page}");
    assert_eq!(page.matches(r#"<b class="suspicious">Suspicious</b>"#).count(), 1, "{page}");
    assert!(console.get("/attacks").await.text.contains(r#"<span class="quiet"> 1 suspicious</span>"#));
}

#[tokio::test]
async fn a_hit_shows_its_score_with_the_reasons() {
    let console = Console::start().await;
    console.ingest(&[scored(1)]).await;
    let page = console.get(&format!("/hits/{}", uuid(1))).await.text;
    assert!(page.contains(r#"<span class="status suspicious">Suspicious</span>"#), "{page}");
    assert!(page.contains("<dt>Score</dt><dd><b>3</b></dd>"), "{page}");
    assert!(page.contains("<dt>+7</dt><dd>rule of high confidence</dd>"), "{page}");
    assert!(page.contains("<dt>-4</dt><dd>in a report of a program</dd>"), "{page}");
    assert!(page.contains("from a score of 7 at sensitivity low, 5 at balanced and 3 at strict"), "{page}");
}

#[tokio::test]
async fn declares_the_content_of_a_field_after_a_preview() {
    let console = Console::start().await;
    let request =
        [("/attack/request/path", json!("/search")), ("/attack/request/query", json!("q=1'+or+'1'%3D'1"))];
    console.ingest(&[with(scored(1), &request)]).await;
    let hit = format!("/hits/{}", uuid(1));
    let page = console.get_as(Role::Analyst, &hit).await.text;
    assert!(page.contains("This field contains …"), "{page}");
    assert!(page.contains(r#"<option value="sql">SQL</option>"#), "{page}");
    let form = [("content", "opaque"), ("requests", "alike")];
    let preview =
        console.get_as(Role::Analyst, &format!("{hit}/content?content=opaque&requests=alike")).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    assert!(preview.text.contains("Preview: hits that would no longer be attacks"), "{}", preview.text);
    assert!(preview.text.contains("The requests of <b>1</b> recorded hit would have been suspicious"));
    assert!(preview.text.contains(r#"<input type="hidden" name="content" value="opaque">"#));
    assert_eq!(console.get("/api/v1/rules").await.json()["items"], json!([]));
    let saved = submit(&console, Role::Analyst, &format!("{hit}/content"), &form).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let rules = console.get("/api/v1/rules").await.json();
    let effect = json!({"kind": "content", "content": "opaque", "points": [[["get", "q"]]]});
    assert_eq!(rules["items"][0]["effect"], effect);
    let page = console.get_as(Role::Analyst, saved.header("location")).await.text;
    assert!(
        page.contains("Rule saved: findings that such content explains now have a lower score."),
        "{page}"
    );
    assert!(console.get("/rules").await.text.contains(r#"<td data-label="Type">Content</td>"#));
}
