//! Who changed what; and what was changed, put back.

use super::{PageError, access::Administrator, change::Api, render, view};
use crate::{
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
        Undone::of(line).is_some()
    }
}

pub(super) async fn list(
    _: Administrator,
    State(store): State<Store>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    Ok(render(&AuditPage { page: store.log(&LogFilter::default(), &slice).await? }))
}

/// What is put back, and where the API has it.
enum Undone {
    /// Something of a list.
    Listed(&'static str),
    /// What people say an attack is.
    Mark,
    /// The version of the ruleset that held.
    Version,
}

impl Undone {
    fn of(line: &Line) -> Option<Self> {
        match line.kind.as_str() {
            "rule" => Some(Self::Listed("/rules")),
            "ip_list_entry" => Some(Self::Listed("/ip-lists")),
            "attack" => Some(Self::Mark),
            "ruleset" => Some(Self::Version),
            _ => None,
        }
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
    match Undone::of(&line).ok_or(ApiError::NotFound("way to undo that"))? {
        Undone::Listed(list) => put_back(&api, list, &line).await?,
        Undone::Mark => mark_again(&api, &line).await?,
        Undone::Version => go_back(&api, &store, &line).await?,
    }
    Ok(Redirect::to("/audit"))
}

async fn put_back(api: &Api, list: &str, line: &Line) -> Result<(), PageError> {
    let one = format!("{list}/{}", line.object);
    match (&line.before, &line.after) {
        (Some(before), None) => drop(api.post(list, &draft(before)).await?),
        (Some(before), Some(_)) => {
            let revision = revision(api, &one).await?;
            api.change(Method::PUT, &one, Some(&draft(before)), revision).await?;
        }
        (None, Some(_)) => {
            let revision = revision(api, &one).await?;
            api.change(Method::DELETE, &one, None, revision).await?;
        }
        (None, None) => {}
    }
    Ok(())
}

async fn mark_again(api: &Api, line: &Line) -> Result<(), PageError> {
    let attack = format!("/attacks/{}", line.object);
    let mark = line.before.as_ref().map(|before| &before["mark"]);
    let (value, note) = mark.map(|mark| (mark["value"].clone(), mark["note"].as_str())).unwrap_or_default();
    let body = json!({"mark": value, "note": note.unwrap_or_default()});
    let revision = revision(api, &attack).await?;
    api.change(Method::POST, &format!("{attack}/mark"), Some(&body), revision).await.map(drop)
}

async fn go_back(api: &Api, store: &Store, line: &Line) -> Result<(), PageError> {
    let before = line.before.as_ref().and_then(|before| before["version"].as_u64());
    let version = before.ok_or(ApiError::NotFound("ruleset"))?;
    let (current, _) = store.ruleset_head().await?;
    let current = u32::try_from(current).unwrap_or(u32::MAX);
    api.change(Method::POST, &format!("/rulesets/{version}/activate"), None, current).await.map(drop)
}

async fn revision(api: &Api, one: &str) -> Result<u32, PageError> {
    let revision = api.get(one).await?["revision"].as_u64().and_then(|number| u32::try_from(number).ok());
    Ok(revision.ok_or(ApiError::NotFound("revision"))?)
}

/// What somebody would have to send to make it again.
fn draft(shown: &Value) -> Value {
    const WRITTEN: [&str; 8] =
        ["scope", "effect", "comment", "list", "source", "applications", "expires_at", "reason"];
    let fields = shown.as_object().into_iter().flatten();
    let written = fields.filter(|(name, value)| WRITTEN.contains(&name.as_str()) && !value.is_null());
    json!(written.map(|(name, value)| (name.clone(), value.clone())).collect::<serde_json::Map<_, _>>())
}
