//! The test harness: a console on its own database, and records as nodes send them.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use console_api::{
    actor::Role,
    app::App,
    authorities::Authorities,
    bundles::Bundles,
    clock::Clock,
    notification::Sender,
    sealing::KeyFile,
    server::router,
    store::{self, DatabaseUrl, PostgresUrl, Store, TokenSource, UnlockError},
    token::Token,
    webhook::Targets,
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, PgConnection};
use std::{
    collections::BTreeMap,
    env, fs,
    path::Path,
    process,
    sync::atomic::{AtomicU32, Ordering},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tower::ServiceExt;

/// The fixed time of the console's clock.
pub(crate) const NOW: &str = "2026-01-01T12:00:00Z";

/// The environment variable with the URL of a PostgreSQL server. Without it, tests run on SQLite.
pub(crate) const DATABASE_URL: &str = "CONSOLE_TEST_DATABASE_URL";

pub(crate) struct Console {
    pub(crate) router: Router,
    pub(crate) store: Store,
    pub(crate) database: Database,
}

/// A database of one test.
pub(crate) struct Database {
    pub(crate) at: DatabaseUrl,
    url: String,
    dir: TempDir,
}

impl Database {
    /// A database without tables.
    pub(crate) async fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (at, url) = match env::var(DATABASE_URL) {
            Ok(server) => {
                let url = schema_on(&server).await;
                (DatabaseUrl::Server(PostgresUrl::parse(url.clone()).unwrap()), url)
            }
            Err(_) => (
                DatabaseUrl::in_dir(dir.path()),
                format!("sqlite:{}?mode=rwc", dir.path().join("console.db").display()),
            ),
        };
        Self { at, url, dir }
    }

    /// A database with tables: SQLite copies a file, as migrations take most of the time of a test.
    async fn migrated() -> Self {
        static MIGRATED: OnceCell<Vec<u8>> = OnceCell::const_new();
        let database = Self::empty().await;
        if let DatabaseUrl::File(file) = &database.at {
            fs::write(file, MIGRATED.get_or_init(migrated_file).await).unwrap();
        }
        database
    }

    /// The database of a console that is not running.
    pub(crate) async fn locked(&self) -> store::Database {
        store::Database::open(&self.at).await.unwrap()
    }

    /// The directory of the console's files.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The key file of the console.
    pub(crate) fn keys(&self) -> KeyFile {
        KeyFile::in_dir(self.dir.path())
    }

    pub(crate) async fn open(&self) -> Result<Store, UnlockError> {
        Store::open(&self.at, &self.keys()).await
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.at, DatabaseUrl::File(_))
    }

    /// A connection without the console.
    pub(crate) async fn connect(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url).await.unwrap()
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn token_of(role: Role) -> String {
    format!("wlc_the_token_of_{}_in_the_tests", role.as_str())
}

impl Console {
    pub(crate) async fn start() -> Self {
        Self::on(Database::migrated().await).await
    }

    /// A console on this database.
    pub(crate) async fn on(database: Database) -> Self {
        let console = Self::without_tokens(database).await;
        for role in Role::ALL {
            let token = Token::parse(&token_of(role)).unwrap();
            console.store.add_token(&token, role, "test", TokenSource::Command, now()).await.unwrap();
        }
        console
    }

    /// A console without tokens.
    pub(crate) async fn empty() -> Self {
        Self::without_tokens(Database::migrated().await).await
    }

    /// A console on a copy of this database, with the same key file.
    pub(crate) async fn copied_from(from: &store::Database, keys: &KeyFile) -> Self {
        let database = Database::migrated().await;
        fs::copy(keys.path(), database.keys().path()).unwrap();
        from.copy_to(&store::Database::open(&database.at).await.unwrap()).await.unwrap();
        Self::without_tokens(database).await
    }

    async fn without_tokens(database: Database) -> Self {
        let store = database.open().await.unwrap();
        let router = router(app(&store, now()));
        Self { router, store, database }
    }

    /// A connection that locks the database against writes until it is dropped.
    pub(crate) async fn lock(&self) -> AnyConnection {
        let mut connection = self.database.connect().await;
        let statements: &[&str] = if self.database.is_sqlite() {
            &["begin immediate"]
        } else {
            &["begin", "lock table attacks in exclusive mode"]
        };
        for statement in statements {
            connection.execute(*statement).await.unwrap();
        }
        connection
    }

