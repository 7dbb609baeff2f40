//! Every endpoint that changes data: the roles that may call it, the input that it rejects, and its
//! line in the audit log. One row each; a route without a row fails a test.

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
    /// The route, `{id}` included.
    address: &'static str,
    /// The roles that may call it; others get 403.
    allowed: &'static [Role],
    /// The resource that `{id}` names.
    on: Option<Resource>,
    /// A valid body; null: none.
    body: Value,
    /// An invalid body, and the field that the error must name.
    invalid: Option<(Value, &'static str)>,
    /// The action and the kind of resource in the audit log.
    logged: (&'static str, &'static str),
}

fn change(method: &'static str, address: &'static str, allowed: &'static [Role]) -> Change {
    Change { method, address, allowed, on: None, body: Value::Null, invalid: None, logged: ("", "") }
}

impl Change {
    fn on(self, resource: Resource) -> Self {
        Self { on: Some(resource), ..self }
    }

    fn body(self, body: Value) -> Self {
        Self { body, ..self }
    }

    fn invalid(self, body: Value, field: &'static str) -> Self {
        Self { invalid: Some((body, field)), ..self }
    }

    fn logs(self, action: &'static str, kind: &'static str) -> Self {
        Self { logged: (action, kind), ..self }
    }
}

/// A resource that a route names.
#[derive(Clone, Copy)]
enum Resource {
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
    Node,
}

const ADMIN: &[Role] = &[Role::Admin];
const ANALYSTS: &[Role] = &[Role::Admin, Role::Analyst];

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

/// A user with a unique name.
fn user() -> Value {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("user {}", NEXT.fetch_add(1, Ordering::Relaxed));
    json!({"name": name, "role": "analyst", "password": "correct horse battery"})
}

fn token() -> Value {
    json!({"name": "node-2", "role": "node"})
}

/// The id of a new session.
async fn new_session(console: &Console) -> String {
    let user = user();
    let created = admin(console, "POST", "/api/v1/users", &user).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let credentials = json!({"user": user["name"], "password": user["password"]});
    let session = admin(console, "POST", "/api/v1/sessions", &credentials).await;
    assert_eq!(session.status, 201, "{}", session.text);
    session.json()["id"].as_str().unwrap().to_owned()
}

fn changes() -> Vec<Change> {
    changes_by_analysts().into_iter().chain(changes_of_access()).chain(changes_of_connections()).collect()
}

/// Changes by administrators.
fn changes_of_access() -> Vec<Change> {
    vec![
        change("POST", "/users", ADMIN)
            .body(user())
            .invalid(json!({"name": "ann", "role": "node", "password": "correct horse battery"}), "role")
            .logs("create", "user"),
        change("PUT", "/users/{id}", ADMIN)
            .on(Resource::User)
            .body(user())
            .invalid(json!({"name": "ann", "role": "node", "password": "correct horse battery"}), "role")
            .logs("change", "user"),
        change("DELETE", "/users/{id}", ADMIN).on(Resource::User).logs("delete", "user"),
        change("POST", "/tokens", ADMIN)
            .body(token())
            .invalid(json!({"name": "", "role": "node"}), "name")
            .logs("create", "token"),
        change("DELETE", "/tokens/{id}", ADMIN).on(Resource::Token).logs("delete", "token"),
        change("DELETE", "/nodes/{id}/token", ADMIN).on(Resource::Node).logs("change", "node"),
        change("DELETE", "/nodes/{id}", ADMIN).on(Resource::Node).logs("delete", "node"),
        change("DELETE", "/sessions/{id}", ADMIN).on(Resource::Session).logs("delete", "session"),
    ]
}

fn changes_of_connections() -> [Change; 6] {
    [
        change("POST", "/connectors/keys", ADMIN)
            .body(key())
            .invalid(json!({"name": "n".repeat(101)}), "name")
            .logs("create", "signing_key"),
        change("DELETE", "/connectors/keys/{id}", ADMIN)
            .on(Resource::SigningKey)
            .logs("delete", "signing_key"),
        change("POST", "/webhooks", ADMIN)
            .body(webhook())
            .invalid(json!({"name": "Ops", "url": "http://10.0.0.1/"}), "url")
            .logs("create", "webhook"),
        change("PUT", "/webhooks/{id}", ADMIN)
            .on(Resource::Webhook)
            .body(webhook())
            .invalid(json!({"name": "Ops", "url": "https://example.com/", "query": "hosst:a"}), "query")
            .logs("change", "webhook"),
        change("POST", "/webhooks/{id}/secret", ADMIN)
            .on(Resource::Webhook)
            .body(json!({"overlap_hours": 24}))
            .invalid(json!({"overlap_hours": 721}), "overlap_hours")
            .logs("change", "webhook"),
        change("DELETE", "/webhooks/{id}", ADMIN).on(Resource::Webhook).logs("delete", "webhook"),
    ]
}

