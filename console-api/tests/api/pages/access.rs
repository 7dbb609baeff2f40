//! Pages of users, tokens and sessions, for administrators; and of settings, for all roles.

use super::{browse, cookie, submit};
use crate::harness::{Console, send, token_of};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;

#[tokio::test]
async fn only_administrators_see_users_tokens_and_sessions() {
    let console = Console::start().await;
    for path in ["/users", "/tokens", "/sessions"] {
        assert_eq!(console.get_as(Role::Analyst, path).await.status, 403, "{path}");
        assert_eq!(console.get_as(Role::Admin, path).await.status, 200, "{path}");
    }
    let settings = console.get_as(Role::Analyst, "/settings").await.text;
    assert!(settings.contains("--keep-days") && !settings.contains("href=\"/tokens\""), "{settings}");
    assert!(console.get_as(Role::Admin, "/settings").await.text.contains("href=\"/tokens\""));
}

#[tokio::test]
async fn shows_a_new_token_once() {
    let console = Console::start().await;
    let form = [("name", "node <b>7</b>"), ("role", "node"), ("for", "30")];
    assert_eq!(submit(&console, Role::Analyst, "/tokens", &form).await.status, 403);
    let created = submit(&console, Role::Admin, "/tokens", &form).await;
    assert_eq!(
        (created.status.as_u16(), created.header("cache-control")),
        (201, "no-store"),
        "{}",
        created.text
    );
    let secret = created.text.split("aria-label=\"New token\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(secret.starts_with("wlc_") && created.text.contains("node &#60;b&#62;7"), "{}", created.text);
    let fetch = Request::get("/api/v1/node/config").header(header::AUTHORIZATION, format!("Bearer {secret}"));
    let fetched = send(&console.router, fetch.body(Body::empty()).unwrap()).await;
    assert_eq!(fetched.status, 200, "{}", fetched.text);

    let page = console.get_as(Role::Admin, "/tokens").await.text;
    assert!(page.contains("2026-01-31 12:00:00") && !page.contains(secret), "{page}");
    let token = console.get_as(Role::Admin, "/api/v1/tokens").await.json()["items"].clone();
    let token = token.as_array().unwrap().iter().find(|token| token["name"] == "node <b>7</b>").unwrap();
    let delete = format!("/tokens/{}/delete", token["id"].as_str().unwrap());
    assert_eq!(submit(&console, Role::Admin, &delete, &[]).await.status, 303);
    assert!(!console.get_as(Role::Admin, "/tokens").await.text.contains("node &#60;b&#62;7"));
}

#[tokio::test]
async fn signing_keys_are_added_offered_for_bundles_and_deleted() {
    let console = Console::start().await;
    assert_eq!(console.get_as(Role::Analyst, "/connectors/keys").await.status, 403);
    let created = submit(&console, Role::Admin, "/connectors/keys", &[("name", "shop <i>")]).await;
    assert_eq!(
        (created.status.as_u16(), created.header("cache-control")),
        (201, "no-store"),
        "{}",
        created.text
    );
    let secret = created.text.split("aria-label=\"New secret\">").nth(1).unwrap().split('<').next().unwrap();
    let key = console.get_as(Role::Admin, "/api/v1/connectors/keys").await.json()["items"][0].clone();
    let id = key["id"].as_str().unwrap();
    assert!(
        created.text.contains(&format!("- id: {id}")) && created.text.contains("shop &#60;i&#62;"),
        "{}",
        created.text
    );
    assert!(!console.get_as(Role::Admin, "/connectors/keys").await.text.contains(secret));
    let option = format!("<option value=\"{id}\">");
    assert!(console.get_as(Role::Admin, "/connectors").await.text.contains(&option));
    let order = [
        ("function", "request"),
        ("wlrm_node_addr", "https://node.example.com"),
        ("signing_key", "00000000-0000-0000-0000-000000000001"),
    ];
    let refused = submit(&console, Role::Admin, "/connectors/bundle", &order).await;
    assert!(refused.status == 400 && refused.text.contains("signing_key"), "{}", refused.text);
    assert_eq!(
        submit(&console, Role::Admin, &format!("/connectors/keys/{id}/delete"), &[]).await.status,
        303
    );
    assert!(!console.get_as(Role::Admin, "/connectors").await.text.contains(&option));
}

#[tokio::test]
async fn users_are_added_changed_and_deleted() {
    let console = Console::start().await;
    let form =
        [("name", "ann"), ("role", "analyst"), ("password", "correct horse battery"), ("revision", "1")];
    assert_eq!(submit(&console, Role::Admin, "/users", &form).await.status, 303);
    let short = [("name", "bob"), ("role", "analyst"), ("password", "short")];
    let refused = submit(&console, Role::Admin, "/users", &short).await;
    assert!(refused.status == 400 && refused.text.contains("12"), "{}", refused.text);
    let user = console.get_as(Role::Admin, "/api/v1/users").await.json()["items"][0].clone();
    let path = format!("/users/{}", user["id"].as_str().unwrap());
    let changed = [("name", "ann"), ("role", "read_only"), ("password", ""), ("revision", "1")];
    assert_eq!(submit(&console, Role::Admin, &path, &changed).await.status, 303);
    assert!(
        console.get_as(Role::Admin, "/users").await.text.contains("<td data-label=\"Role\">Read only</td>")
    );
    let deleted = submit(&console, Role::Admin, &format!("{path}/delete"), &[("revision", "2")]).await;
    assert_eq!(deleted.status, 303, "{}", deleted.text);
    assert!(console.get_as(Role::Admin, "/users").await.text.contains("No users yet."));
}

#[tokio::test]
async fn administrators_end_sessions() {
    let console = Console::start().await;
    let cookie = cookie(&console).await;
    let session = console.get_as(Role::Admin, "/api/v1/sessions").await.json()["items"][0].clone();
    let end = format!("/sessions/{}/end", session["id"].as_str().unwrap());
    assert!(console.get_as(Role::Admin, "/sessions").await.text.contains(&end));
    assert_eq!(submit(&console, Role::Admin, &end, &[]).await.status, 303);
    assert_eq!(browse(&console.router, "/attacks", &cookie).await.status, 303);
}

#[tokio::test]
async fn users_sign_out_their_other_sessions() {
    let console = Console::start().await;
    let (here, elsewhere) = (cookie(&console).await, cookie(&console).await);
    let other_user = super::sign_in(&console, &token_of(Role::Admin)).await;
    let other_user = other_user.header("set-cookie").split(';').next().unwrap().to_owned();
    let settings = browse(&console.router, "/settings", &here).await.text;
    assert!(
        settings.contains("1 other session,") && settings.contains("Sign out other sessions"),
        "{settings}"
    );
    let sign_out = |site| {
        let request =
            Request::post("/sign-out/others").header(header::COOKIE, &here).header("sec-fetch-site", site);
        send(&console.router, request.body(Body::empty()).unwrap())
    };
    assert_eq!(sign_out("cross-site").await.status, 303);
    assert_eq!(browse(&console.router, "/attacks", &elsewhere).await.status, 200);
    assert_eq!(sign_out("same-origin").await.status, 303);
    for (cookie, status) in [(&here, 200), (&elsewhere, 303), (&other_user, 200)] {
        assert_eq!(browse(&console.router, "/attacks", cookie).await.status, status);
    }
    assert!(
        browse(&console.router, "/settings", &here)
            .await
            .text
            .contains("<dt>Other sessions</dt><dd>None</dd>")
    );
}