    /// The number that an SQL query returns.
    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        let mut connection = self.database.connect().await;
        sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
    }

    /// The same console at another time.
    pub(crate) fn at(&self, time: &str) -> Router {
        router(app(&self.store, time.parse().unwrap()))
    }

    /// Another console on the same database.
    pub(crate) async fn another(&self) -> Router {
        router(app(&self.database.open().await.unwrap(), now()))
    }

    /// The console after a restart on the same database.
    pub(crate) async fn restart(self) -> Self {
        self.store.close().await;
        let store = self.database.open().await.unwrap();
        let router = router(app(&store, now()));
        Self { router, store, ..self }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_as(Role::ReadOnly, path).await
    }

    pub(crate) async fn get_as(&self, role: Role, path: &str) -> Answer {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {}", token_of(role)));
        send(&self.router, request.body(Body::empty()).unwrap()).await
    }

    /// The body of a successful call, with attack ids replaced by `attack-1`, `attack-2` in the
    /// order of their appearance.
    #[track_caller]
    pub(crate) fn body(&self, path: &str) -> impl Future<Output = Value> {
        let call = self.get(path);
        async move {
            let answer = call.await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            without_ids(answer.json())
        }
    }

    pub(crate) async fn ingest(&self, records: &[Value]) -> Value {
        let batch = json!({"node": {"id": uuid(900), "version": "1.2.3"}, "records": records});
        let answer = self.post_batch(batch.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn post_batch(&self, body: impl Into<Body>) -> Answer {
        let request = Request::post("/api/v1/ingest")
            .header(header::AUTHORIZATION, format!("Bearer {}", token_of(Role::Node)))
            .header(header::CONTENT_TYPE, "application/json");
        send(&self.router, request.body(body.into()).unwrap()).await
    }

    /// The id of the only attack.
    pub(crate) async fn only_attack(&self) -> String {
        let list = self.get("/api/v1/attacks").await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
        list["items"][0]["id"].as_str().unwrap().to_owned()
    }
}

/// A console whose webhooks may call this machine.
pub(crate) fn app(store: &Store, now: Timestamp) -> App {
    let mut app = App::new(store.clone(), Clock::At(now), Bundles::default());
    app.sender =
        Sender::new(Targets::allowing(vec!["127.0.0.0/8".parse().unwrap()]), &Authorities::default());
    app
}

async fn migrated_file() -> Vec<u8> {
    let database = Database::empty().await;
    let _open = database.locked().await;
    let copy = database.dir().join("migrated.db");
    let vacuum = format!("vacuum into '{}'", copy.display());
    database.connect().await.execute(AssertSqlSafe(vacuum)).await.unwrap();
    fs::read(copy).unwrap()
}

/// Creates a schema for one console, and returns its URL.
async fn schema_on(server: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let schema = format!("console_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("create schema {schema}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    format!("{server}&options[search_path]={schema}")
}

pub(crate) async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes().to_vec();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Answer { status: parts.status, headers: parts.headers, text, bytes }
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A fixed id with this number.
pub(crate) fn uuid(n: u32) -> String {
    format!("00000000-0000-7000-8000-{n:012}")
}

pub(crate) fn request_id(n: u32) -> String {
    format!("{n:032}")
}

/// A record of a blocked path traversal at this minute after 10:00.
pub(crate) fn attack(n: u32, minute: u32) -> Value {
    let at =
        "2026-01-01T10:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minute.into());
    json!({"attack": {
        "request": {
            "request_id": request_id(n), "at": at, "client_ip": "203.0.113.7", "method": "GET",
            "connector": {"kind": "cloudfront", "version": "1.0.0", "event": "viewer-request", "edge_request_id": format!("edge-{n}")},
            "host": "shop.example.com", "path": "/shop/etc/passwd", "query": "q=1", "headers": [["user-agent", "curl/8.0"]],
        },
        "decision": {
            "outcome": "blocked", "reason": "attack", "mode": "block", "mode_source": "config", "delivery": "inline",
            "enforced": "yes",
        },
        "hits": [hit(n, "ptrav", &json!([["uri"]]), "/etc/passwd")],
    }})
}

pub(crate) fn hit(n: u32, code: &str, point: &Value, payload: &str) -> Value {
    let finding = json!({
        "type": code, "point": point, "signature": format!("{code}-sample"), "severity": "high", "payload": payload,
        "span": [0, payload.len()], "decoded": ["percent"],
    });
    json!({"id": uuid(n), "type": code, "point": point, "findings": [finding]})
}

/// The record with other values at some JSON pointers, e.g. `/attack/request/host`.
pub(crate) fn with(mut record: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        *record.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is not in the record")) =
            value.clone();
    }
    record
}

pub(crate) fn monitored(record: Value) -> Value {
    let changes =
        [("/attack/decision/outcome", json!("monitored")), ("/attack/decision/mode", json!("monitoring"))];
    with(record, &changes)
}

pub(crate) fn response(n: u32, status: u16, event: &str) -> Value {
    let connector = json!({"kind": "cloudfront", "version": "1.0.0", "event": event});
    json!({"response": {"request_id": request_id(n), "status": status, "connector": connector}})
}

pub(crate) fn not_inspected(n: u32, request: u32, reason: &str) -> Value {
    json!({"not_inspected": {
        "id": uuid(n), "request_id": request_id(request), "reason": reason, "at": "2026-01-01T10:00:00Z",
    }})
}

/// Replaces attack ids, which the console generates, by stable names.
fn without_ids(mut body: Value) -> Value {
    fn walk(value: &mut Value, names: &mut BTreeMap<String, String>) {
        match value {
            Value::String(text) if text.len() == 36 && !text.starts_with("00000000-") => {
                let next = format!("attack-{}", names.len() + 1);
                text.clone_from(names.entry(text.clone()).or_insert(next));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, names)),
            Value::Object(fields) => fields.values_mut().for_each(|field| walk(field, names)),
            _ => {}
        }
    }
    walk(&mut body, &mut BTreeMap::new());
    body
}

/// Replaces the cursor, which contains an id of this run.
#[track_caller]
pub(crate) fn without_cursor(mut list: Value) -> Value {
    assert!(list["next_cursor"].is_string());
    list["next_cursor"] = json!("[cursor]");
    list
}
