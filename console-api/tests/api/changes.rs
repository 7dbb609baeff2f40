//! Every endpoint that changes something: who may call it, what it refuses, and what it leaves in the log of changes. One
//! row for each; a route without a row fails the test.

use crate::{
    harness::{Answer, Console, attack, request_id, send, token_of, uuid, with},
    rules::{admin, call},
};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::actor::Role;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
};

struct Change {
    method: &'static str,
    /// As the router has it, `{id}` included.
    address: &'static str,
    /// Who may; nobody else.
    allowed: &'static [Role],
    /// Makes what `{id}` stands for, and says its id and its tag.
    of: Option<Thing>,
    /// What is to be sent; null: nothing.
    body: Value,
    /// A body with something wrong, and the field that must be named.
    wrong: Option<(Value, &'static str)>,
    /// The action and the kind of thing the log must tell.
    logged: (&'static str, &'static str),
}

/// What an address names.
#[derive(Clone, Copy)]
enum Thing {
    Rule,
    Entry,
    Attack,
    User,
    Token,
    Session,
    Hit,
    Version,
    View,
    Webhook,
    SigningKey,
}

const ADMIN: &[Role] = &[Role::Admin];
const JUDGES: &[Role] = &[Role::Admin, Role::Analyst];

fn rule() -> Value {
    json!({"effect": {"kind": "mode", "mode": "block"}})
}

fn entry() -> Value {
    json!({"list": "deny", "source": {"network": "10.0.0.0/8"}})
}

fn view() -> Value {
    json!({"name": "Injections", "query": "type:sqli", "shared": true})
}

fn key() -> Value {
    json!({"name": "shop"})
}

fn webhook() -> Value {
    json!({"name": "Ops", "url": "https://hooks.example.com/wallarm", "query": "status:blocked"})
}

/// With a name that no other has.
fn user() -> Value {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("user {}", NEXT.fetch_add(1, Ordering::Relaxed));
    json!({"name": name, "role": "analyst", "password": "correct horse battery"})
}

fn token() -> Value {
    json!({"name": "node-2", "role": "node"})
}

/// The id of the session of somebody who has just signed in.
async fn new_session(console: &Console) -> String {
    let user = user();
    let made = admin(console, "POST", "/api/v1/users", &user).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let who = json!({"user": user["name"], "password": user["password"]});
    let session = admin(console, "POST", "/api/v1/sessions", &who).await;
    assert_eq!(session.status, 201, "{}", session.text);
    session.json()["id"].as_str().unwrap().to_owned()
}

fn changes() -> Vec<Change> {
    judgements().into_iter().chain(of_access()).chain(of_connections()).collect()
}

/// By administrators.
fn of_access() -> Vec<Change> {
    vec![
        Change {
            method: "POST",
            address: "/users",
            allowed: ADMIN,
            of: None,
            body: user(),
            wrong: Some((
                json!({"name": "ann", "role": "node", "password": "correct horse battery"}),
                "role",
            )),
            logged: ("create", "user"),
        },
        Change {
            method: "PUT",
            address: "/users/{id}",
            allowed: ADMIN,
            of: Some(Thing::User),
            body: user(),
            wrong: Some((
                json!({"name": "ann", "role": "node", "password": "correct horse battery"}),
                "role",
            )),
            logged: ("change", "user"),
        },
        Change {
            method: "DELETE",
            address: "/users/{id}",
            allowed: ADMIN,
            of: Some(Thing::User),
            body: Value::Null,
            wrong: None,
            logged: ("delete", "user"),
        },
        Change {
            method: "POST",
            address: "/tokens",
            allowed: ADMIN,
            of: None,
            body: token(),
            wrong: Some((json!({"name": "", "role": "node"}), "name")),
            logged: ("create", "token"),
        },
        Change {
            method: "DELETE",
            address: "/tokens/{id}",
            allowed: ADMIN,
            of: Some(Thing::Token),
            body: Value::Null,
            wrong: None,
            logged: ("delete", "token"),
        },
        Change {
            method: "DELETE",
            address: "/sessions/{id}",
            allowed: ADMIN,
            of: Some(Thing::Session),
            body: Value::Null,
            wrong: None,
            logged: ("delete", "session"),
        },
    ]
}

fn of_connections() -> [Change; 5] {
    [
        Change {
            method: "POST",
            address: "/connectors/keys",
            allowed: ADMIN,
            of: None,
            body: key(),
            wrong: Some((json!({"name": "n".repeat(101)}), "name")),
            logged: ("create", "signing_key"),
        },
        Change {
            method: "DELETE",
            address: "/connectors/keys/{id}",
            allowed: ADMIN,
            of: Some(Thing::SigningKey),
            body: Value::Null,
            wrong: None,
            logged: ("delete", "signing_key"),
        },
        Change {
            method: "POST",
            address: "/webhooks",
            allowed: ADMIN,
            of: None,
            body: webhook(),
            wrong: Some((json!({"name": "Ops", "url": "http://10.0.0.1/"}), "url")),
            logged: ("create", "webhook"),
        },
        Change {
            method: "PUT",
            address: "/webhooks/{id}",
            allowed: ADMIN,
            of: Some(Thing::Webhook),
            body: webhook(),
            wrong: Some((json!({"name": "Ops", "url": "https://example.com/", "query": "hosst:a"}), "query")),
            logged: ("change", "webhook"),
        },
        Change {
            method: "DELETE",
            address: "/webhooks/{id}",
            allowed: ADMIN,
            of: Some(Thing::Webhook),
            body: Value::Null,
            wrong: None,
            logged: ("delete", "webhook"),
        },
    ]
}

fn judgements() -> Vec<Change> {
    let wrong_rule =
        || Some((json!({"scope": {"path": "api"}, "effect": {"kind": "mode", "mode": "off"}}), "scope.path"));
    let wrong_entry = || Some((json!({"list": "deny", "source": {"country": "Germany"}}), "source.country"));
    vec![
        Change {
            method: "POST",
            address: "/rules",
            allowed: JUDGES,
            of: None,
            body: rule(),
            wrong: wrong_rule(),
            logged: ("create", "rule"),
        },
        Change {
            method: "PUT",
            address: "/rules/{id}",
            allowed: JUDGES,
            of: Some(Thing::Rule),
            body: rule(),
            wrong: wrong_rule(),
            logged: ("change", "rule"),
        },
        Change {
            method: "DELETE",
            address: "/rules/{id}",
            allowed: JUDGES,
            of: Some(Thing::Rule),
            body: Value::Null,
            wrong: None,
            logged: ("delete", "rule"),
        },
        Change {
            method: "POST",
            address: "/ip-lists",
            allowed: JUDGES,
            of: None,
            body: entry(),
            wrong: wrong_entry(),
            logged: ("create", "ip_list_entry"),
        },
        Change {
            method: "PUT",
            address: "/ip-lists/{id}",
            allowed: JUDGES,
            of: Some(Thing::Entry),
            body: entry(),
            wrong: wrong_entry(),
            logged: ("change", "ip_list_entry"),
        },
        Change {
            method: "DELETE",
            address: "/ip-lists/{id}",
            allowed: JUDGES,
            of: Some(Thing::Entry),
            body: Value::Null,
            wrong: None,
            logged: ("delete", "ip_list_entry"),
        },
        Change {
            method: "POST",
            address: "/attacks/{id}/mark",
            allowed: JUDGES,
            of: Some(Thing::Attack),
            body: json!({"mark": "true_positive"}),
            wrong: Some((json!({"mark": null, "note": "n".repeat(2001)}), "note")),
            logged: ("change", "attack"),
        },
        Change {
            method: "POST",
            address: "/hits/{id}/exclusion",
            allowed: JUDGES,
            of: Some(Thing::Hit),
            body: json!({"width": "type"}),
            wrong: Some((json!({"width": "subtype"}), "width")),
            logged: ("create", "rule"),
        },
        Change {
            method: "POST",
            address: "/rulesets/{version}/activate",
            allowed: JUDGES,
            of: Some(Thing::Version),
            body: Value::Null,
            wrong: None,
            logged: ("activate", "ruleset"),
        },
    ]
    .into_iter()
    .chain(changes_of_views())
    .collect()
}

fn changes_of_views() -> [Change; 3] {
    [
        Change {
            method: "POST",
            address: "/views",
            allowed: JUDGES,
            of: None,
            body: view(),
            wrong: Some((json!({"name": "a", "query": "hosst:a"}), "query")),
            logged: ("create", "view"),
        },
        Change {
            method: "PATCH",
            address: "/views/{id}",
            allowed: JUDGES,
            of: Some(Thing::View),
            body: json!({"query": "type:xss"}),
            wrong: Some((json!({"sort": "size"}), "sort")),
            logged: ("change", "view"),
        },
        Change {
            method: "DELETE",
            address: "/views/{id}",
            allowed: JUDGES,
            of: Some(Thing::View),
            body: Value::Null,
            wrong: None,
            logged: ("delete", "view"),
        },
    ]
}

/// What is no `GET`, and yet changes nothing of what people set up.
const NO_CHANGES: &[(&str, &str)] = &[
    ("POST", "/sessions"),           // for whoever knows a password: see sessions.rs
    ("DELETE", "/sessions/current"), // only of the caller's own
    ("POST", "/replays"),            // tries a ruleset, and keeps but what came of it
    ("POST", "/ingest"),             // what nodes found
    ("POST", "/rules/test"),         // tries one out
    ("POST", "/connectors/cloudfront/bundle"), // makes a file and keeps nothing
    ("POST", "/webhooks/{id}/test"), // sends something
    ("POST", "/webhooks/{id}/deliveries/retry"), // sends something again
];

impl Thing {
    /// Whether it has revisions. What has none is never changed: something is made of
    /// it, or it ends.
    fn is_tagged(self) -> bool {
        !matches!(self, Self::Hit | Self::Token | Self::Session | Self::SigningKey)
    }

