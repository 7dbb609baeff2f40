//! Sign-in at an OpenID provider.

use crate::{
    harness::{Answer, Console, app, now, send, token_of},
    oidc_provider::{CLIENT, Provider, SECRET, Signature},
    rules::call,
    sessions::{PASSWORD, sign_in},
    users::add,
};
use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use console_api::{
    access::ExternalIdentity,
    actor::Role,
    oidc::{Oidc, OidcSettings},
    server::router,
    store::ChangeError,
};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};

const INVALID: &str = "The response of the single sign-on service is not valid.";
const EXPIRED: &str = "This sign-in has expired or was started in another browser.";

/// A console with a provider.
struct World {
    console: Console,
    provider: Provider,
    oidc: Oidc,
    router: Router,
}

impl World {
    async fn start() -> Self {
        Self::with("").await
    }

    /// With further lines of the configuration.
    async fn with(lines: &str) -> Self {
        let (console, provider) = (Console::start().await, Provider::start().await);
        let secret = console.database.dir().join("oidc-secret");
        fs::write(&secret, SECRET).unwrap();
        let section = format!(
            "issuer = {:?}\nclient_id = {CLIENT:?}\nclient_secret_file = \"{}\"\n{lines}\n\
             [roles]\nwaf-admins = \"admin\"\nsoc = \"analyst\"\nstaff = \"read_only\"\n",
            provider.issuer,
            secret.display()
        );
        let settings = OidcSettings::read(toml::from_str(&section).unwrap()).unwrap();
        let oidc = Oidc::new(settings, "http://console.example.com").unwrap();
        let mut world = Self { router: console.router.clone(), console, provider, oidc };
        world.router = world.at(now());
        world
    }

    /// The router at another time.
    fn at(&self, time: jiff::Timestamp) -> Router {
        let mut app = app(&self.console.store, time);
        app.oidc = Some(self.oidc.clone());
        router(app)
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        get(&self.router, path, cookie).await
    }

    /// The start of a sign-in: the cookie, and the redirect back from the provider.
    async fn begin(&self, to: &str) -> (String, BTreeMap<String, String>) {
        let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
        let begun = self.get(&format!("/sign-in/oidc?to={to}"), "").await;
        assert_eq!(begun.status, 303, "{}", begun.text);
        let set = begun.header("set-cookie");
        let attributes = "; Path=/sign-in/oidc; Max-Age=600; HttpOnly; SameSite=Lax";
        assert!(set.starts_with("wallarm_oidc=sealed:v1:") && set.ends_with(attributes), "{set}");
        let location = begun.header("location");
        assert!(location.contains("scope=openid+profile+email&"), "{location}");
        let callback = "redirect_uri=http%3A%2F%2Fconsole.example.com%2Fsign-in%2Foidc%2Fcallback";
        assert!(location.contains(callback), "{location}");
        (set.split(';').next().unwrap().to_owned(), self.provider.authorize(location))
    }

    async fn end(&self, cookie: &str, answer: &BTreeMap<String, String>) -> Answer {
        end(&self.router, cookie, answer).await
    }

    async fn sign_in(&self) -> Answer {
        let (cookie, answer) = self.begin("").await;
        self.end(&cookie, &answer).await
    }

    /// The session of a successful sign-in.
    async fn session(&self) -> String {
        let answer = self.sign_in().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        session(&answer).unwrap()
    }

    async fn account(&self, session: &str) -> Value {
        self.get("/api/v1/account", session).await.json()
    }

    async fn refusals(&self) -> Value {
        let log = self.console.get_as(Role::Admin, "/api/v1/audit?action=refuse").await;
        log.json()["items"].clone()
    }

    async fn sessions(&self) -> i64 {
        self.console.count("select count(*) from sessions").await
    }

    fn claim(&self, name: &str, value: Value) {
        self.provider.behaviour().claims[name] = value;
    }
}

async fn get(router: &Router, path: &str, cookie: &str) -> Answer {
    let request =
        Request::get(path).header(header::HOST, "console.example.com").header(header::COOKIE, cookie);
    send(router, request.body(Body::empty()).unwrap()).await
}

