//! Benchmark of the console: the rate of ingestion relative to bulk inserts, and the latency of
//! searches.
//!
//! `just bench-console [HITS] [--only sqlite|postgres] [--no-bulk]`
//!
//! Batches pass through the router as nodes send them, and are acknowledged one by one. The same
//! rows are then written into empty tables in one transaction: with many rows per statement, which
//! the bound of ingestion refers to, and by the database itself, from table to table. `--no-bulk`
//! skips both. Searches and memory have bounds, too.
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
    overview::Overview,
    sealing::KeyFile,
    seed, server,
    store::{Database, DatabaseUrl, PostgresUrl, Store, TokenSource},
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
/// Records per batch, as nodes send them.
const BATCH: u64 = 500;
/// Calls per search.
const CALLS: usize = 200;
/// The minimum rate of ingestion, relative to bulk inserts.
const BOUND: f64 = 0.5;
/// Bounds of the 95th percentile.
const LIST_WITHIN: Duration = Duration::from_millis(100);
const STATS_WITHIN: Duration = Duration::from_millis(500);
const MEMORY_MIB: u64 = 300;
const TABLES: [&str; 4] = ["requests", "attacks", "hits", "attack_sources"];

const READER: &str = "wlc_the_token_of_the_bench";
const NODE: &str = "wlc_the_token_of_its_nodes";

struct Bench {
    name: &'static str,
    store: Store,
    router: Router,
    hits: u64,
}

/// The options of a run.
struct Options {
    hits: u64,
    /// Whether the same rows are also written in bulk.
    in_bulk: bool,
}

fn main() {
    let has = |option: &str| env::args().any(|argument| argument == option);
    let hits = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(HITS);
    let options = Options { hits, in_bulk: !has("--no-bulk") };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    sqlx::any::install_default_drivers();
    let mut is_within = has("postgres") || runtime.block_on(in_sqlite(&options));
    if !has("sqlite") {
        postgres_server::with_server(|server| {
            is_within &= runtime.block_on(in_postgres(&options, &server.url()));
        });
    }
    assert!(is_within, "a bound is missed");
}

async fn in_sqlite(options: &Options) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let database = |name: &str| {
        fs::create_dir(dir.path().join(name)).unwrap();
        DatabaseUrl::in_dir(&dir.path().join(name))
    };
    let file = |name: &str| dir.path().join(name).join("console.db").display().to_string();
    let databases = ["console", "bulk", "copy"].map(database);
    let attach = format!("attach database '{}' as copy", file("copy"));
    measure("SQLite", &databases, options, &format!("sqlite:{}", file("console")), (&attach, None)).await
}

async fn in_postgres(options: &Options, server: &str) -> bool {
    let mut connection = AnyConnection::connect(server).await.unwrap();
    for schema in ["create schema console", "create schema bulk", "create schema copy"] {
        connection.execute(schema).await.unwrap();
    }
    let url = |schema| format!("{server}&options[search_path]={schema}");
    let databases = ["console", "bulk", "copy"]
        .map(|schema| DatabaseUrl::Server(PostgresUrl::parse(url(schema)).unwrap()));
    // Autovacuum does the same, but in the minutes after such a load, beside the searches.
    let settle = Some("vacuum analyze");
    measure("PostgreSQL", &databases, options, &url("console"), ("select 1", settle)).await
}