    async fn make(self, console: &Console) -> (String, Option<String>) {
        let (path, body) = match self {
            Self::Rule => ("/api/v1/rules", rule()),
            Self::Entry => ("/api/v1/ip-lists", entry()),
            Self::View => ("/api/v1/views", view()),
            Self::Webhook => ("/api/v1/webhooks", webhook()),
            Self::SigningKey => ("/api/v1/connectors/keys", key()),
            Self::User => ("/api/v1/users", user()),
            Self::Token => ("/api/v1/tokens", token()),
            Self::Session => return (new_session(console).await, None),
            Self::Attack => return (new_attack(console).await.0, Some("\"0\"".to_owned())),
            Self::Hit => return (new_attack(console).await.1, None),
            Self::Version => {
                let older = console.get("/api/v1/rulesets").await.header("etag").to_owned();
                assert_eq!(admin(console, "POST", "/api/v1/rules", &rule()).await.status, 201);
                let tag = console.get("/api/v1/rulesets").await.header("etag").to_owned();
                return (older.replace('"', ""), Some(tag));
            }
        };
        let made = admin(console, "POST", path, &body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        (made.json()["id"].as_str().unwrap().to_owned(), Some(made.header("etag").to_owned()))
    }
}

/// The ids of an attack that was not there before, and of its hit.
async fn new_attack(console: &Console) -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    console
        .ingest(&[with(attack(n, 0), &[("/attack/request/host", json!(format!("{n}.example.com")))])])
        .await;
    let found = console.get(&format!("/api/v1/attacks?q=request_id:{}", request_id(n))).await.json();
    (found["items"][0]["id"].as_str().unwrap().to_owned(), uuid(n))
}

impl Change {
    fn path(&self, id: &str) -> String {
        format!("/api/v1{}", self.address.replace("{id}", id).replace("{version}", id))
    }

