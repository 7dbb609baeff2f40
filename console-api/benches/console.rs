//! How fast batches are taken in, beside the database's own bulk path, and how fast questions are
//! answered.
//!
//! `just bench-console [HITS] [--only sqlite|postgres] [--questions]`. Batches come through the
//! router as nodes send them, and are acknowledged one by one. The rows they leave are then written
//! into empty tables in one transaction: with many to a statement, and nothing to think of, which
//! the bound is about; and by the database itself, from table to table (not with `--questions`).
//! Questions have bounds, too, and memory.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed measurement")]

#[path = "../tests/support/postgres.rs"]
mod postgres_server;

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use console_api::{
    actor::Role,
    app::App,
    bundles::Bundles,
    clock::Clock,
    seed, server,
    store::{DatabaseUrl, PostgresUrl, Store, TokenSource},
    token::Token,
};
use http_body_util::BodyExt;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use std::{
    env, fs,
    time::{Duration, Instant},
};
use tower::ServiceExt;

const HITS: u64 = 100_000;
/// As many records as a node sends at once.
const BATCH: u64 = 500;
const ASKED: usize = 200;
/// At least this share of the bulk path's rate.
const BOUND: f64 = 0.4;
/// For 95 of 100 questions.
const LIST_WITHIN: Duration = Duration::from_millis(100);
const STATS_WITHIN: Duration = Duration::from_millis(500);
const MEMORY_MIB: u64 = 300;
const TABLES: [&str; 4] = ["requests", "attacks", "hits", "attack_sources"];

const READER: &str = "wlc_the_token_of_the_bench";
const NODE: &str = "wlc_the_token_of_its_nodes";

struct Bench {
    name: &'static str,
    router: Router,
    hits: u64,
}

/// What is asked for.
struct Wanted {
    hits: u64,
    /// Whether the same rows are written in bulk, too.
    in_bulk: bool,
}

fn main() {
    let asked = |option: &str| env::args().any(|argument| argument == option);
    let hits = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(HITS);
    let wanted = Wanted { hits, in_bulk: !asked("--questions") };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    sqlx::any::install_default_drivers();
    let mut is_within = asked("postgres") || runtime.block_on(in_sqlite(&wanted));
    if !asked("sqlite") {
        postgres_server::with_server(|server| {
            is_within &= runtime.block_on(in_postgres(&wanted, &server.url()));
        });
    }
    assert!(is_within, "a bound is missed");
}

async fn in_sqlite(wanted: &Wanted) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| {
        fs::create_dir(dir.path().join(name)).unwrap();
        DatabaseUrl::in_dir(&dir.path().join(name))
    };
    let file = |name: &str| dir.path().join(name).join("console.db").display().to_string();
    let places = ["console", "bulk", "copy"].map(place);
    let attach = format!("attach database '{}' as copy", file("copy"));
    measure("SQLite", &places, wanted, &format!("sqlite:{}", file("console")), &attach).await
}

async fn in_postgres(wanted: &Wanted, server: &str) -> bool {
    let mut connection = AnyConnection::connect(server).await.unwrap();
    for schema in ["create schema console", "create schema bulk", "create schema copy"] {
        connection.execute(schema).await.unwrap();
    }
    let url = |schema| format!("{server}&options[search_path]={schema}");
    let places = ["console", "bulk", "copy"]
        .map(|schema| DatabaseUrl::Server(PostgresUrl::parse(url(schema)).unwrap()));
    measure("PostgreSQL", &places, wanted, &url("console"), "select 1").await
}

/// Measures on the first of three places; the others are for the same rows.
async fn measure(
    name: &'static str,
    [place, bulk, other]: &[DatabaseUrl; 3],
    &Wanted { hits, in_bulk }: &Wanted,
    url: &str,
    attach: &str,
) -> bool {
    // What was measured before does not count.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let store = Store::open(place).await.unwrap();
    let bench = Bench { name, router: router(&store).await, hits };
    let ingested = bench.ingest().await;
    let answered = bench.ask().await;
    let memory = resident_mib();
    println!(
        "{name}: resident memory at most {memory} MiB (bound {MEMORY_MIB} MiB): {}",
        word(memory < MEMORY_MIB)
    );
    if !in_bulk {
        println!("{name}: {:.0} hits/s taken in", bench.rate(ingested));
        return answered && memory < MEMORY_MIB;
    }
    let inserted = insert(&store, bulk).await;
    store.close().await;
    Store::open(other).await.unwrap().close().await;
    let copied = copy(url, attach).await;
    let ratio = inserted.as_secs_f64() / ingested.as_secs_f64();
    println!(
        "{name}: {:.0} hits/s taken in; inserted in bulk {:.0} hits/s: {ratio:.2}× (bound {BOUND}×): {}; \
         copied from table to table {:.0} hits/s",
        bench.rate(ingested),
        bench.rate(inserted),
        word(ratio >= BOUND),
        bench.rate(copied),
    );
    ratio >= BOUND && answered && memory < MEMORY_MIB
}

