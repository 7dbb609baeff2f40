//! Export of attacks as Common Event Format.

use crate::harness::{Console, attack, monitored, with};
use insta::assert_snapshot;
use serde_json::json;

#[tokio::test]
async fn an_attack_is_one_line_of_cef() {
    let console = Console::start().await;
    let payload = json!("/etc/passwd\nCEF:0|x|y|1|a|b|1|act=allowed \\|");
    let hostile = with(monitored(attack(1, 0)), &[("/attack/hits/0/findings/0/payload", payload)]);
    console.ingest(&[hostile]).await;
    let answer = console.get("/api/v1/attacks/export.cef?q=status:monitoring").await;
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.text.lines().count(), 1, "{}", answer.text);
    let id = console.only_attack().await;
    let event = answer.text.replace(&id, "[id]").replace(env!("CARGO_PKG_VERSION"), "[version]");
    assert_snapshot!(event);
}