fn changes_by_analysts() -> Vec<Change> {
    let invalid_rule = || json!({"scope": {"path": "api"}, "effect": {"kind": "mode", "mode": "off"}});
    let invalid_entry = || json!({"list": "deny", "source": {"country": "Germany"}});
    vec![
        change("POST", "/rules", ANALYSTS)
            .body(rule())
            .invalid(invalid_rule(), "scope.path")
            .logs("create", "rule"),
        change("PUT", "/rules/{id}", ANALYSTS)
            .on(Resource::Rule)
            .body(rule())
            .invalid(invalid_rule(), "scope.path")
            .logs("change", "rule"),
        change("DELETE", "/rules/{id}", ANALYSTS).on(Resource::Rule).logs("delete", "rule"),
        change("POST", "/ip-lists", ANALYSTS)
            .body(entry())
            .invalid(invalid_entry(), "source.country")
            .logs("create", "ip_list_entry"),
        change("PUT", "/ip-lists/{id}", ANALYSTS)
            .on(Resource::Entry)
            .body(entry())
            .invalid(invalid_entry(), "source.country")
            .logs("change", "ip_list_entry"),
        change("DELETE", "/ip-lists/{id}", ANALYSTS).on(Resource::Entry).logs("delete", "ip_list_entry"),
        change("POST", "/attacks/{id}/mark", ANALYSTS)
            .on(Resource::Attack)
            .body(json!({"mark": "true_positive"}))
            .invalid(json!({"mark": null, "note": "n".repeat(2001)}), "note")
            .logs("change", "attack"),
        change("POST", "/hits/{id}/content", ANALYSTS)
            .on(Resource::Hit)
            .body(json!({"content": "code"}))
            .invalid(json!({"content": "code", "points": []}), "effect.points")
            .logs("create", "rule"),
        change("POST", "/hits/{id}/exclusion", ANALYSTS)
            .on(Resource::Hit)
            .body(json!({"width": "type"}))
            .invalid(json!({"width": "subtype"}), "width")
            .logs("create", "rule"),
        change("POST", "/rulesets/{version}/activate", ANALYSTS)
            .on(Resource::Version)
            .logs("activate", "ruleset"),
    ]
    .into_iter()
    .chain(changes_of_views())
    .collect()
}

fn changes_of_views() -> [Change; 3] {
    [
        change("POST", "/views", ANALYSTS)
            .body(view())
            .invalid(json!({"name": "a", "query": "hosst:a"}), "query")
            .logs("create", "view"),
        change("PATCH", "/views/{id}", ANALYSTS)
            .on(Resource::View)
            .body(json!({"query": "type:xss"}))
            .invalid(json!({"sort": "size"}), "sort")
            .logs("change", "view"),
        change("DELETE", "/views/{id}", ANALYSTS).on(Resource::View).logs("delete", "view"),
    ]
}

/// Routes other than `GET` that change no configuration.
const NO_CHANGES: &[(&str, &str)] = &[
    ("POST", "/sessions"),                       // authenticates by password: see sessions.rs
    ("DELETE", "/sessions/current"),             // the caller's own session
    ("PUT", "/account/password"),                // the caller's own password: see account.rs
    ("DELETE", "/account/sessions/{id}"),        // the caller's own session: see account.rs
    ("POST", "/replays"),                        // simulates a ruleset
    ("POST", "/ingest"),                         // records of nodes
    ("POST", "/rules/test"),                     // evaluates a rule
    ("POST", "/connectors/cloudfront/bundle"),   // returns a file
    ("POST", "/webhooks/{id}/test"),             // sends an example
    ("POST", "/webhooks/{id}/deliveries/retry"), // retries deliveries
];

impl Resource {
    /// Whether it has revisions. Other resources are only created and deleted.
    fn is_tagged(self) -> bool {
        !matches!(self, Self::Hit | Self::Token | Self::Session | Self::Node | Self::SigningKey)
    }