async fn router(store: &Store) -> Router {
    let now = Clock::System.now();
    for (token, role) in [(READER, Role::ReadOnly), (NODE, Role::Node)] {
        let token = Token::parse(token).unwrap();
        store.add_token(&token, role, "bench", TokenSource::Command, now).await.unwrap();
    }
    server::router(App::new(store.clone(), Clock::System, Bundles::default()))
}

impl Bench {
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    fn rate(&self, time: Duration) -> f64 {
        self.hits as f64 / time.as_secs_f64()
    }

    /// How long all batches take, one after the other. Making them up is not counted.
    async fn ingest(&self) -> Duration {
        let mut taken = Duration::ZERO;
        for records in seed::batches(self.hits, BATCH, Clock::System.now()) {
            let batch = serde_json::to_string(&seed::delivery(&records).unwrap()).unwrap();
            let request = Request::post("/api/v1/ingest")
                .header(header::AUTHORIZATION, format!("Bearer {NODE}"))
                .header(header::CONTENT_TYPE, "application/json");
            let begun = Instant::now();
            let answer = self.router.clone().oneshot(request.body(Body::from(batch)).unwrap()).await.unwrap();
            taken += begun.elapsed();
            assert_eq!(answer.status(), StatusCode::OK);
        }
        taken
    }

    /// Whether all questions were answered within their bounds.
    async fn ask(&self) -> bool {
        let list = self.get("/api/v1/attacks?limit=1").await;
        let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
        let attack = list["items"][0]["id"].as_str().unwrap().to_owned();
        let mut is_within = true;
        for (name, path, bound) in [
            ("latest attacks", "/api/v1/attacks".to_owned(), LIST_WITHIN),
            ("by type and status", "/api/v1/attacks?q=type:sqli+status:blocked".to_owned(), LIST_WITHIN),
            ("below a path", "/api/v1/attacks?q=host:api.example.com+path:/g*".to_owned(), LIST_WITHIN),
            ("from a network", "/api/v1/attacks?q=ip:198.18.50.0/24".to_owned(), LIST_WITHIN),
            ("a word that is nowhere", "/api/v1/attacks?q=nowhere".to_owned(), LIST_WITHIN),
            ("a word in few payloads", "/api/v1/attacks?q=payload:777.example".to_owned(), LIST_WITHIN),
            ("a word in many", "/api/v1/attacks?q=payload:union".to_owned(), LIST_WITHIN),
            ("one attack", format!("/api/v1/attacks/{attack}"), LIST_WITHIN),
            ("hits of an attack", format!("/api/v1/attacks/{attack}/hits"), LIST_WITHIN),
            ("stats of everything", "/api/v1/attacks/stats".to_owned(), STATS_WITHIN),
            ("stats of a day", "/api/v1/attacks/stats?from=-24h".to_owned(), STATS_WITHIN),
            ("stats of a type", "/api/v1/attacks/stats?q=type:sqli".to_owned(), STATS_WITHIN),
        ] {
            let mut times = Vec::with_capacity(ASKED);
            for _ in 0..ASKED {
                let begun = Instant::now();
                self.get(&path).await;
                times.push(begun.elapsed());
            }
            times.sort();
            let (p50, p95) = (times[ASKED / 2], times[ASKED * 95 / 100]);
            println!(
                "{}: {name}: p50 {p50:.1?}, p95 {p95:.1?} (bound {bound:?}): {}",
                self.name,
                word(p95 <= bound)
            );
            is_within &= p95 <= bound;
        }
        is_within
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {READER}"));
        let answer = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.into_body().collect().await.unwrap().to_bytes().to_vec()
    }
}

/// How long it takes to insert the same rows into an empty database. They come from a file of
/// SQLite's.
async fn insert(store: &Store, into: &DatabaseUrl) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let rows = Store::open(&DatabaseUrl::in_dir(dir.path())).await.unwrap();
    store.copy_to(&rows).await.unwrap();
    let into = Store::open(into).await.unwrap();
    let begun = Instant::now();
    rows.copy_to(&into).await.unwrap();
    begun.elapsed()
}

/// How long the database takes to write the same rows into tables of another schema.
async fn copy(url: &str, attach: &str) -> Duration {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    connection.execute(AssertSqlSafe(attach)).await.unwrap();
    let begun = Instant::now();
    let mut transaction = connection.begin().await.unwrap();
    for table in TABLES {
        let statement = format!("insert into copy.{table} select * from {table}");
        transaction.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    transaction.commit().await.unwrap();
    begun.elapsed()
}

fn word(is_within: bool) -> &'static str {
    if is_within { "ok" } else { "MISSED" }
}

/// The most this process had since it was last asked to forget, as Linux says.
fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