    /// The path, and the tag to send, of something that is there.
    async fn target(&self, console: &Console) -> (String, Option<String>) {
        match self.of {
            Some(thing) => {
                let (id, tag) = thing.make(console).await;
                (self.path(&id), tag)
            }
            None => (self.path(""), None),
        }
    }

    async fn call(&self, console: &Console, path: &str, tag: Option<&str>, body: &Value) -> Answer {
        send(&console.router, call(Role::Admin, self.method, path, tag, body)).await
    }
}

/// The latest line of the log.
async fn last_line(console: &Console) -> Value {
    console.get_as(Role::Admin, "/api/v1/audit?limit=1").await.json()["items"][0].clone()
}

#[tokio::test]
async fn tests_every_route_that_changes_something() {
    let document = Console::start().await.get("/api/v1/openapi.json").await.json();
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|method| *method != "get") {
            routes.insert((method.to_uppercase(), path.clone()));
        }
    }
    let known =
        changes().into_iter().map(|change| (change.method, change.address)).chain(NO_CHANGES.iter().copied());
    let known: BTreeSet<_> = known.map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
    assert_eq!(routes, known);
}

#[tokio::test]
async fn rejects_changes_without_the_required_role() {
    let console = Console::start().await;
    for change in changes() {
        let (path, tag) = change.target(&console).await;
        let name = format!("{} {}", change.method, change.address);
        let before = last_line(&console).await;
        let nobody = Request::builder()
            .method(change.method)
            .uri(&path)
            .header(header::AUTHORIZATION, "Bearer wlc_wrong");
        assert_eq!(send(&console.router, nobody.body(Body::empty()).unwrap()).await.status, 401, "{name}");
        for role in Role::ALL.into_iter().filter(|role| !change.allowed.contains(role)) {
            let request = call(role, change.method, &path, tag.as_deref(), &change.body);
            assert_eq!(send(&console.router, request).await.status, 403, "{name} as {role:?}");
        }
        assert_eq!(last_line(&console).await, before, "{name}");
    }
}