async fn end(router: &Router, cookie: &str, answer: &BTreeMap<String, String>) -> Answer {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).finish();
    let ended = get(router, &format!("/sign-in/oidc/callback?{query}"), cookie).await;
    let cookies = ended.headers.get_all(header::SET_COOKIE).iter().map(|it| it.to_str().unwrap());
    let cleared = "wallarm_oidc=; Path=/sign-in/oidc; Max-Age=0; HttpOnly; SameSite=Lax";
    assert!(cookies.into_iter().any(|cookie| cookie == cleared), "{:?}", ended.headers);
    ended
}

fn session(answer: &Answer) -> Option<String> {
    let cookies = answer.headers.get_all(header::SET_COOKIE).iter().map(|it| it.to_str().unwrap());
    let mut sessions = cookies.filter(|cookie| cookie.starts_with("wallarm_session="));
    sessions.next().map(|cookie| cookie.split(';').next().unwrap().to_owned())
}

#[track_caller]
fn assert_refused(answer: &Answer, sentence: &str) {
    assert_eq!(answer.status, 403, "{}", answer.text);
    assert!(answer.text.contains(sentence) && answer.text.contains("<h1>Sign in</h1>"), "{}", answer.text);
    assert_eq!(session(answer), None);
}

#[tokio::test]
async fn a_user_of_the_provider_gets_a_session_with_the_role_of_the_groups() {
    let world = World::start().await;
    let page = world.get("/sign-in?to=%2Frules%3Fkind%3Dmode", "").await.text;
    let link = "href=\"/sign-in/oidc?to=%2Frules%3Fkind%3Dmode\">Sign in with single sign-on</a>";
    assert!(page.contains(link) && page.contains("name=\"password\""), "{page}");

    let (cookie, answer) = world.begin("/rules?kind=mode").await;
    let ended = world.end(&cookie, &answer).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    let refresh = "<meta http-equiv=\"refresh\" content=\"0; url=/rules?kind=mode\">";
    assert!(
        ended.text.contains(refresh) && ended.text.contains("href=\"/rules?kind=mode\""),
        "{}",
        ended.text
    );
    let session = session(&ended).unwrap();
    let account = world.account(&session).await;
    assert_eq!((&account["name"], &account["role"]), (&json!("ann"), &json!("analyst")), "{account}");
    assert_eq!(account["is_user"], false, "{account}");
    assert!(!world.get("/settings", &session).await.text.contains("Change password"));

    let again = world.account(&world.session().await).await;
    assert_eq!((&again["id"], again["sessions"].as_array().unwrap().len()), (&account["id"], 2));
    let path = format!("/api/v1/users/{}", account["id"].as_str().unwrap());
    let user = world.console.get_as(Role::Admin, &path).await.json();
    assert_eq!(user["identity"], json!({"issuer": world.provider.issuer, "subject": "user-1"}));
    assert_eq!(user["revision"], 1, "the second sign-in changed nothing");
    let log = world.console.get_as(Role::Admin, "/api/v1/audit").await.json();
    let lines: Vec<_> = log["items"].as_array().unwrap().iter().rev().collect();
    let lines = lines.iter().map(|it| format!("{} {} {}", it["actor"], it["action"], it["kind"]));
    let lines = lines.map(|it| it.replace('"', "")).filter(|it| !it.contains("token"));
    let expected = ["ann create user", "ann create session", "ann create session"];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn rejects_an_answer_without_the_state_of_this_browser() {
    let world = World::start().await;
    let (cookie, answer) = world.begin("").await;
    let with = |name: &str, value: &str| {
        let mut answer = answer.clone();
        answer.insert(name.to_owned(), value.to_owned());
        answer
    };
    assert_refused(&world.end(&cookie, &with("state", "another")).await, EXPIRED);
    let (other, _) = world.begin("").await;
    for cookie in ["", "wallarm_oidc=x", &other, &format!("{cookie}A")] {
        assert_refused(&world.end(cookie, &answer).await, EXPIRED);
    }
    assert_refused(&world.end(&cookie, &BTreeMap::new()).await, EXPIRED);
    let late = world.at(now() + jiff::SignedDuration::from_mins(10));
    assert_refused(&end(&late, &cookie, &answer).await, EXPIRED);
    assert_refused(&world.end(&cookie, &with("iss", "https://other.example.com")).await, INVALID);
    assert_eq!(world.sessions().await, 0);
    assert_eq!(world.end(&cookie, &answer).await.status, 200, "the code was not used");
    let refusals = world.refusals().await;
    assert_eq!(refusals.as_array().unwrap().len(), 1, "of the other issuer: {refusals}");
}

#[tokio::test]
async fn calls_without_an_attempt_delay_no_sign_in() {
    let world = World::start().await;
    for _ in 0..60 {
        assert_refused(&world.end("", &BTreeMap::new()).await, EXPIRED);
    }
    let (cookie, answer) = world.begin("").await;
    assert_eq!(world.end(&cookie, &answer).await.status, 200);
}

#[tokio::test]
async fn rejects_a_replayed_answer() {
    let world = World::start().await;
    let (cookie, answer) = world.begin("").await;
    assert_eq!(world.end(&cookie, &answer).await.status, 200);
    // The browser has deleted the cookie; a thief has kept it.
    assert_refused(&world.end("", &answer).await, EXPIRED);
    assert_refused(&world.end(&cookie, &answer).await, INVALID);
    assert_eq!(world.sessions().await, 1);
}

#[tokio::test]
async fn rejects_an_invalid_id_token() {
    let world = World::start().await;
    for (claim, value) in [
        ("nonce", json!("another")),
        ("nonce", json!(null)),
        ("aud", json!("another-client")),
        ("aud", json!([CLIENT, "another-client"])),
        ("iss", json!("https://other.example.com")),
        ("exp", json!(1_767_268_799)),
    ] {
        world.claim(claim, value.clone());
        assert_refused(&world.sign_in().await, INVALID);
        world.provider.behaviour().claims.as_object_mut().unwrap().remove(claim);
    }
    for signature in [Signature::Forged, Signature::Symmetric, Signature::None] {
        world.provider.behaviour().signature = signature;
        assert_refused(&world.sign_in().await, INVALID);
    }
    assert_eq!((world.sessions().await, world.console.count("select count(*) from users").await), (0, 0));
    world.provider.behaviour().signature = Signature::Published;
    world.session().await;
}

#[tokio::test]
async fn a_user_without_a_mapped_group_is_refused_and_recorded() {
    let world = World::start().await;
    world.claim("groups", json!(["kitchen"]));
    assert_refused(&world.sign_in().await, "None of your groups has access to this console.");
    let refusals = world.refusals().await;
    assert_eq!(
        (&refusals[0]["actor"], &refusals[0]["kind"]),
        (&json!("ann"), &json!("session")),
        "{refusals}"
    );
    let reason = refusals[0]["after"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("None of your groups"), "{reason}");
    assert_eq!(world.console.count("select count(*) from users").await, 0);
}

#[tokio::test]
async fn name_and_role_follow_the_provider_at_each_sign_in() {
    let world = World::start().await;
    world.claim("groups", json!(["soc", "waf-admins"]));
    let first = world.session().await;
    assert_eq!(world.account(&first).await["role"], "admin");
    world.claim("groups", json!(["staff"]));
    world.claim("preferred_username", json!("ann.smith"));
    let second = world.session().await;
    for session in [&first, &second] {
        let account = world.account(session).await;
        assert_eq!((&account["name"], &account["role"]), (&json!("ann.smith"), &json!("read_only")));
    }
    assert_eq!(world.console.count("select count(*) from users").await, 1);
    let log = world.console.get_as(Role::Admin, "/api/v1/audit?object=user&action=change").await.json();
    assert_eq!(log["items"][0]["before"]["role"], "admin", "{log}");
}

#[tokio::test]
async fn groups_may_be_claims_of_the_userinfo_endpoint() {
    let world = World::start().await;
    world.provider.behaviour().claims = json!({});
    for (user, sentence) in [
        (json!({"sub": "user-2", "preferred_username": "ann", "groups": ["soc"]}), INVALID),
        (json!({"sub": "user-1", "groups": ["soc"]}), "sent no user name"),
        (json!({"sub": "user-1", "preferred_username": "ann"}), "None of your groups"),
    ] {
        world.provider.behaviour().user_info = user;
        assert_refused(&world.sign_in().await, sentence);
    }
    let user = json!({"sub": "user-1", "preferred_username": "ann", "groups": ["soc"]});
    world.provider.behaviour().user_info = user;
    assert_eq!(world.account(&world.session().await).await["name"], "ann");
}

#[tokio::test]
async fn without_passwords_only_the_provider_and_tokens_open_sessions() {
    let world = World::with("passwords = false\nbutton = \"Sign in with <Example>\"").await;
    add(&world.console, "bob", "analyst", PASSWORD).await;
    let page = world.get("/sign-in", "").await.text;
    assert!(page.contains("Sign in with &#60;Example&#62;</a>") && page.contains("name=\"token\""), "{page}");
    assert!(!page.contains("name=\"password\""), "{page}");
    let form = async |body: String| {
        let request = Request::post("/sign-in")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        send(&world.router, request.body(Body::from(body)).unwrap()).await
    };
    let refused = form(format!("user=bob&password={}", PASSWORD.replace(' ', "+"))).await;
    assert_refused(&refused, "Passwords are switched off.");
    let refused = sign_in(&world.router, "203.0.113.7", "bob", PASSWORD).await;
    assert_eq!((refused.status.as_u16(), session(&refused)), (403, None), "{}", refused.text);
    let by_token = form(format!("token={}", token_of(Role::Admin))).await;
    assert!(by_token.status == 303 && session(&by_token).is_some(), "{}", by_token.text);
    assert_eq!(world.account(&world.session().await).await["name"], "ann");
    assert_eq!(world.console.get_as(Role::Admin, "/api/v1/users").await.status, 200);
}

#[tokio::test]
async fn a_sign_in_leads_only_to_pages_of_this_console() {
    let world = World::start().await;
    for to in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/sign-out",
        "/sign-in/oidc",
        "",
    ] {
        let (cookie, answer) = world.begin(to).await;
        let ended = world.end(&cookie, &answer).await;
        assert!(ended.text.contains("content=\"0; url=/attacks\""), "{to:?}: {}", ended.text);
        assert!(!ended.text.contains("evil"), "{to:?}: {}", ended.text);
    }
    let (cookie, answer) = world.begin("/attacks?q=\"><script>'").await;
    let ended = world.end(&cookie, &answer).await;
    assert!(!ended.text.contains("<script>'"), "{}", ended.text);
}

