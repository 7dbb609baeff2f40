//! Who changed what; and what was changed, put back.

use super::{PageError, change::Api, render, view};
use crate::{
    actor::{Role, Visitor},
    audit::{Line, LogFilter},
    error::ApiError,
    extract::{Id, Query},
    paging::{Page, Slice},
    store::Store,
};
use askama::Template;
use axum::{
    extract::State,
    http::Method,
    response::{Redirect, Response},
};
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    page: Page<Line>,
}

impl AuditPage {
    fn pretty(value: &Value) -> String {
        serde_json::to_string_pretty(value).unwrap_or_default()
    }

    fn can_be_undone(line: &Line) -> bool {
        address(line).is_some()
    }
}

pub(super) async fn list(
    Visitor(actor): Visitor,
    State(store): State<Store>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    if actor.role != Role::Admin {
        return Err(ApiError::Forbidden("the role admin").into());
    }
    let Query(slice) = slice?;
    Ok(render(&AuditPage { page: store.log(&LogFilter::default(), &slice).await? }))
}

/// Where the API has what a line is about, if it can be put back.
fn address(line: &Line) -> Option<&'static str> {
    match line.kind.as_str() {
        "rule" => Some("/rules"),
        "ip_list_entry" => Some("/ip-lists"),
        _ => None,
    }
}

/// Puts back what a line of the log says was there before: by a change of its own, so that can be undone, too.
pub(super) async fn undo(
    api: Api,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    let line = store.log_line(id).await?.ok_or(ApiError::NotFound("line of the log"))?;
    let list = address(&line).ok_or(ApiError::NotFound("way to undo that"))?;
    let one = format!("{list}/{}", line.object);
    match (&line.before, &line.after) {
        (Some(before), None) => drop(api.post(list, &draft(before)).await?),
        (before, Some(_)) => {
            let revision =
                api.get(&one).await?["revision"].as_u64().and_then(|number| u32::try_from(number).ok());
            let revision = revision.ok_or(ApiError::NotFound("revision"))?;
            match before {
                Some(before) => drop(api.change(Method::PUT, &one, Some(&draft(before)), revision).await?),
                None => drop(api.change(Method::DELETE, &one, None, revision).await?),
            }
        }
        (None, None) => {}
    }
    Ok(Redirect::to("/audit"))
}

/// What somebody would have to send to make it again.
fn draft(shown: &Value) -> Value {
    const WRITTEN: [&str; 8] =
        ["scope", "effect", "comment", "list", "source", "applications", "expires_at", "reason"];
    let fields = shown.as_object().into_iter().flatten();
    let written = fields.filter(|(name, value)| WRITTEN.contains(&name.as_str()) && !value.is_null());
    json!(written.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>())
}
