//! Delivery to consoles that are unreachable, busy, unexpected or reject records.

use super::*;
use crate::{
    config::{ConsoleConfig, Secret},
    spool::delivery::SpoolDelivery,
};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::RETRY_AFTER},
    response::{AppendHeaders, IntoResponse, Response},
    routing::post,
};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use shared::{INGEST_PATH, record::NodeInfo};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use std::time::Instant;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A console that replies with these statuses first, then accepts all records except one.
struct Console {
    statuses: Vec<u16>,
    /// The header `Retry-After` of these responses.
    retry_after: Option<&'static str>,
    rejected_number: Option<u128>,
    calls: AtomicUsize,
    accepted: Mutex<Vec<u128>>,
}

impl Console {
    fn new(statuses: &[u16], rejected_number: Option<u128>) -> Arc<Self> {
        Arc::new(Self {
            statuses: statuses.to_vec(),
            retry_after: None,
            rejected_number,
            calls: AtomicUsize::new(0),
            accepted: Mutex::default(),
        })
    }

    fn accepted(&self) -> Vec<u128> {
        self.accepted.lock().unwrap().clone()
    }
}

async fn ingest(State(console): State<Arc<Console>>, headers: HeaderMap, body: Bytes) -> Response {
    let call = console.calls.fetch_add(1, Ordering::SeqCst);
    if let Some(status) = console.statuses.get(call) {
        let retry_after = AppendHeaders(console.retry_after.map(|seconds| (RETRY_AFTER, seconds)));
        return (StatusCode::from_u16(*status).unwrap(), retry_after).into_response();
    }
    assert_eq!(headers["content-encoding"], "gzip");
    let batch: Value = serde_json::from_reader(GzDecoder::new(&body[..])).unwrap();
    let records: Vec<Record> = serde_json::from_value(batch["records"].clone()).unwrap();
    let numbers: Vec<_> = records.iter().map(number).collect();
    if console.rejected_number.is_some_and(|rejected_number| numbers.contains(&rejected_number)) {
        return (StatusCode::BAD_REQUEST, "a record is wrong").into_response();
    }
    console.accepted.lock().unwrap().extend(&numbers);
    axum::Json(json!({"stored": numbers.len(), "duplicate": 0, "rejected": []})).into_response()
}

/// Delivers from the spool to the console until no record is pending, and stops in order.
async fn deliver_all(spool: &Arc<Spool>, console: &Arc<Console>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route(INGEST_PATH, post(ingest)).with_state(console.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let config = ConsoleConfig { url, token: Secret::new("t"), authorities: None };
    let node = NodeInfo { id: Uuid::nil(), version: "1".into(), is_command: false };
    let delivery = SpoolDelivery::new(spool.clone(), &config, node).unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(delivery.run(stop.clone()));
    let emptied = async {
        while spool.stats().pending > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), emptied).await.unwrap();
    stop.cancel();
    running.await.unwrap();
    server.abort();
}

fn spool(directory: &TempDir, numbers: Range<u128>) -> Arc<Spool> {
    let spool = Arc::new(open(directory, 1 << 20));
    fill(&spool, high_priority, numbers);
    spool
}

#[tokio::test]
async fn retries_while_the_console_is_busy_or_unexpected() {
    let directory = tempfile::tempdir().unwrap();
    let spool = spool(&directory, 0..3);
    let console = Console::new(&[503, 404, 401, 415], None);
    deliver_all(&spool, &console).await;
    assert_eq!(console.accepted(), [0, 1, 2]);
    assert_eq!(spool.stats().lost, Tally::default());
}

#[tokio::test]
async fn honours_retry_after() {
    let directory = tempfile::tempdir().unwrap();
    let spool = spool(&directory, 0..3);
    let mut console = Console::new(&[429], None);
    Arc::get_mut(&mut console).unwrap().retry_after = Some("2");
    let start = Instant::now();
    deliver_all(&spool, &console).await;
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert_eq!((console.accepted().len(), console.calls.load(Ordering::SeqCst)), (3, 2));
}

#[tokio::test]
async fn isolates_the_rejected_record_as_a_dead_letter() {
    let directory = tempfile::tempdir().unwrap();
    let spool = spool(&directory, 0..20);
    let console = Console::new(&[], Some(13));
    deliver_all(&spool, &console).await;
    assert_eq!(console.accepted(), (0..20).filter(|n| *n != 13).collect::<Vec<_>>());
    assert_eq!(spool.stats().lost.rejected, 1);
    let dead_letters = fs::read_to_string(directory.path().join("rejected.jsonl")).unwrap();
    assert!(dead_letters.contains("a record is wrong"), "{dead_letters}");
}

#[tokio::test]
async fn delivers_records_appended_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let spool = spool(&directory, 0..1);
    let console = Console::new(&[500], None);
    let writer = {
        let spool = spool.clone();
        tokio::task::spawn_blocking(move || fill(&spool, low_priority, 1..200))
    };
    deliver_all(&spool, &console).await;
    writer.await.unwrap();
    deliver_all(&spool, &console).await;
    let mut accepted = console.accepted();
    accepted.sort_unstable();
    assert_eq!(accepted, (0..200).collect::<Vec<_>>());
}
