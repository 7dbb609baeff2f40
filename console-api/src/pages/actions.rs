//! What people do about a hit or an attack. Each ends on the page it began on, where it can be taken back.

use super::{PageError, change::Api, render, view};
use crate::{error::ApiError, extract::Id, hit::RecordedHit, store::Store};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::Method,
    response::{Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Which requests a rule made of a hit is for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Requests {
    /// Of the same host, path and method.
    Alike,
    /// Of the same host and path.
    Path,
    Host,
    All,
}

impl Requests {
    fn scope(self, hit: &RecordedHit) -> Value {
        match self {
            Self::Alike => json!({"host": hit.host, "path": hit.path, "method": hit.method}),
            Self::Path => json!({"host": hit.host, "path": hit.path}),
            Self::Host => json!({"host": hit.host}),
            Self::All => json!({}),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Block {
    /// Hours; none: for good.
    r#for: u32,
}

pub(super) async fn block_source(
    api: Api,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
    Form(block): Form<Block>,
) -> Result<Redirect, PageError> {
    let hit = found(&store, id).await?;
    let end = api
        .now()
        .checked_add(SignedDuration::from_hours(block.r#for.into()))
        .ok()
        .filter(|_| block.r#for > 0);
    let entry = json!({
        "list": "deny", "source": {"network": hit.client_ip}, "expires_at": end, "reason": format!("from hit {}", hit.id),
    });
    let made = api.post("/ip-lists", &entry).await?;
    Ok(back_to(&hit, "entry", &made))
}

#[derive(Debug, Deserialize)]
pub(super) struct Patch {
    what: Patched,
    requests: Requests,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Patched {
    /// Attacks of the hit's type.
    Type,
    /// Any value at the point.
    Any,
}

pub(super) async fn virtual_patch(
    api: Api,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
    Form(patch): Form<Patch>,
) -> Result<Redirect, PageError> {
    let hit = found(&store, id).await?;
    let types = match patch.what {
        Patched::Type => vec![&hit.attack_type],
        Patched::Any => Vec::new(),
    };
    let rule = json!({
        "scope": patch.requests.scope(&hit), "comment": format!("from hit {}", hit.id),
        "effect": {"kind": "virtual_patch", "attack_types": types, "points": [hit.point]},
    });
    let made = api.post("/rules", &rule).await?;
    Ok(back_to(&hit, "rule", &made))
}

/// An exclusion, as its form has it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Exclusion {
    width: String,
    place: Place,
    requests: Requests,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Place {
    Here,
    Anywhere,
}

impl ExclusionPage {
    fn pretty(rule: &Value) -> String {
        serde_json::to_string_pretty(rule).unwrap_or_default()
    }
}

impl Exclusion {
    fn draft(&self, hit: &RecordedHit) -> Value {
        let mut draft = json!({"width": self.width});
        if let Place::Anywhere = self.place {
            draft["points"] = json!([]);
        }
        // Left out, the API takes the requests alike, whatever the payload does to their path.
        if !matches!(self.requests, Requests::Alike) {
            draft["scope"] = self.requests.scope(hit);
        }
        draft
    }
}

#[derive(Template)]
#[template(path = "exclusion.html")]
struct ExclusionPage {
    hit: RecordedHit,
    exclusion: Vec<(String, String)>,
    preview: Preview,
}

/// What the API says an exclusion would have done.
#[derive(Deserialize)]
struct Preview {
    rule: Value,
    silenced: Silenced,
    reduced: u64,
    items: Vec<SilencedHit>,
}

#[derive(Deserialize)]
struct Silenced {
    hits: u64,
    false_positive: u64,
    true_positive: u64,
    unmarked: u64,
}

#[derive(Deserialize)]
struct SilencedHit {
    id: String,
    at: Timestamp,
    method: String,
    host: String,
    path: String,
    client_ip: String,
    #[serde(default)]
    payload: Option<String>,
}

/// What an exclusion would have silenced, before it is made.
pub(super) async fn preview_exclusion(
    api: Api,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
    Query(exclusion): Query<Exclusion>,
) -> Result<Response, PageError> {
    let hit = found(&store, id).await?;
    let path = format!("/hits/{}/exclusion?dry_run=true&limit=20", hit.id);
    let preview = api.post(&path, &exclusion.draft(&hit)).await?;
    let preview = serde_json::from_value(preview).map_err(|cause| ApiError::BadBody(cause.to_string()))?;
    let fields = serde_json::to_value(&exclusion).unwrap_or_default();
    let fields = fields.as_object().into_iter().flatten();
    let exclusion = fields.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
    Ok(render(&ExclusionPage { exclusion: exclusion.collect(), hit, preview }))
}

pub(super) async fn exclude(
    api: Api,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
    Form(exclusion): Form<Exclusion>,
) -> Result<Redirect, PageError> {
    let hit = found(&store, id).await?;
    let made = api.post(&format!("/hits/{}/exclusion", hit.id), &exclusion.draft(&hit)).await?;
    Ok(back_to(&hit, "rule", &made))
}

#[derive(Debug, Deserialize)]
pub(super) struct Marked {
    /// A mark, or nothing to take it away.
    mark: Option<String>,
    #[serde(default)]
    note: String,
    revision: u32,
}

pub(super) async fn mark(
    api: Api,
    id: Result<Id, ApiError>,
    Form(marked): Form<Marked>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    let mark = marked.mark.filter(|mark| !mark.is_empty());
    let body = json!({"mark": mark, "note": marked.note});
    api.change(Method::POST, &format!("/attacks/{id}/mark"), Some(&body), marked.revision).await?;
    Ok(Redirect::to(&format!("/attacks/{id}")))
}

/// What is to be taken back, and where to go on.
#[derive(Debug, Deserialize)]
pub(super) struct Undo {
    revision: u32,
    #[serde(default)]
    back: String,
}

impl Undo {
    /// Only within the console.
    fn back(&self, otherwise: &str) -> Redirect {
        let is_ours = self.back.starts_with("/hits/") || self.back.starts_with("/attacks/");
        Redirect::to(if is_ours { &self.back } else { otherwise })
    }
}

pub(super) async fn delete_rule(
    api: Api,
    id: Result<Id, ApiError>,
    Form(undo): Form<Undo>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.change(Method::DELETE, &format!("/rules/{id}"), None, undo.revision).await?;
    Ok(undo.back("/rules"))
}

pub(super) async fn delete_entry(
    api: Api,
    id: Result<Id, ApiError>,
    Form(undo): Form<Undo>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.change(Method::DELETE, &format!("/ip-lists/{id}"), None, undo.revision).await?;
    Ok(undo.back("/ip-lists"))
}

async fn found(store: &Store, id: Result<Id, ApiError>) -> Result<RecordedHit, PageError> {
    Ok(store.hit(id?.0).await?.ok_or(ApiError::NotFound("hit"))?.hit)
}

fn back_to(hit: &RecordedHit, what: &str, made: &Value) -> Redirect {
    Redirect::to(&format!("/hits/{}?{what}={}", hit.id, made["id"].as_str().unwrap_or_default()))
}