    async fn create(self, console: &Console) -> (String, Option<String>) {
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
            Self::Node => {
                console.ingest(&[]).await;
                return (uuid(900), None);
            }
            Self::Hit => return (new_attack(console).await.1, None),
            Self::Version => {
                let older = console.get("/api/v1/rulesets").await.header("etag").to_owned();
                assert_eq!(admin(console, "POST", "/api/v1/rules", &rule()).await.status, 201);
                let tag = console.get("/api/v1/rulesets").await.header("etag").to_owned();
                return (older.replace('"', ""), Some(tag));
            }
        };
        // An analyst changes own views only, an administrator all shared ones.
        let role = if matches!(self, Self::View) { Role::Analyst } else { Role::Admin };
        let created = send(&console.router, call(role, "POST", path, None, &body)).await;
        assert_eq!(created.status, 201, "{}", created.text);
        (created.json()["id"].as_str().unwrap().to_owned(), Some(created.header("etag").to_owned()))
    }
}

/// The ids of a new attack and of its hit.
async fn new_attack(console: &Console) -> (String, String) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    console
        .ingest(&[with(attack(n, 0), &[("/attack/request/host", json!(format!("{n}.example.com")))])])
        .await;
    let list = console.get(&format!("/api/v1/attacks?q=request_id:{}", request_id(n))).await.json();
    (list["items"][0]["id"].as_str().unwrap().to_owned(), uuid(n))
}

impl Change {
    fn path(&self, id: &str) -> String {
        format!("/api/v1{}", self.address.replace("{id}", id).replace("{version}", id))
    }

    /// Creates the resource, and returns the path and the revision to use.
    async fn target(&self, console: &Console) -> (String, Option<String>) {
        match self.on {
            Some(resource) => {
                let (id, tag) = resource.create(console).await;
                (self.path(&id), tag)
            }
            None => (self.path(""), None),
        }
    }

    async fn call(&self, console: &Console, path: &str, tag: Option<&str>, body: &Value) -> Answer {
        send(&console.router, call(Role::Admin, self.method, path, tag, body)).await
    }
}

/// The latest line of the audit log.
async fn last_line(console: &Console) -> Value {
    console.get_as(Role::Admin, "/api/v1/audit?limit=1").await.json()["items"][0].clone()
}

#[tokio::test]
async fn the_table_contains_every_route_that_changes_data() {
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
        let unauthenticated = Request::builder()
            .method(change.method)
            .uri(&path)
            .header(header::AUTHORIZATION, "Bearer wlc_wrong");
        assert_eq!(
            send(&console.router, unauthenticated.body(Body::empty()).unwrap()).await.status,
            401,
            "{name}"
        );
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
    for change in changes().into_iter().filter(|change| change.on.is_some_and(Resource::is_tagged)) {
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
    for change in changes().into_iter().filter(|change| change.on.is_some()) {
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
        let Some((invalid, field)) = &change.invalid else { continue };
        let name = format!("{} {}", change.method, change.address);
        let (path, tag) = change.target(&console).await;
        let before = last_line(&console).await;
        let mut unknown = change.body.clone();
        unknown["surprise"] = json!(1);
        for (body, field) in [(invalid, *field), (&unknown, "surprise")] {
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

/// Two consoles on one database change the same resource at the same time: one change is made, the
/// others get a revision conflict.
#[tokio::test]
async fn of_concurrent_changes_with_one_revision_one_is_made() {
    let console = Console::start().await;
    let other = console.another().await;
    let rule = json!({"effect": {"kind": "mode", "mode": "block"}});
    let entry = json!({"list": "deny", "source": {"asn": 64500}});
    let webhook = json!({"name": "w", "url": "http://127.0.0.1:9/"});
    let user = json!({"name": "ann", "role": "analyst", "password": "correct horse battery"});
    for (list, method, body) in [
        ("views", "PATCH", json!({"name": "v"})),
        ("rules", "PUT", rule),
        ("ip-lists", "PUT", entry),
        ("webhooks", "PUT", webhook),
        ("users", "PUT", user),
    ] {
        let admin = |method, path: &str, body| call(Role::Admin, method, path, Some("\"1\""), body);
        let created = send(&console.router, admin("POST", &format!("/api/v1/{list}"), &body)).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let path = format!("/api/v1/{list}/{}", created.json()["id"].as_str().unwrap());
        let mut statuses: Vec<u16> = futures_util::future::join_all((0..8).map(|n| {
            let router = if n % 2 == 0 { &console.router } else { &other };
            let change = admin(method, &path, &body);
            async move { send(router, change).await.status.as_u16() }
        }))
        .await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412], "{list}");
    }
}
