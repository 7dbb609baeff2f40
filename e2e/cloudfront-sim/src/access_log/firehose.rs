//! Delivery to an HTTP endpoint as Amazon Data Firehose does it.
//!
//! "Understand HTTP endpoint delivery request and response specifications" of Firehose's Developer
//! Guide. Firehose buffers records, sends them as one request, and repeats it with the same id until
//! the endpoint replies 200 with that id.

use std::mem;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::http1::{Client, Request};

/// Shorter than Firehose's, whose smallest buffer interval is 0 to 60 s.
const BUFFERED: Duration = Duration::from_millis(200);
/// The smallest buffer size of Firehose.
const BUFFER_BYTES: usize = 1 << 20;
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// "If the response is not received within 3 minutes" is longer than a test.
const TIMEOUT: Duration = Duration::from_secs(30);

/// `http://127.0.0.1:5050/v1/logs/firehose`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirehoseUrl {
    pub address: SocketAddr,
    pub path: String,
}

/// A stream. Dropping it ends its deliveries.
#[derive(Debug)]
pub struct Firehose {
    buffer: Arc<Mutex<Vec<String>>>,
    sending: JoinHandle<()>,
}

impl FromStr for FirehoseUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "must be http://ADDRESS/PATH, e.g. http://127.0.0.1:5050/v1/logs/firehose";
        let rest = text.strip_prefix("http://").ok_or(wrong)?;
        let (address, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { address: address.parse().map_err(|_| wrong)?, path: path.to_owned() })
    }
}

impl Firehose {
    /// Starts a stream.
    pub fn start(url: FirehoseUrl, access_key: String) -> Self {
        let buffer = Arc::<Mutex<Vec<String>>>::default();
        let sending = tokio::spawn(send(url, access_key, Arc::clone(&buffer)));
        Self { buffer, sending }
    }

    pub(super) fn push(&self, record: String) {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }
}

impl Drop for Firehose {
    fn drop(&mut self) {
        self.sending.abort();
    }
}

async fn send(url: FirehoseUrl, access_key: String, buffer: Arc<Mutex<Vec<String>>>) {
    let client = Client::new(TIMEOUT);
    loop {
        tokio::time::sleep(BUFFERED).await;
        let buffered = mem::take(&mut *buffer.lock().unwrap_or_else(PoisonError::into_inner));
        for records in chunks(&buffered) {
            deliver_all(&client, &url, &access_key, records).await;
        }
    }
}

/// The records of each delivery.
fn chunks(mut records: &[String]) -> impl Iterator<Item = &[String]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |record: &&String| {
            bytes += record.len();
            bytes <= BUFFER_BYTES
        };
        let count = records.iter().take_while(fits).count().max(1).min(records.len());
        let (chunk, rest) = records.split_at(count);
        records = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Delivers records until they are accepted.
async fn deliver_all(client: &Client, url: &FirehoseUrl, access_key: &str, records: &[String]) {
    let id = Uuid::new_v4().to_string();
    let request = request(url, access_key, &id, records);
    while let Err(cause) = deliver(client, url, &request, &id).await {
        tracing::warn!("Firehose delivers {id} again: {cause}");
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

fn request(url: &FirehoseUrl, access_key: &str, id: &str, records: &[String]) -> Request {
    let records: Vec<_> =
        records.iter().map(|record| json!({"data": BASE64_STANDARD.encode(record)})).collect();
    let body = json!({"requestId": id, "timestamp": Timestamp::now().as_millisecond(), "records": records});
    Request::new("POST", url.path.as_str(), &url.address.to_string())
        .header("X-Amz-Firehose-Protocol-Version", "1.0")
        .header("X-Amz-Firehose-Request-Id", id)
        .header("X-Amz-Firehose-Source-Arn", "arn:aws:firehose:us-east-1:123456789012:deliverystream/logs")
        .header("X-Amz-Firehose-Access-Key", access_key)
        .header("Content-Type", "application/json")
        .with_body(body.to_string())
}

async fn deliver(client: &Client, url: &FirehoseUrl, request: &Request, id: &str) -> Result<(), String> {
    let response = client.send(url.address, request).await.map_err(|error| error.to_string())?;
    let is_json = response.headers.text("content-type").is_some_and(|it| it.starts_with("application/json"));
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let is_accepted =
        response.status == 200 && is_json && body["requestId"] == id && body["timestamp"].is_u64();
    if is_accepted { Ok(()) } else { Err(format!("{} {}", response.status, response.body_text())) }
}
