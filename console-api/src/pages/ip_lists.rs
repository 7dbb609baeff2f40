//! The page of IP lists: list, add, delete.

use super::{actions::Undo, render, view};
use crate::{
    error::ApiError,
    extract::{Analyst, Id, Query, Reader},
    paging::{Page, Slice},
    ruleset::{EntryDraft, StoredEntry},
    store::Store,
    use_cases::{RulesetWriter, ip_lists},
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use shared::ruleset::{List, Source};

#[derive(Template)]
#[template(path = "ip_lists.html")]
struct ListsPage {
    page: Page<StoredEntry>,
    can_edit: bool,
}

impl ListsPage {
    fn source(entry: &StoredEntry) -> String {
        match &entry.entry.source {
            Source::Network(network) => network.to_string(),
            Source::Country(code) => format!("country {code}"),
            Source::Asn(number) => format!("AS{number}"),
        }
    }

    fn list(entry: &StoredEntry) -> &'static str {
        match entry.entry.list {
            List::Allow => "Allowed",
            List::Deny => "Denied",
            List::Gray => "Gray",
        }
    }
}

pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    Ok(render(&ListsPage { page: store.entries(None, &slice).await?, can_edit: actor.role.can_edit() }))
}

#[derive(Debug, Deserialize)]
pub(super) struct EntryForm {
    list: List,
    /// A network, a country code of two letters, or `AS` and a number.
    source: String,
    /// Hours; 0: no end.
    r#for: u32,
    reason: String,
}

pub(super) async fn add(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Form(form): Form<EntryForm>,
) -> Result<Redirect, ApiError> {
    let draft = EntryDraft {
        list: form.list,
        source: source(form.source.trim())?,
        applications: Vec::new(),
        expires_at: end(author.at, form.r#for),
        reason: form.reason,
    };
    ip_lists::add(&ruleset, &author, draft).await?;
    Ok(Redirect::to("/ip-lists"))
}

pub(super) async fn delete(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Id(id): Id,
    Form(undo): Form<Undo>,
) -> Result<Redirect, ApiError> {
    ip_lists::delete(&ruleset, &author, (id, undo.revision)).await?;
    Ok(undo.back("/ip-lists"))
}

/// This many hours from now; none: no end.
pub(super) fn end(now: Timestamp, hours: u32) -> Option<Timestamp> {
    now.checked_add(SignedDuration::from_hours(hours.into())).ok().filter(|_| hours > 0)
}

pub(super) fn source(text: &str) -> Result<Source, ApiError> {
    if let Some(number) = text.strip_prefix("AS").and_then(|number| number.parse().ok()) {
        return Ok(Source::Asn(number));
    }
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Ok(Source::Country(text.to_ascii_uppercase()));
    }
    let network = text.parse().map_err(|cause| ApiError::parameter("source", format!("`source`: {cause}")));
    network.map(Source::Network)
}
