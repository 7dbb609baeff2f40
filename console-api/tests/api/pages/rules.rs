//! The page of rules: the test of a detector.

use super::submit;
use crate::harness::{Console, attack, with};
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
