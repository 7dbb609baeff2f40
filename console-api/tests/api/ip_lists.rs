//! IP lists.

use crate::{
    harness::{Console, send},
    rules::{admin, call},
};
use console_api::actor::Role;
use insta::{assert_debug_snapshot, assert_json_snapshot};
use serde_json::{Value, json};

#[tokio::test]
async fn stores_and_deletes_an_entry() {
    let console = Console::start().await;
    let entry = json!({
        "list": "deny", "source": {"network": "10.1.2.3/8"}, "applications": [7], "expires_at": "2026-01-01T13:00:00Z",
        "reason": "abuse",
    });
    let answer = admin(&console, "POST", "/api/v1/ip-lists", &entry).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    admin(&console, "POST", "/api/v1/ip-lists", &json!({"list": "allow", "source": {"country": "DE"}})).await;
    let mut list = console.get("/api/v1/ip-lists?list=deny").await.json();
    let id = list["items"][0]["id"].take();
    assert_json_snapshot!(list);
    let path = format!("/api/v1/ip-lists/{}", id.as_str().unwrap());
    let send_call = async |method: &str, tag: &str, body: &Value| {
        send(&console.router, call(Role::Admin, method, &path, Some(tag), body)).await
    };
    let forever = json!({"list": "deny", "source": {"network": "10.1.2.3/8"}, "reason": "abuse, again"});
    let changed = send_call("PUT", "\"1\"", &forever).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{}", changed.text);
    let entry = console.get(&path).await;
    assert_eq!((entry.header("etag"), entry.json()), ("\"2\"", changed.json()));
    assert_eq!(
        (&entry.json()["expires_at"], &entry.json()["reason"]),
        (&Value::Null, &json!("abuse, again"))
    );
    assert_eq!(send_call("DELETE", "\"2\"", &Value::Null).await.status, 204);
    assert_eq!(send_call("DELETE", "\"2\"", &Value::Null).await.status, 404);
    assert_eq!(console.get("/api/v1/ip-lists").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn rejects_an_invalid_source() {
    let console = Console::start().await;
    let mut errors = Vec::new();
    for entry in [
        json!({"list": "deny", "source": {"network": "10.0.0.0/33"}}),
        json!({"list": "deny", "source": {"country": "Germany"}}),
        json!({"list": "deny", "source": {"proxy": "tor"}}),
        json!({"list": "black", "source": {"asn": 64500}}),
        json!({"list": "deny", "source": {"asn": 64500}, "expires_at": "2026-01-01T12:00:00Z"}),
        json!({"list": "deny", "source": {"asn": 64500}, "until": "2027-01-01T12:00:00Z"}),
    ] {
        let answer = admin(&console, "POST", "/api/v1/ip-lists", &entry).await;
        assert_eq!(answer.status, 400, "{entry}");
        errors.push(answer.json()["detail"].clone());
    }
    assert_debug_snapshot!(errors);
    assert_eq!(console.get("/api/v1/ip-lists?list=black").await.status, 400);
}
