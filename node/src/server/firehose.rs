//! `POST /v1/logs/firehose`: records of access logs, as Amazon Data Firehose delivers them to an HTTP
//! endpoint.
//!
//! "Understand HTTP endpoint delivery request and response specifications" of Firehose's Developer
//! Guide defines the messages. Firehose repeats a delivery until the reply is 200, so the hits are in
//! the spool before it. All memory that grows with a delivery counts for `limits.max_bytes_in_flight`.

use super::{LogLines, LogTally, Message, Node, Refusal};
use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest as _, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use listener::Peer;
use serde::{Deserialize, Serialize};
use shared::{Body, Encoding};
use std::{borrow::Cow, collections::HashMap, io::Read as _, sync::Arc};
use subtle::ConstantTimeEq as _;
use tracing::{info, warn};

const REQUEST_ID: &str = "x-amz-firehose-request-id";
const ACCESS_KEY: &str = "x-amz-firehose-access-key";
const COMMON_ATTRIBUTES: &str = "x-amz-firehose-common-attributes";

/// Firehose delivers at most 64 MiB at a time.
const MAX_BYTES: usize = 64 << 20;
/// Firehose reads no more of a message.
const MAX_ERROR_BYTES: usize = 8192;
/// Longer ids are not echoed.
const MAX_ID_BYTES: usize = 200;

/// The body of a delivery. Data stay in base64, so that damaged data cost one record.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delivery<'b> {
    #[serde(borrow)]
    request_id: Cow<'b, str>,
    #[serde(borrow)]
    records: Vec<DeliveredRecord<'b>>,
}

#[derive(Deserialize)]
struct DeliveredRecord<'b> {
    #[serde(borrow)]
    data: Cow<'b, str>,
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
            let ingested = self.ingest_delivery(&id, message);
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

    fn ingest_delivery(&self, id: &str, mut message: Message) -> Result<LogTally, Refusal> {
        let attributes = attributes(&message.headers)?;
        let body = self.inflated(&mut message)?;
        // An upper bound of the records; a growing list may have twice the room that it needs.
        let records = body.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
        message.reserve(2 * records * size_of::<DeliveredRecord<'_>>(), self)?;
        if body.contains(&b'\\') {
            // Escaped texts are copied.
            message.reserve(body.len(), self)?;
        }
        let delivery: Delivery<'_> = serde_json::from_slice(&body).map_err(Refusal::Delivery)?;
        if delivery.request_id != id {
            return Err(Refusal::FirehoseRequestId);
        }
        let longest = delivery.records.iter().map(|record| record.data.len()).max();
        message.reserve(longest.unwrap_or_default(), self)?;
        let config = self.config.load();
        let distribution_id = attributes.get("distribution_id").or(config.logs.distribution_id.as_ref());
        let distribution_id = distribution_id.map(String::as_str);
        let source = format!("delivery {id}");
        let mut lines = LogLines::new(self, &source, None);
        for record in &delivery.records {
            let data = match Body::from_base64(&record.data) {
                Ok(data) => data.0,
                Err(cause) => {
                    lines.malformed(&format_args!("the data are not base64: {cause}"));
                    continue;
                }
            };
            lines.begin_part(config.logs.columns.clone());
            for line in data.split(|byte| *byte == b'\n') {
                lines.parse(line);
                if lines.is_full() {
                    lines.ingest(distribution_id)?;
                }
            }
        }
        lines.ingest(distribution_id)?;
        Ok(lines.tally())
    }

    /// The body without its compression.
    fn inflated(&self, message: &mut Message) -> Result<Bytes, Refusal> {
        const CHUNK: usize = 64 << 10;
        match message.header(header::CONTENT_ENCODING.as_str()) {
            None | Some("identity") => return Ok(message.body.clone()),
            Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => {}
            Some(_) => return Err(Refusal::ContentEncoding),
        }
        let compressed = message.body.clone();
        let mut decoder = MultiGzDecoder::new(&compressed[..]);
        let (mut inflated, mut chunk) = (Vec::new(), vec![0; CHUNK]);
        loop {
            let bytes = decoder.read(&mut chunk).map_err(|_| Refusal::ContentEncoding)?;
            if bytes == 0 {
                return Ok(inflated.into());
            }
            if inflated.len() + bytes > MAX_BYTES {
                return Err(Refusal::Inflated(MAX_BYTES));
            }
            message.reserve(bytes, self)?;
            inflated.extend_from_slice(&chunk[..bytes]);
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn attributes(headers: &HeaderMap) -> Result<HashMap<String, String>, Refusal> {
    let Some(value) = headers.get(COMMON_ATTRIBUTES) else { return Ok(HashMap::new()) };
    let attributes: CommonAttributes = Encoding::Json.decode(value.as_bytes())?;
    Ok(attributes.common_attributes)
}

fn reply(status: StatusCode, request_id: &str, error_message: Option<&str>) -> Response {
    let timestamp = Timestamp::now().as_millisecond();
    let mut response = (status, Json(Reply { request_id, timestamp, error_message })).into_response();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
