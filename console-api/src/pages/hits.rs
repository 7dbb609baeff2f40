//! One hit, with the request it was found in.

use super::{PageError, render, view};
use crate::{actor::Visitor, error::ApiError, extract::Id, hit::HitDetail, store::Store};
use askama::Template;
use axum::{extract::State, response::Response};
use shared::RecordedRequest;
use std::fmt::Write;

#[derive(Template)]
#[template(path = "hit.html")]
struct HitPage {
    detail: HitDetail,
    raw: String,
}

pub(super) async fn one(
    _: Visitor,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
) -> Result<Response, PageError> {
    let Id(id) = id?;
    let detail = store.hit(id).await?.ok_or(ApiError::NotFound("hit"))?;
    let raw = raw_request(&detail.request);
    Ok(render(&HitPage { detail, raw }))
}

/// The request as text, much as it was sent. Bytes that are no UTF-8 show as �.
fn raw_request(request: &RecordedRequest) -> String {
    let RecordedRequest { method, path, query, .. } = request;
    let mark = if query.is_empty() { "" } else { "?" };
    let version = request.http_version.as_deref().unwrap_or("HTTP/1.1");
    let mut raw = format!("{method} {path}{mark}{query} {version}\n");
    for (name, value) in &request.headers {
        let _ = writeln!(raw, "{name}: {value}");
    }
    if let Some(body) = &request.body {
        let _ = write!(raw, "\n{}", String::from_utf8_lossy(&body.0));
    }
    raw
}
