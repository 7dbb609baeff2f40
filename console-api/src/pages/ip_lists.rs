//! Who is on which list.

use super::{PageError, change::Api, render, view};
use crate::{
    actor::Visitor,
    error::ApiError,
    extract::Query,
    paging::{Page, Slice},
    ruleset::StoredEntry,
    store::Store,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{Redirect, Response},
};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
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
    Visitor(actor): Visitor,
    State(store): State<Store>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    Ok(render(&ListsPage { page: store.entries(None, &slice).await?, can_edit: actor.role.can_edit() }))
}

#[derive(Debug, Deserialize)]
pub(super) struct EntryForm {
    list: String,
    /// A network, a country's two letters, or `AS` and a number.
    source: String,
    /// Hours; none: for good.
    r#for: u32,
    reason: String,
}

pub(super) async fn add(api: Api, Form(form): Form<EntryForm>) -> Result<Redirect, PageError> {
    let end =
        api.now().checked_add(SignedDuration::from_hours(form.r#for.into())).ok().filter(|_| form.r#for > 0);
    let entry = json!({
        "list": form.list, "source": source(form.source.trim()), "expires_at": end, "reason": form.reason,
    });
    api.post("/ip-lists", &entry).await?;
    Ok(Redirect::to("/ip-lists"))
}

fn source(text: &str) -> Value {
    if let Some(number) = text.strip_prefix("AS").and_then(|number| number.parse::<u32>().ok()) {
        return json!({"asn": number});
    }
    let is_country = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_country { json!({"country": text.to_ascii_uppercase()}) } else { json!({"network": text}) }
}