#[tokio::test]
async fn a_deleted_user_cannot_come_back_before_the_deletion_is_undone() {
    let world = World::start().await;
    let session = world.session().await;
    let id = world.account(&session).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/users/{id}");
    let admin = async |method: &str, path: &str, body: &Value| {
        send(&world.console.router, call(Role::Admin, method, path, Some("\"1\""), body)).await
    };
    let changed = admin("PUT", &path, &json!({"name": "ann", "role": "admin"})).await;
    assert_eq!(changed.status, 409, "{}", changed.text);
    assert_eq!(admin("DELETE", &path, &Value::Null).await.status, 204);
    assert_eq!(world.get("/api/v1/account", &session).await.status, 401);
    assert_refused(&world.sign_in().await, "An administrator of this console removed your user.");

    let log = world.console.get_as(Role::Admin, "/api/v1/audit?object=user&action=delete").await.json();
    let line = log["items"][0]["id"].as_str().unwrap();
    let undo = Request::post(format!("/audit/{line}/undo"))
        .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Admin)))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let undone = send(&world.console.router, undo.body(Body::empty()).unwrap()).await;
    assert_eq!(undone.status, 303, "{}", undone.text);
    assert_eq!(world.account(&world.session().await).await["id"], id);
}

#[tokio::test]
async fn a_name_of_another_user_is_refused() {
    let world = World::start().await;
    add(&world.console, "ann", "admin", PASSWORD).await;
    assert_refused(&world.sign_in().await, "This console has another user named ann.");
    assert_eq!(world.sessions().await, 0);
    world.claim("preferred_username", json!("ann@example.com"));
    let session = world.session().await;
    // Each signs in on its own way.
    assert_eq!(sign_in(&world.router, "203.0.113.7", "ann", PASSWORD).await.status, 201);
    assert_eq!(sign_in(&world.router, "203.0.113.7", "ann@example.com", "").await.status, 401);
    world.claim("preferred_username", json!("ann"));
    assert_refused(&world.sign_in().await, "This console has another user named ann.");
    assert_eq!(world.account(&session).await["name"], "ann@example.com");
}

