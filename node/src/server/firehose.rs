//! `POST /v1/logs/firehose`: records of access logs, as Amazon Data Firehose delivers them to an HTTP
//! endpoint.
//!
//! "Understand HTTP endpoint delivery request and response specifications" of Firehose's Developer
//! Guide defines the messages. Firehose repeats a delivery until the reply is 200, so the hits are in
//! the spool before it.

use super::{LogTally, Message, Node, Refusal};
use access_log::{LogRecord, Parser};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest as _, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use listener::Peer;
use serde::{Deserialize, Serialize};
use shared::{Body, Encoding};
use std::{collections::HashMap, io::Read as _, mem, sync::Arc};
use subtle::ConstantTimeEq as _;
use tracing::{info, warn};

pub(super) const FIREHOSE_PATH: &str = "/v1/logs/firehose";

const REQUEST_ID: &str = "x-amz-firehose-request-id";
const ACCESS_KEY: &str = "x-amz-firehose-access-key";
const COMMON_ATTRIBUTES: &str = "x-amz-firehose-common-attributes";

/// Firehose delivers at most 64 MiB at a time.
const MAX_BYTES: usize = 64 << 20;
/// Firehose reads no more of a message.
const MAX_ERROR_BYTES: usize = 8192;
/// Longer ids are not echoed.
const MAX_ID_BYTES: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    request_id: String,
    records: Vec<DeliveredRecord>,
}

#[derive(Deserialize)]
struct DeliveredRecord {
    data: Body,
}

/// The parameters of a stream, which the user configures.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommonAttributes {
    #[serde(default)]
    common_attributes: HashMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'r> {
    request_id: &'r str,
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'r str>,
}

/// Answers every call in Firehose's format.
pub(super) async fn deliver(State(node): State<Arc<Node>>, request: Request) -> Response {
    let id = text(request.headers(), REQUEST_ID).filter(|id| id.len() <= MAX_ID_BYTES);
    let id = id.unwrap_or_default().to_owned();
    match node.accept(&id, request).await {
        Ok(tally) => {
            info!(request_id = %id, ?tally, "records of access logs received");
            reply(StatusCode::OK, &id, None)
        }
        Err(refusal) => {
            warn!(request_id = %id, "records of access logs refused: {refusal}");
            let mut message = refusal.to_string();
            message.truncate(message.floor_char_boundary(MAX_ERROR_BYTES));
            // With its status and its label for the metrics.
            let (head, _) = refusal.into_response().into_parts();
            let mut response = reply(head.status, &id, Some(&message));
            *response.extensions_mut() = head.extensions;
            response
        }
    }
}

impl Node {
    async fn accept(self: Arc<Self>, id: &str, request: Request) -> Result<LogTally, Refusal> {
        let peer = request.extensions().get::<Peer>().cloned();
        // Before the body is read.
        self.check_access_key(request.headers())?;
        if let Some(peer) = peer {
            peer.verify();
        }
        let message = Message::from_request(request, &self).await?;
        let permit = self.admission.large.acquire().await?;
        let id = id.to_owned();
        let ingested = tokio::task::spawn_blocking(move || {
            let ingested = self.ingest_delivery(&id, &message);
            drop(permit);
            ingested
        });
        ingested.await.unwrap_or(Err(Refusal::Internal))
    }

    fn check_access_key(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let config = self.config.load();
        let key = config.logs.access_key.as_ref().ok_or(Refusal::NotFound)?;
        let presented = text(headers, ACCESS_KEY).unwrap_or_default();
        let is_equal: bool = key.expose().as_bytes().ct_eq(presented.as_bytes()).into();
        if is_equal { Ok(()) } else { Err(Refusal::AccessKey) }
    }

    fn ingest_delivery(&self, id: &str, message: &Message) -> Result<LogTally, Refusal> {
        let body = inflated(&message.headers, &message.body)?;
        let delivery: Delivery = Encoding::Json.decode(&body)?;
        if delivery.request_id != id {
            return Err(Refusal::FirehoseRequestId);
        }
        let config = self.config.load();
        let attributes = attributes(&message.headers)?;
        let distribution_id = attributes.get("distribution_id").or(config.logs.distribution_id.as_ref());
        let distribution_id = distribution_id.map(String::as_str);
        let (mut tally, mut batch) = (LogTally::default(), Batch::default());
        for record in &delivery.records {
            // A header counts for its record of Firehose.
            let mut parser = Parser::new(config.logs.columns.clone());
            for line in record.data.0.split(|byte| *byte == b'\n') {
                match parser.parse(line) {
                    None => {}
                    Some(Ok(record)) => batch.records.push(record),
                    Some(Err(cause)) => {
                        batch.malformed += 1;
                        warn!(request_id = id, "malformed record of an access log: {cause}");
                    }
                }
            }
            if batch.records.len() >= Batch::RECORDS {
                tally += self.ingest_batch(&mem::take(&mut batch), distribution_id)?;
            }
        }
        tally += self.ingest_batch(&batch, distribution_id)?;
        Ok(tally)
    }

    fn ingest_batch(&self, batch: &Batch, distribution_id: Option<&str>) -> Result<LogTally, Refusal> {
        let mut tally = self.ingest_logs(&batch.records, distribution_id)?;
        let malformed = LogTally { malformed: batch.malformed, ..LogTally::default() };
        self.log_totals.add(malformed);
        tally += malformed;
        Ok(tally)
    }
}

/// Lines of several records of Firehose, which may hold one each.
#[derive(Default)]
struct Batch {
    records: Vec<LogRecord>,
    malformed: u64,
}

impl Batch {
    const RECORDS: usize = 500;
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn attributes(headers: &HeaderMap) -> Result<HashMap<String, String>, Refusal> {
    let Some(value) = headers.get(COMMON_ATTRIBUTES) else { return Ok(HashMap::new()) };
    let attributes: CommonAttributes = Encoding::Json.decode(value.as_bytes())?;
    Ok(attributes.common_attributes)
}

/// The body without its compression.
fn inflated(headers: &HeaderMap, body: &Bytes) -> Result<Bytes, Refusal> {
    match text(headers, header::CONTENT_ENCODING.as_str()) {
        None | Some("identity") => Ok(body.clone()),
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => {
            let mut inflated = Vec::new();
            let limit = MAX_BYTES as u64 + 1;
            MultiGzDecoder::new(&body[..])
                .take(limit)
                .read_to_end(&mut inflated)
                .map_err(|_| Refusal::ContentEncoding)?;
            if inflated.len() > MAX_BYTES { Err(Refusal::Inflated(MAX_BYTES)) } else { Ok(inflated.into()) }
        }
        Some(_) => Err(Refusal::ContentEncoding),
    }
}

fn reply(status: StatusCode, request_id: &str, error_message: Option<&str>) -> Response {
    let timestamp = Timestamp::now().as_millisecond();
    (status, Json(Reply { request_id, timestamp, error_message })).into_response()
}
