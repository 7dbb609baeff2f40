//! JSON bodies of calls.

use crate::{
    access::{TokenDraft, UserDraft},
    attack::MarkDraft,
    error::ApiError,
    replay::ReplayDraft,
    ruleset::{EntryDraft, RuleDraft},
    signing_key::KeyDraft,
    simulation::{content::ContentDraft, exclusion::ExclusionDraft},
    use_cases::bundles::BundleOrder,
    view::{ViewChange, ViewDraft},
    webhook::{SecretRotation, WebhookDraft},
};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request, rejection::BytesRejection},
    http::{HeaderValue, StatusCode, header},
};
use flate2::read::GzDecoder;
use ruzstd::decoding::StreamingDecoder;
use serde::de::DeserializeOwned;
use shared::Encoding;
use std::io::{self, Read as _};

/// Maximum body of a call, deliveries of nodes excepted.
pub const BODY_LIMIT: usize = 64 * 1024;

/// The body of a call.
pub struct Body<T>(pub T);

/// A type that is sent as a body.
pub trait FromBody: DeserializeOwned {
    /// Completes "not …".
    const NAME: &'static str;
}

impl<S: Send + Sync, T: FromBody> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        json_body(request, state, T::NAME, BODY_LIMIT).await.map(Self)
    }
}

macro_rules! bodies {
    ($($body:ty: $name:literal;)+) => {$(
        impl FromBody for $body {
            const NAME: &'static str = $name;
        }
    )+};
}

bodies! {
    RuleDraft: "a rule";
    EntryDraft: "an entry of a list";
    MarkDraft: "a mark";
    ExclusionDraft: "an exclusion";
    ContentDraft: "a rule on content";
    ReplayDraft: "a replay";
    ViewDraft: "a view";
    ViewChange: "a view";
    WebhookDraft: "a webhook";
    SecretRotation: "a rotation of a secret";
    UserDraft: "a user";
    TokenDraft: "a token";
    KeyDraft: "a key";
    BundleOrder: "an order for a bundle";
}

/// Maximum zstd window; RFC 8878 recommends that every decoder supports 8 MB.
const ZSTD_WINDOW: u64 = 8 << 20;

/// Reads a JSON body, plain or compressed with gzip or zstd. `what` completes "not …"; `limit`
/// bounds the body before and after decompression.
pub async fn json_body<T: DeserializeOwned, S: Send + Sync>(
    request: Request,
    state: &S,
    what: &str,
    limit: usize,
) -> Result<T, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.and_then(Encoding::from_content_type) != Some(Encoding::Json) {
        return Err(ApiError::MediaType("application/json"));
    }
    let encoding = request.headers().get(header::CONTENT_ENCODING).cloned();
    let body = Bytes::from_request(request, state).await.map_err(|cause| unread(&cause, limit))?;
    let body = match encoding.as_ref().map(HeaderValue::as_bytes) {
        None | Some(b"identity") => body,
        Some(b"gzip") => inflate(GzDecoder::new(&body[..]), "gzip", limit)?,
        Some(b"zstd") => {
            let zstd = StreamingDecoder::new_with_max_window_size(&body[..], ZSTD_WINDOW);
            let zstd = zstd.map_err(|cause| ApiError::BadBody(format!("not valid zstd: {cause}")))?;
            inflate(zstd, "zstd", limit)?
        }
        Some(_) => return Err(ApiError::MediaType("plain, or in gzip or zstd")),
    };
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(ApiError::BadBody(format!("not {what}: a JSON object is expected")));
    }
    serde_json::from_slice(&body).map_err(|cause| ApiError::BadBody(format!("not {what}: {cause}")))
}

/// Stops at the limit: a decompression bomb must not fill the memory.
fn inflate(reader: impl io::Read, format: &str, limit: usize) -> Result<Bytes, ApiError> {
    let mut inflated = Vec::new();
    let read = reader.take(limit as u64 + 1).read_to_end(&mut inflated);
    read.map_err(|cause| ApiError::BadBody(format!("not valid {format}: {cause}")))?;
    if inflated.len() > limit { Err(ApiError::TooLarge { limit }) } else { Ok(inflated.into()) }
}

fn unread(cause: &BytesRejection, limit: usize) -> ApiError {
    if cause.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::TooLarge { limit }
    } else {
        ApiError::BadBody("the body could not be read".to_owned())
    }
}