#[tokio::test]
async fn records_each_change_in_the_audit_log() {
    let console = Console::start().await;
    for change in changes() {
        for role in change.allowed {
            let name = format!("{} {} as {role:?}", change.method, change.address);
            let (path, tag) = change.target(&console).await;
            let request = call(*role, change.method, &path, tag.as_deref(), &change.body);
            let answer = send(&console.router, request).await;
            assert!(answer.status.is_success(), "{name}: {}", answer.text);
            let line = last_line(&console).await;
            let (action, kind) = change.logged;
            assert_eq!((&line["action"], &line["kind"]), (&json!(action), &json!(kind)), "{name}");
            assert_eq!((&line["actor"], &line["role"]), (&json!("test"), &json!(role.as_str())), "{name}");
            assert_eq!(line["before"].is_null(), action == "create", "{name}: {line}");
            assert_eq!(line["after"].is_null(), action == "delete", "{name}: {line}");
        }
    }
}

#[tokio::test]
async fn rejects_a_stale_or_missing_revision() {
    let console = Console::start().await;
    for change in changes().into_iter().filter(|change| change.of.is_some_and(Thing::is_tagged)) {
        let name = format!("{} {}", change.method, change.address);
        let (path, _) = change.target(&console).await;
        let before = last_line(&console).await;
        for (tag, status) in [(Some("\"77\""), 412), (None, 428), (Some("today"), 400)] {
            let answer = change.call(&console, &path, tag, &change.body).await;
            assert_eq!(answer.status, status, "{name} {tag:?}: {}", answer.text);
        }
        assert_eq!(last_line(&console).await, before, "{name}");
    }
}

#[tokio::test]
async fn answers_404_to_changes_of_unknown_objects() {
    let console = Console::start().await;
    for change in changes().into_iter().filter(|change| change.of.is_some()) {
        for id in [uuid(77), "none".to_owned()] {
            let answer = change.call(&console, &change.path(&id), Some("\"1\""), &change.body).await;
            assert_eq!(answer.status, 404, "{} {} {id}: {}", change.method, change.address, answer.text);
        }
    }
    assert_eq!(last_line(&console).await, Value::Null);
}

#[tokio::test]
async fn names_an_invalid_or_unknown_field() {
    let console = Console::start().await;
    for change in changes() {
        let Some((wrong, field)) = &change.wrong else { continue };
        let name = format!("{} {}", change.method, change.address);
        let (path, tag) = change.target(&console).await;
        let before = last_line(&console).await;
        let mut unknown = change.body.clone();
        unknown["surprise"] = json!(1);
        for (body, field) in [(wrong, *field), (&unknown, "surprise")] {
            let answer = change.call(&console, &path, tag.as_deref(), body).await;
            assert_eq!(answer.status, 400, "{name}: {}", answer.text);
            let problem = answer.json();
            let named = problem["parameter"] == field
                || problem["detail"].as_str().unwrap().contains(&format!("`{field}`"));
            assert!(named, "{name}: {problem} names {field}");
        }
        assert_eq!(last_line(&console).await, before, "{name}");
    }
}

#[tokio::test]
async fn checks_the_token_before_the_body() {
    let console = Console::start().await;
    for change in changes() {
        let request = Request::builder().method(change.method).uri(change.path("none"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Node)));
        let answer = send(&console.router, request.body(Body::from("no JSON")).unwrap()).await;
        assert_eq!(answer.status, 403, "{} {}", change.method, change.address);
    }
}