#[tokio::test]
async fn a_provider_that_is_down_is_reported_and_called_again_later() {
    let world = World::start().await;
    world.provider.behaviour().is_down = true;
    for _ in 0..3 {
        let failed = world.get("/sign-in/oidc", "").await;
        assert_eq!(failed.status, 502, "{}", failed.text);
        assert!(failed.text.contains("The single sign-on service does not respond."), "{}", failed.text);
    }
    assert_eq!(world.provider.behaviour().calls, 1, "visitors do not call the provider");
    assert_eq!(world.get("/sign-in", "").await.status, 200);
    world.provider.behaviour().is_down = false;
    tokio::time::sleep(std::time::Duration::from_millis(5_100)).await;
    world.session().await;
}

#[tokio::test]
async fn metadata_are_cached_and_fetched_again_for_an_unknown_key() {
    let world = World::start().await;
    world.session().await;
    world.session().await;
    assert_eq!(world.provider.behaviour().calls, 1);
    world.provider.behaviour().key = 2;
    world.session().await;
    assert_eq!(world.provider.behaviour().calls, 2);
}

#[tokio::test]
async fn an_error_of_the_provider_ends_on_the_sign_in_page() {
    let world = World::start().await;
    let (cookie, mut answer) = world.begin("/rules").await;
    answer.remove("code");
    answer.insert("error".to_owned(), "access_denied".to_owned());
    answer.insert("error_description".to_owned(), "<b>no</b>".to_owned());
    let denied = world.end(&cookie, &answer).await;
    assert_refused(&denied, "The single sign-on service did not sign you in.");
    assert!(!denied.text.contains("no</b>") && denied.text.contains("to=%2Frules"), "{}", denied.text);
}