/// Measures on the first of three databases; the others receive the same rows.
async fn measure(
    name: &'static str,
    [console, bulk, copied_into]: &[DatabaseUrl; 3],
    &Options { hits, in_bulk }: &Options,
    url: &str,
    (attach, settle): (&str, Option<&'static str>),
) -> bool {
    // Resets the peak memory of earlier measurements.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let keys = tempfile::tempdir().unwrap();
    let store = Store::open(console, &KeyFile::in_dir(keys.path())).await.unwrap();
    let bench = Bench { name, store: store.clone(), router: router(&store).await, hits };
    let ingested = bench.ingest().await;
    if let Some(statement) = settle {
        AnyConnection::connect(url).await.unwrap().execute(statement).await.unwrap();
    }
    let are_searches_within = bench.search().await;
    let memory = resident_mib();
    println!(
        "{name}: resident memory at most {memory} MiB (bound {MEMORY_MIB} MiB): {}",
        verdict(memory < MEMORY_MIB)
    );
    if !in_bulk {
        println!("{name}: {:.0} hits/s ingested", bench.rate(ingested));
        return are_searches_within && memory < MEMORY_MIB;
    }
    let inserted = insert(&store, bulk).await;
    store.close().await;
    Database::open(copied_into).await.unwrap().close().await;
    let copied = copy(url, attach).await;
    let ratio = inserted.as_secs_f64() / ingested.as_secs_f64();
    println!(
        "{name}: {:.0} hits/s ingested; inserted in bulk {:.0} hits/s: {ratio:.2}× (bound {BOUND}×): {}; \
         copied from table to table {:.0} hits/s",
        bench.rate(ingested),
        bench.rate(inserted),
        verdict(ratio >= BOUND),
        bench.rate(copied),
    );
    ratio >= BOUND && are_searches_within && memory < MEMORY_MIB
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

    /// The time to ingest all batches, one after the other, without their generation.
    async fn ingest(&self) -> Duration {
        let mut total = Duration::ZERO;
        for records in seed::batches(self.hits, BATCH, Clock::System.now()) {
            let batch = serde_json::to_string(&seed::delivery(&records).unwrap()).unwrap();
            let request = Request::post("/api/v1/ingest")
                .header(header::AUTHORIZATION, format!("Bearer {NODE}"))
                .header(header::CONTENT_TYPE, "application/json");
            let start = Instant::now();
            let answer = self.router.clone().oneshot(request.body(Body::from(batch)).unwrap()).await.unwrap();
            total += start.elapsed();
            assert_eq!(answer.status(), StatusCode::OK);
        }
        total
    }

    /// Whether all searches are within their bounds.
    async fn search(&self) -> bool {
        let list = self.get("/api/v1/attacks?limit=1").await;
        let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
        let attack = list["items"][0]["id"].as_str().unwrap().to_owned();
        let mut is_within = true;
        for (name, path, bound) in [
            ("latest attacks", "/api/v1/attacks".to_owned(), LIST_WITHIN),
            ("by type and status", "/api/v1/attacks?q=type:sqli+status:blocked".to_owned(), LIST_WITHIN),
            ("suspicious attacks", "/api/v1/attacks?status=suspicious".to_owned(), LIST_WITHIN),
            ("below a path", "/api/v1/attacks?q=host:api.example.com+path:/g*".to_owned(), LIST_WITHIN),
            ("from a network", "/api/v1/attacks?q=ip:198.18.50.0/24".to_owned(), LIST_WITHIN),
            ("a word without matches", "/api/v1/attacks?q=nowhere".to_owned(), LIST_WITHIN),
            ("a word in few payloads", "/api/v1/attacks?q=payload:777.example".to_owned(), LIST_WITHIN),
            ("a word in many payloads", "/api/v1/attacks?q=payload:union".to_owned(), LIST_WITHIN),
            ("latest requests", "/api/v1/requests".to_owned(), LIST_WITHIN),
            ("requests of an hour", "/api/v1/requests?from=-73h&to=-72h".to_owned(), LIST_WITHIN),
            ("requests of an address", "/api/v1/requests?q=ip:198.18.50.1".to_owned(), LIST_WITHIN),
            ("requests of a country", "/api/v1/requests?q=country:DE".to_owned(), LIST_WITHIN),
            (
                "requests of a network and type",
                "/api/v1/requests?q=network:64500+type:rce".to_owned(),
                LIST_WITHIN,
            ),
            ("one attack", format!("/api/v1/attacks/{attack}"), LIST_WITHIN),
            ("hits of an attack", format!("/api/v1/attacks/{attack}/hits"), LIST_WITHIN),
            ("statistics of all attacks", "/api/v1/attacks/stats".to_owned(), STATS_WITHIN),
            (
                "statistics of suspicious attacks",
                "/api/v1/attacks/stats?status=suspicious".to_owned(),
                STATS_WITHIN,
            ),
            ("countries of all requests", "/api/v1/requests?group_by=country".to_owned(), STATS_WITHIN),
            ("statistics of all requests", "/api/v1/requests/stats".to_owned(), STATS_WITHIN),
            ("statistics of a day of requests", "/api/v1/requests/stats?from=-24h".to_owned(), STATS_WITHIN),
            ("statistics of a day", "/api/v1/attacks/stats?from=-24h".to_owned(), STATS_WITHIN),
            ("statistics of a type", "/api/v1/attacks/stats?q=type:sqli".to_owned(), STATS_WITHIN),
        ] {
            is_within &= self.time(name, bound, async || drop(self.get(&path).await)).await;
        }
        // Without the cache of the API.
        let overview = async || drop(Overview::read(&self.store, Clock::System.now()).await.unwrap());
        is_within & self.time("overview", STATS_WITHIN, overview).await
    }

    /// Times calls; returns whether the 95th percentile is within the bound.
    async fn time(&self, name: &str, bound: Duration, call: impl AsyncFn()) -> bool {
        let mut times = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let start = Instant::now();
            call().await;
            times.push(start.elapsed());
        }
        times.sort();
        let (p50, p95) = (times[CALLS / 2], times[CALLS * 95 / 100]);
        let verdict = verdict(p95 <= bound);
        println!("{}: {name}: p50 {p50:.1?}, p95 {p95:.1?} (bound {bound:?}): {verdict}", self.name);
        p95 <= bound
    }

    async fn get(&self, path: &str) -> Vec<u8> {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {READER}"));
        let answer = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.into_body().collect().await.unwrap().to_bytes().to_vec()
    }
}

/// The time to insert the same rows into an empty database, from a SQLite file.
async fn insert(store: &Store, into: &DatabaseUrl) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let rows = Database::open(&DatabaseUrl::in_dir(dir.path())).await.unwrap();
    store.database().copy_to(&rows).await.unwrap();
    let into = Database::open(into).await.unwrap();
    let start = Instant::now();
    rows.copy_to(&into).await.unwrap();
    start.elapsed()
}

/// The time of the database to copy the same rows into tables of another schema.
async fn copy(url: &str, attach: &str) -> Duration {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    connection.execute(AssertSqlSafe(attach)).await.unwrap();
    let start = Instant::now();
    let mut transaction = connection.begin().await.unwrap();
    for table in TABLES {
        let statement = format!("insert into copy.{table} select * from {table}");
        transaction.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    transaction.commit().await.unwrap();
    start.elapsed()
}

fn verdict(is_within: bool) -> &'static str {
    if is_within { "ok" } else { "MISSED" }
}

/// The peak resident memory of the process since its last reset.
fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
