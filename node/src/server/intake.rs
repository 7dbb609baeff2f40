//! Takes the body of a call in: whole, in time, and of all calls together no more than memory is given for.

use super::{Node, Refusal};
use crate::{config::LimitsConfig, metrics::ReasonLabels};
use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt as _;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub struct Intake {
    max_message_bytes: usize,
    body_timeout: Duration,
    /// One permit a byte, given back when the call is answered.
    room: Arc<Semaphore>,
}

impl Intake {
    pub fn new(limits: &LimitsConfig) -> Self {
        let &LimitsConfig { max_message_bytes, body_timeout, max_bytes_in_flight, .. } = limits;
        Self { max_message_bytes, body_timeout, room: Arc::new(Semaphore::new(max_bytes_in_flight)) }
    }

    async fn read(&self, body: Body) -> Result<Whole, Refusal> {
        if usize::try_from(body.size_hint().lower()).is_ok_and(|bytes| bytes <= self.max_message_bytes) {
            let read = tokio::time::timeout(self.body_timeout, self.collect(body)).await;
            read.unwrap_or(Err(Refusal::TooSlow))
        } else {
            Err(Refusal::TooLarge(self.max_message_bytes))
        }
    }

    async fn collect(&self, mut body: Body) -> Result<Whole, Refusal> {
        let mut whole = Whole { bytes: Bytes::new(), room: None };
        // Chunks are copied together: each by itself would keep the buffer it was read into.
        let mut chunks = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(chunk) = frame.map_err(|_| Refusal::BrokenOff)?.into_data() else { continue };
            if chunks.len() + chunk.len() > self.max_message_bytes {
                return Err(Refusal::TooLarge(self.max_message_bytes));
            }
            self.make_room(&mut whole, chunk.len())?;
            if body.is_end_stream() && chunks.is_empty() {
                whole.bytes = chunk;
                return Ok(whole);
            }
            chunks.extend_from_slice(&chunk);
        }
        whole.bytes = chunks.into();
        Ok(whole)
    }

    fn make_room(&self, whole: &mut Whole, bytes: usize) -> Result<(), Refusal> {
        let bytes = u32::try_from(bytes).map_err(|_| Refusal::TooLarge(self.max_message_bytes))?;
        let more = self.room.clone().try_acquire_many_owned(bytes).map_err(|_| Refusal::NoRoom)?;
        match &mut whole.room {
            Some(room) => room.merge(more),
            None => whole.room = Some(more),
        }
        Ok(())
    }
}

struct Whole {
    bytes: Bytes,
    room: Option<OwnedSemaphorePermit>,
}

/// Hands a call on once its body is here.
pub(super) async fn take_in(
    State(node): State<Arc<Node>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let Whole { bytes, room } = node.intake.read(body).await.inspect_err(|refusal| {
        node.metrics.rejected.get_or_create(&ReasonLabels { reason: refusal.label() }).inc();
    })?;
    let response = next.run(Request::from_parts(head, Body::from(bytes))).await;
    drop(room);
    Ok(response)
}
