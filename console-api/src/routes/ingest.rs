//! Taking in what nodes deliver.

use crate::{
    actor::NodeCaller,
    clock::Clock,
    error::ApiError,
    extract,
    intake::Intake,
    store::{self, Kept, Store},
};
use axum::{
    Json,
    extract::{FromRef, FromRequest, Request, State},
};
use serde_json::{Value, value::RawValue};
use shared::{IngestBatch, IngestReply, Record, RejectedRecord};
use tokio::sync::OwnedSemaphorePermit;

/// Largest delivery.
pub(super) const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Stores a batch. The answer is sent once the batch is safe, so the node need not send it again; should the answer get
/// lost, sending it again changes nothing. A record that cannot be read does not stop the others.
#[utoipa::path(
    post,
    path = "/ingest",
    security(("token" = ["node"])),
    request_body = IngestBatch,
    responses((status = 200, description = "What became of the records.", body = IngestReply), (status = 503, description = "Too many deliveries at once."))
)]
pub(super) async fn take(
    _: NodeCaller,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Batch { batch, _place }: Batch,
) -> Result<Json<IngestReply>, ApiError> {
    let read: Vec<Result<Record, serde_json::Error>> =
        batch.records.iter().map(|raw| serde_json::from_str(raw.get())).collect();
    let records: Vec<&Record> = read.iter().flatten().collect();
    let mut kept = store.ingest(&batch.node, batch.status.as_ref(), clock.now(), &records).await?.into_iter();
    let mut reply = IngestReply::default();
    for (index, (raw, read)) in batch.records.iter().zip(&read).enumerate() {
        let kept = match read {
            Ok(_) => kept.next(),
            Err(cause) => Some(Kept::Refused(cause.to_string())),
        };
        match kept {
            Some(Kept::Refused(reason)) => reply.rejected.push(reject(index, raw, reason)),
            Some(Kept::Duplicate) => reply.duplicate += 1,
            Some(Kept::Stored) => reply.stored += 1,
            None => {}
        }
    }
    log(&batch, &reply);
    Ok(Json(reply))
}

fn reject(index: usize, raw: &RawValue, reason: String) -> RejectedRecord {
    RejectedRecord { index, id: record_id(raw), reason }
}

/// The id by which a node finds a record, as far as it can be read from one that is not right.
fn record_id(raw: &RawValue) -> Option<String> {
    let record: Value = serde_json::from_str(raw.get()).ok()?;
    let places = ["/attack/request/request_id", "/response/request_id", "/not_inspected/id"];
    places.into_iter().find_map(|place| record.pointer(place)?.as_str().map(str::to_owned))
}

fn log(batch: &IngestBatch, reply: &IngestReply) {
    let (node, rejected) = (batch.node.id, reply.rejected.len());
    if let Some(first) = reply.rejected.first() {
        // Without the reason: it may quote what an attacker sent. The node has it.
        tracing::warn!(%node, rejected, first = first.index, "refused records of a node");
    }
    tracing::debug!(%node, stored = reply.stored, duplicate = reply.duplicate, rejected, "took in a batch");
}

/// The body of a delivery, read once there is a place for it.
pub(super) struct Batch {
    batch: IngestBatch,
    _place: OwnedSemaphorePermit,
}

impl<S> FromRequest<S> for Batch
where
    S: Send + Sync,
    Intake: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let place = Intake::from_ref(state).enter()?;
        let batch: IngestBatch = extract::json_body(request, state, "a batch of records", BODY_LIMIT).await?;
        match store::objection_to_node(&batch.node) {
            Some(objection) => Err(ApiError::BadBody(objection)),
            None => Ok(Self { batch, _place: place }),
        }
    }
}
