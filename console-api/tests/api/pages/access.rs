//! Pages of users, tokens and sessions, for administrators; and of settings, for all roles.

use super::{browse, cookie, submit};
use crate::harness::{Answer, Console, app, now, send, token_of};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::{actor::Role, app::Site, server::router, token::Token};
use serde_json::json;

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

/// The page after a form, with the cookie that the form set.
pub(super) async fn follow(console: &Console, redirect: &Answer) -> Answer {
    assert_eq!(redirect.status, 303, "{}", redirect.text);
    let cookie = redirect.header("set-cookie").split(';').next().unwrap();
    let request = Request::get(redirect.header("location"))
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Admin)))
        .header(header::COOKIE, cookie);
    send(&console.router, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn shows_a_new_token_once() {
    let console = Console::start().await;
    let form = [("name", "node <b>7</b>"), ("role", "node"), ("for", "30")];
    assert_eq!(submit(&console, Role::Analyst, "/tokens", &form).await.status, 403);
    let redirect = submit(&console, Role::Admin, "/tokens", &form).await;
    assert_eq!(
        (redirect.status.as_u16(), redirect.header("location")),
        (303, "/tokens"),
        "{}",
        redirect.text
    );
    let cookie = redirect.header("set-cookie");
    assert!(cookie.ends_with("; Path=/tokens; Max-Age=60; HttpOnly; SameSite=Strict"), "{cookie}");
    let created = follow(&console, &redirect).await;
    assert_eq!(
        (created.status.as_u16(), created.header("cache-control")),
        (200, "no-store"),
        "{}",
        created.text
    );
    assert!(created.header("set-cookie").starts_with("wallarm_new_secret=; Path=/tokens; Max-Age=0"));
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
async fn a_rejected_form_keeps_its_fields_and_shows_the_error_beside_one() {
    let console = Console::start().await;
    let long = "n".repeat(101);
    let far = [("name", long.as_str()), ("role", "analyst"), ("for", "90")];
    let token = submit(&console, Role::Admin, "/tokens", &far).await;
    let user = [("name", "ann & bob"), ("role", "read_only"), ("password", "short"), ("revision", "0")];
    let user = submit(&console, Role::Admin, "/users", &user).await;
    let hook = [
        ("name", "Ops"),
        ("url", "ftp://x.example"),
        ("query", "type:sqli"),
        ("format", "slack"),
        ("nodes", "true"),
    ];
    let hook = submit(&console, Role::Admin, "/webhooks", &hook).await;
    let entry = [("list", "allow"), ("source", "nowhere"), ("for", "168"), ("reason", "why <b>")];
    let entry = submit(&console, Role::Analyst, "/ip-lists", &entry).await;
    let rule =
        [("host", "h.example.com"), ("path", "/p"), ("method", "PUT"), ("effect", "{}"), ("comment", "c")];
    let rule = submit(&console, Role::Analyst, "/rules", &rule).await;
    for (answer, field, kept) in [
        (token, "name", vec![long.as_str(), "value=\"analyst\" selected", "value=\"90\" selected"]),
        (user, "password", vec!["value=\"ann &#38; bob\"", "value=\"read_only\" selected"]),
        (
            hook,
            "url",
            vec![
                "value=\"Ops\"",
                "value=\"type:sqli\"",
                "value=\"slack\" selected",
                "name=\"nodes\" value=\"true\" checked",
            ],
        ),
        (entry, "source", vec!["value=\"allow\" selected", "value=\"nowhere\"", "why &#60;b&#62;"]),
        (
            rule,
            "effect",
            vec!["value=\"h.example.com\"", "value=\"/p\"", "value=\"PUT\"", ">{}</textarea>", "value=\"c\""],
        ),
    ] {
        assert_eq!(answer.status, 400, "{field}: {}", answer.text);
        assert!(answer.text.contains(&format!("id=\"error-{field}\"")), "{field}: {}", answer.text);
        assert!(
            answer.text.contains(&format!("aria-describedby=\"error-{field}\"")),
            "{field}: {}",
            answer.text
        );
        for value in kept {
            assert!(answer.text.contains(value), "{value}: {}", answer.text);
        }
        assert!(!answer.text.contains("value=\"short\""), "a password is not sent back");
    }
}

#[tokio::test]
async fn a_taken_name_is_an_error_of_the_edited_user() {
    let console = Console::start().await;
    for name in ["ann", "bob"] {
        let form =
            [("name", name), ("role", "analyst"), ("password", "correct horse battery"), ("revision", "0")];
        assert_eq!(submit(&console, Role::Admin, "/users", &form).await.status, 303);
    }
    let users = console.get_as(Role::Admin, "/api/v1/users").await.json()["items"].clone();
    let bob = users.as_array().unwrap().iter().find(|user| user["name"] == "bob").unwrap();
    let form = [("name", "ann"), ("role", "analyst"), ("password", ""), ("revision", "1")];
    let path = format!("/users/{}", bob["id"].as_str().unwrap());
    let answer = submit(&console, Role::Admin, &path, &form).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(
        answer.text.contains("<details open>") && answer.text.contains("id=\"error-name\""),
        "{}",
        answer.text
    );
}

#[tokio::test]
async fn deletions_that_cannot_be_undone_are_confirmed() {
    let console = Console::start().await;
    let user =
        [("name", "ann"), ("role", "analyst"), ("password", "correct horse battery"), ("revision", "0")];
    submit(&console, Role::Admin, "/users", &user).await;
    submit(&console, Role::Admin, "/connectors/keys", &[("name", "shop")]).await;
    for (path, button) in
        [("/users", "Delete ann"), ("/connectors/keys", "Delete shop"), ("/tokens", "Revoke test")]
    {
        let page = console.get_as(Role::Admin, path).await.text;
        let confirmation = page.split("<details class=\"confirm\">").skip(1).any(|part| {
            let inside = part.split("</details>").next().unwrap();
            inside.contains(&format!(">{button}</button>")) && inside.contains("<p>")
        });
        assert!(confirmation, "{path}: {page}");
    }
}

#[tokio::test]
async fn a_deleted_rule_or_entry_offers_undo_where_it_was_deleted() {
    let console = Console::start().await;
    let rule = [
        ("host", ""),
        ("path", ""),
        ("method", ""),
        ("effect", r#"{"kind": "mode", "mode": "block"}"#),
        ("comment", "keep me"),
    ];
    submit(&console, Role::Analyst, "/rules", &rule).await;
    let entry = [("list", "deny"), ("source", "198.51.100.0/24"), ("for", "0"), ("reason", "keep me")];
    submit(&console, Role::Analyst, "/ip-lists", &entry).await;
    for page in ["/rules", "/ip-lists"] {
        let item = console.get(&format!("/api/v1{page}")).await.json()["items"][0].clone();
        let path = format!("{page}/{}/delete", item["id"].as_str().unwrap());
        let deleted = submit(&console, Role::Analyst, &path, &[("revision", "1")]).await;
        let shown = console.get_as(Role::Analyst, deleted.header("location")).await.text;
        let undo = shown.split("action=\"/audit/").nth(1).unwrap_or_else(|| panic!("{shown}"));
        let undo = format!("/audit/{}", undo.split('"').next().unwrap());
        let undone = submit(&console, Role::Analyst, &undo, &[("back", page)]).await;
        assert_eq!((undone.status.as_u16(), undone.header("location")), (303, page));
        assert!(console.get(page).await.text.contains("keep me"), "{page}");
        assert!(
            !console
                .get(&format!("{page}?deleted={}", crate::harness::uuid(1)))
                .await
                .text
                .contains("Undo</button>")
        );
    }
}

#[tokio::test]
async fn roles_see_no_links_to_pages_they_cannot_open() {
    let console = Console::start().await;
    for role in [Role::ReadOnly, Role::Analyst, Role::Admin] {
        for path in ["/attacks", "/rules", "/ip-lists", "/settings", "/connectors", "/nodes"] {
            let page = console.get_as(role, path).await.text;
            for link in page.split("href=\"").skip(1).filter_map(|part| part.split(['"', '#']).next()) {
                if link.starts_with('/') && !link.starts_with("/static/") && !link.is_empty() {
                    let status = console.get_as(role, &link.replace("&#38;", "&")).await.status;
                    assert_ne!(status, 403, "{link} on {path} as {role:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn signing_keys_are_added_offered_for_bundles_and_deleted() {
    let console = Console::start().await;
    assert_eq!(console.get_as(Role::Analyst, "/connectors/keys").await.status, 403);
    let redirect = submit(&console, Role::Admin, "/connectors/keys", &[("name", "shop <i>")]).await;
    let created = follow(&console, &redirect).await;
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
    assert_eq!(settings.matches("data-label=\"Browser\"").count(), 2, "{settings}");
    assert!(settings.contains("Sign out other sessions"), "{settings}");
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
    let settings = browse(&console.router, "/settings", &here).await.text;
    assert_eq!(settings.matches("data-label=\"Browser\"").count(), 1, "{settings}");
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let console = Console::empty().await;
    let token = Token::generate();
    console.store.provision(&token, Role::Admin, now()).await.unwrap();
    let signed_in = super::sign_in(&console, token.reveal()).await;
    let of_token = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let post = async |path: &str, cookie: &str, fields: &[(&str, &str)]| {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        send(&console.router, request.body(Body::from(body)).unwrap()).await
    };
    let id_of = async |page: &str, cookie: &str| {
        let text = browse(&console.router, page, cookie).await.text;
        let action = format!("action=\"{page}/");
        text.split(&action).nth(1).map(|part| part[..36].to_owned())
    };
    let ann = [("name", "ann"), ("role", "admin"), ("password", "correct horse battery"), ("revision", "0")];
    assert_eq!(post("/users", &of_token, &ann).await.status, 303);
    let id = id_of("/users", &of_token).await.unwrap();
    let body = "user=ann&password=correct+horse+battery";
    let request = Request::post("/sign-in")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let signed_in = send(&console.router, request.body(Body::from(body)).unwrap()).await;
    let of_ann = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();

    let own = post(&format!("/users/{id}/delete"), &of_ann, &[("revision", "1")]).await;
    assert!(
        own.status == 409 && own.text.contains("you are signed in with this user or token"),
        "{}",
        own.text
    );
    let token_id = id_of("/tokens", &of_ann).await.unwrap();
    assert_eq!(post(&format!("/tokens/{token_id}/delete"), &of_ann, &[]).await.status, 303);
    let demoted = [("name", "ann"), ("role", "analyst"), ("password", ""), ("revision", "1")];
    let last = post(&format!("/users/{id}"), &of_ann, &demoted).await;
    assert!(last.status == 409 && last.text.contains("this is the last administrator"), "{}", last.text);
    let bob = [("name", "bob"), ("role", "admin"), ("password", "correct horse battery"), ("revision", "0")];
    assert_eq!(post("/users", &of_ann, &bob).await.status, 303);
    assert_eq!(post(&format!("/users/{id}"), &of_ann, &demoted).await.status, 303);
}

#[tokio::test]
async fn an_entry_for_everyone_or_no_one_needs_a_confirmation() {
    let console = Console::start().await;
    for (list, source, effect) in [
        ("deny", "0.0.0.0/0", "0.0.0.0/0 blocks every request of every IPv4 client."),
        ("allow", "::/0", "::/0 passes every request, attacks too, of every IPv6 client."),
        ("deny", "QX", "QX is not the code of a country: the entry has no effect."),
    ] {
        let form = [("list", list), ("source", source), ("for", "24"), ("reason", "r")];
        let asked = submit(&console, Role::Analyst, "/ip-lists", &form).await;
        assert_eq!(asked.status, 400, "{}", asked.text);
        let confirmation = format!("name=\"confirmed\" value=\"true\" required> Add it anyway: {effect}");
        assert!(asked.text.contains(&confirmation), "{}", asked.text);
        assert_eq!(console.body("/api/v1/ip-lists").await["items"], json!([]));
        let confirmed = [form.as_slice(), &[("confirmed", "true")]].concat();
        assert_eq!(submit(&console, Role::Analyst, "/ip-lists", &confirmed).await.status, 303);
        let entry = console.body("/api/v1/ip-lists").await["items"][0].clone();
        let delete = format!(
            "/ip-lists/{}/delete",
            console.get("/api/v1/ip-lists").await.json()["items"][0]["id"].as_str().unwrap()
        );
        assert_eq!(
            submit(&console, Role::Analyst, &delete, &[("revision", "1")]).await.status,
            303,
            "{entry}"
        );
    }
    let usual = [("list", "deny"), ("source", "DE"), ("for", "24"), ("reason", "r")];
    assert_eq!(submit(&console, Role::Analyst, "/ip-lists", &usual).await.status, 303);
}

#[tokio::test]
async fn the_audit_log_offers_no_undo_for_what_is_gone() {
    let console = Console::start().await;
    let rule = [
        ("host", ""),
        ("path", ""),
        ("method", ""),
        ("effect", r#"{"kind": "mode", "mode": "block"}"#),
        ("comment", ""),
    ];
    submit(&console, Role::Analyst, "/rules", &rule).await;
    let undos = async || console.get_as(Role::Admin, "/audit").await.text.matches("/undo\"").count();
    assert_eq!(undos().await, 1);
    let id = console.get("/api/v1/rules").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    submit(&console, Role::Analyst, &format!("/rules/{id}/delete"), &[("revision", "1")]).await;
    assert_eq!(undos().await, 1, "of the deletion, not of the creation");
}

#[tokio::test]
async fn both_functions_are_downloaded_from_one_form() {
    let console = Console::start().await;
    let page = console.get_as(Role::Admin, "/connectors").await.text;
    let form = page.split("action=\"/connectors/bundle\"").nth(1).unwrap().split("</form>").next().unwrap();
    for function in ["request", "response"] {
        assert!(form.contains(&format!("name=\"function\" value=\"{function}\">Download")), "{form}");
    }
}

#[tokio::test]
async fn the_first_page_has_the_address_of_the_protected_site() {
    let console = Console::start().await;
    let mut app = app(&console.store, now());
    app.site = Site(Some("http://127.0.0.1:8000".to_owned()));
    let request = Request::get("/attacks")
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::ReadOnly)));
    let page = send(&router(app), request.body(Body::empty()).unwrap()).await.text;
    assert!(
        page.contains("curl -i &#39;http://127.0.0.1:8000/etc/passwd&#39;")
            || page.contains("curl -i 'http://127.0.0.1:8000/etc/passwd'"),
        "{page}"
    );
}
