//! Two stages of one request: the viewer stage marks what it inspected, the origin stage returns
//! marked whole requests at once and inspects the others.

use crate::{
    cloudfront::{Event, EventBody, EventError, EventRequest},
    mark::{MARK_HEADER, Mark, MarkError, Seen},
    parameters::{Parameters, TruncatedBody},
};
use shared::{Body, InspectRequest, TruncationPolicy, UnseenBody};
use std::time::{SystemTime, UNIX_EPOCH};

/// The mark of the viewer stage, at the origin stage. `None` without two stages, and for a request
/// without a mark.
pub(super) fn read(
    event: &Event<'_>,
    request: &EventRequest<'_>,
    parameters: &Parameters,
) -> Result<Option<Result<Mark, MarkError>>, EventError> {
    let keys = parameters.mark_keys.as_ref().filter(|_| event.config.event_type.is_origin());
    let (Some(keys), Some(header)) = (keys, request.headers.first(MARK_HEADER)) else { return Ok(None) };
    let body = request.body.as_ref().map(EventBody::decode).transpose()?.unwrap_or_default();
    let seen = Seen {
        distribution_id: &event.config.distribution_id,
        edge_request_id: &event.config.request_id,
        method: &request.method,
        path: &request.uri,
        query: &request.querystring,
        body: &body.0,
        is_truncated: request.body.as_ref().is_some_and(|body| body.input_truncated),
    };
    Ok(Some(keys.verify(header, &seen, now_unix_ms())))
}

/// The mark of a request that the viewer stage inspects; the origin stage does not mark.
pub(super) fn sign(event: &Event<'_>, request: &InspectRequest, parameters: &Parameters) -> Option<String> {
    let keys = parameters.mark_keys.as_ref().filter(|_| !event.config.event_type.is_origin())?;
    let seen = Seen {
        distribution_id: &event.config.distribution_id,
        edge_request_id: &event.config.request_id,
        method: &request.method,
        path: &request.path,
        query: &request.query,
        body: request.body.as_ref().map_or(&[], |Body(bytes)| bytes),
        is_truncated: request.body_truncated,
    };
    keys.sign(&seen, &request.host, now_unix_ms())
}

/// Whether the parameters refuse requests with a truncated body here, without a call to the node.
pub(super) fn refuses_truncated(event: &Event<'_>, parameters: &Parameters) -> bool {
    let refuses = matches!(parameters.body.truncated, TruncatedBody::Block | TruncatedBody::Pass);
    refuses && !has_later(event, parameters)
}

/// Whether the origin stage will see the request.
pub(super) fn has_later(event: &Event<'_>, parameters: &Parameters) -> bool {
    parameters.mark_keys.is_some() && !event.config.event_type.is_origin()
}

/// The rest of a body of which the node receives `sent` bytes.
pub(super) fn unseen(
    event: &Event<'_>,
    request: &EventRequest<'_>,
    sent: usize,
    parameters: &Parameters,
) -> UnseenBody {
    let length = request.headers.first("content-length").and_then(|length| length.trim().parse::<u64>().ok());
    let is_cut = request.body.as_ref().is_some_and(|body| body.input_truncated);
    let policy = match parameters.body.truncated {
        _ if !parameters.body.inspect => TruncationPolicy::Inspect,
        _ if has_later(event, parameters) => TruncationPolicy::LaterStage,
        // Only here has the function received as much of a body as CloudFront ever shows.
        TruncatedBody::Auto if event.config.event_type.is_origin() && is_cut => TruncationPolicy::Text,
        TruncatedBody::Auto => TruncationPolicy::Padding,
        TruncatedBody::Inspect | TruncatedBody::Block | TruncatedBody::Pass => TruncationPolicy::Inspect,
    };
    UnseenBody { bytes: length.and_then(|length| length.checked_sub(sent as u64)), policy }
}

fn now_unix_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