#[tokio::test]
async fn failed_sign_ins_delay_the_network() {
    let world = World::start().await;
    let (cookie, mut answer) = world.begin("").await;
    answer.insert("iss".to_owned(), "https://other.example.com".to_owned());
    let mut last = 403;
    for _ in 0..32 {
        last = world.end(&cookie, &answer).await.status.as_u16();
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn a_console_without_a_provider_has_no_such_pages() {
    let console = Console::start().await;
    assert!(!get(&console.router, "/sign-in", "").await.text.contains("/sign-in/oidc"));
    for path in ["/sign-in/oidc", "/sign-in/oidc/callback?code=1&state=2"] {
        assert_eq!(get(&console.router, path, "").await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn first_sign_ins_at_a_time_have_one_user() {
    let console = Console::start().await;
    let another = console.database.open().await.unwrap();
    let identity = ExternalIdentity { issuer: "https://id.example.com".to_owned(), subject: "7".to_owned() };
    let stores = [&console.store, &another].into_iter().cycle().take(8);
    let sign_ins = stores.map(|store| store.user_of_identity(&identity, ("ann", Role::Analyst), now()));
    let users = try_join_all(sign_ins).await.unwrap();
    assert!(users.iter().all(|user| user.id == users[0].id), "{users:?}");
    let lines = console.get_as(Role::Admin, "/api/v1/audit?object=user").await.json();
    assert_eq!(lines["items"].as_array().unwrap().len(), 1, "{lines}");
    // The name of another user stays refused.
    let other = ExternalIdentity { subject: "8".to_owned(), ..identity };
    let refused = console.store.user_of_identity(&other, ("ann", Role::Analyst), now()).await;
    assert!(matches!(refused, Err(ChangeError::NameTaken { .. })), "{refused:?}");
    another.close().await;
}
