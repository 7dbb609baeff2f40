//! Revisions of resources: `ETag` in responses, `If-Match` in changes.

use crate::{
    access::User,
    attack::{Attack, AttackDetail},
    error::ApiError,
    ruleset::{StoredEntry, StoredRule},
    view::View,
    webhook::{NewWebhook, Webhook},
};
use axum::{
    Json,
    extract::FromRequestParts,
    http::{HeaderName, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The revision that the caller knows, from `If-Match`.
pub struct IfMatch(pub u32);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let tag = parts.headers.get(header::IF_MATCH).ok_or(ApiError::NoRevision)?;
        let revision =
            tag.to_str().ok().and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
        let bad =
            || ApiError::BadBody("`If-Match` must be an `ETag` of this address, such as \"1\"".to_owned());
        revision.map(Self).ok_or_else(bad)
    }
}

/// The `ETag` header of a revision.
pub type Tag = [(HeaderName, String); 1];

pub fn etag(revision: u32) -> Tag {
    [(header::ETAG, format!("\"{revision}\""))]
}

/// A resource as JSON, with its revision as `ETag`.
pub struct Tagged<T>(pub T);

/// A resource that counts its changes.
pub trait Revised {
    fn revision(&self) -> u32;
}

impl<T: Revised + Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        (etag(self.0.revision()), Json(self.0)).into_response()
    }
}

macro_rules! revised {
    ($($resource:ty: $($field:ident).+;)+) => {$(
        impl Revised for $resource {
            fn revision(&self) -> u32 {
                self.$($field).+
            }
        }
    )+};
}

revised! {
    StoredRule: rule.revision;
    StoredEntry: revision;
    Attack: revision;
    AttackDetail: attack.revision;
    User: revision;
    View: revision;
    Webhook: revision;
    NewWebhook: webhook.revision;
}
