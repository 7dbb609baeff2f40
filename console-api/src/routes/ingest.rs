//! Ingestion of batches from nodes.

use crate::{
    app::App,
    clock::Clock,
    error::{ApiError, with_sources},
    extract::{self, NodeCaller},
    ingest_quota::{IngestQuota, Receiving},
    metrics::Metrics,
    store::{self, Delivery, IngestError, Ingested, Store, ValidRecord},
};
use axum::{
    Json,
    extract::{FromRequest, FromRequestParts as _, Request, State},
};
use jiff::Timestamp;
use serde_json::{Value, value::RawValue};
use shared::{IngestBatch, IngestReply, Record, RejectedRecord};
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// Maximum body of a batch.
pub(super) const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Maximum JSON of a record, so that its parts are not read. A node's largest has 3 MB.
const MAX_RECORD_BYTES: usize = 4 << 20;

/// The reason of a rejection may quote the record, whose size the sender chooses.
const MAX_REASON_BYTES: usize = 300;

/// Stores a batch. The response is sent after the commit; if it is lost, the node can send the
/// batch again. An invalid record does not affect the others.
#[utoipa::path(
    post,
    path = "/ingest",
    security(("token" = ["node"])),
    request_body = IngestBatch,
    responses((status = 200, description = "The results of the records.", body = IngestReply), (status = 429, description = "The token exceeds its record rate."), (status = 503, description = "The console is overloaded."))
)]
pub(super) async fn take(
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(metrics): State<Metrics>,
    State(quota): State<IngestQuota>,
    Batch { body: batch, token, began, _permits }: Batch,
) -> Result<Json<IngestReply>, ApiError> {
    let now = clock.now();
    let records: Vec<_> = batch.records.iter().map(|raw| parse(raw, now)).collect();
    quota.charge(&token, records.iter().map(store::rows).sum(), now);
    let delivery = Delivery { node: &batch.node, token: Some(&token), status: batch.status.as_ref(), now };
    let mut ingested = Vec::with_capacity(records.len());
    // Others write in between; a node that repeats a batch after an error repeats stored records.
    for piece in store::pieces(&records) {
        let piece = store.ingest(delivery, piece).await;
        ingested.extend(piece.map_err(|error| failed(error, &metrics))?);
    }
    let mut reply = IngestReply::default();
    for (index, (raw, ingested)) in batch.records.iter().zip(ingested).enumerate() {
        match ingested {
            Ingested::Rejected(reason) => reply.rejected.push(reject(index, raw, reason)),
            Ingested::Duplicate => reply.duplicate += 1,
            Ingested::Stored => reply.stored += 1,
        }
    }
    metrics.ingested(&reply, began.elapsed());
    log(&batch, &reply);
    Ok(Json(reply))
}

fn parse(raw: &RawValue, now: Timestamp) -> Result<ValidRecord, String> {
    let bytes = raw.get().len();
    if bytes > MAX_RECORD_BYTES {
        return Err(format!("the record has {bytes} bytes, more than {MAX_RECORD_BYTES}"));
    }
    let record: Record = serde_json::from_str(raw.get()).map_err(|cause| cause.to_string())?;
    ValidRecord::new(record, now)
}

/// A transient failure makes the node send the batch again.
fn failed(error: IngestError, metrics: &Metrics) -> ApiError {
    let error = match error {
        IngestError::Store(error) => error,
        IngestError::NodeOfAnotherToken(_) | IngestError::TooManyNodes { .. } => {
            tracing::warn!("a batch is refused: {error}");
            metrics.refused("token");
            return ApiError::Refused(error.to_string());
        }
    };
    if error.is_transient() {
        let error = with_sources(&error);
        tracing::warn!(error, "batch rejected, the node retries: the database is overloaded");
        metrics.refused("database");
        return ApiError::Busy;
    }
    error.into()
}

fn reject(index: usize, raw: &RawValue, mut reason: String) -> RejectedRecord {
    let cut = |text: &mut String| text.truncate(text.floor_char_boundary(MAX_REASON_BYTES));
    let mut id = record_id(raw);
    cut(&mut reason);
    id.as_mut().map(cut);
    RejectedRecord { index, id, reason }
}

/// The id of a record, if it can be read from an invalid one.
fn record_id(raw: &RawValue) -> Option<String> {
    let raw = Some(raw.get()).filter(|raw| raw.len() <= MAX_RECORD_BYTES)?;
    let record: Value = serde_json::from_str(raw).ok()?;
    let pointers = ["/attack/request/request_id", "/response/request_id", "/not_inspected/id"];
    pointers.into_iter().find_map(|pointer| record.pointer(pointer)?.as_str().map(str::to_owned))
}

fn log(batch: &IngestBatch, reply: &IngestReply) {
    let (node, rejected) = (batch.node.id, reply.rejected.len());
    if let Some(first) = reply.rejected.first() {
        // Without the reason, which can quote a payload. The node receives it.
        tracing::warn!(%node, rejected, first = first.index, "rejected records of a node");
    }
    tracing::debug!(%node, stored = reply.stored, duplicate = reply.duplicate, rejected, "stored a batch");
}

/// The body of a batch, with its permits.
pub(super) struct Batch {
    body: IngestBatch,
    /// The SHA-256 of the node's token.
    token: String,
    /// When reading of the body started.
    began: Instant,
    _permits: (Receiving, OwnedSemaphorePermit),
}

impl FromRequest<App> for Batch {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let (mut parts, unread) = request.into_parts();
        let NodeCaller { token, .. } = NodeCaller::from_request_parts(&mut parts, app).await?;
        let refused = |refused: &ApiError| {
            let is_rate = matches!(refused, ApiError::TooManyRecords { .. });
            app.metrics.refused(if is_rate { "rate" } else { "places" });
        };
        let receiving = app.ingest_quota.receive(&token, app.clock.now()).await.inspect_err(refused)?;
        let (began, request) = (Instant::now(), Request::from_parts(parts, unread));
        let mut body: IngestBatch =
            extract::json_body(request, app, "a batch of records", BODY_LIMIT).await?;
        let permits = (receiving, app.ingest_quota.store().await.inspect_err(refused)?);
        body.status = body.status.map(|status| store::plausible(status, app.clock.now()));
        match store::node_validation_error(&body.node) {
            Some(error) => Err(ApiError::BadBody(error)),
            None => Ok(Self { body, token, began, _permits: permits }),
        }
    }
}
