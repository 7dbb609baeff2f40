//! The page of IP lists: list, add, delete.

use super::{actions::Undo, form::Rejected, render, rules, view};
use crate::{
    audit::ObjectKind,
    clock::Clock,
    country,
    error::ApiError,
    extract::{Analyst, FromParameters, Id, Parameters, Query, Reader},
    paging::{Page, Slice},
    ruleset::{Activity, EntryDraft, StoredEntry},
    store::Store,
    use_cases::{RulesetWriter, ip_lists, undo},
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::ruleset::{List, Source};
use uuid::Uuid;

/// The lists to choose from.
const LISTS: [(&str, &str); 3] = [
    ("deny", "Deny: block without inspection"),
    ("allow", "Allow: pass without inspection"),
    ("gray", "Gray: block attacks in safe blocking mode"),
];

/// The lifetimes to choose from, in hours.
const ENDS: [(&str, &str); 4] =
    [("1", "in 1 hour"), ("24", "in 1 day"), ("168", "in 1 week"), ("0", "Never")];

/// An entry of the list.
struct Listed {
    entry: StoredEntry,
    activity: Activity,
}

#[derive(Template)]
#[template(path = "ip_lists.html")]
struct ListsPage {
    page: Page<Listed>,
    can_edit: bool,
    /// The audit line of a deletion, to undo it.
    undo: Option<Uuid>,
    rejected: Rejected,
}

impl ListsPage {
    /// The search for the hits of an entry.
    fn hits(entry: &StoredEntry) -> String {
        rules::search("rule", &entry.entry.id)
    }

    fn list(entry: &StoredEntry) -> &'static str {
        match entry.entry.list {
            List::Allow => "Allowed",
            List::Deny => "Denied",
            List::Gray => "Gray",
        }
    }
}

/// The object that was just deleted.
pub(super) struct Deleted(pub(super) Option<Uuid>);

impl FromParameters for Deleted {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.parse("deleted", "an id").map(Self)
    }
}

/// The source of an entry.
pub(super) fn name(entry: &StoredEntry) -> String {
    match &entry.entry.source {
        Source::Network(network) => network.to_string(),
        Source::Country(code) => format!("country {code}"),
        Source::Asn(number) => format!("AS{number}"),
    }
}

async fn listed(store: &Store, slice: &Slice, now: Timestamp) -> Result<Page<Listed>, ApiError> {
    let page = store.entries(None, slice).await?;
    let ids: Vec<Uuid> = page.items.iter().map(|entry| entry.entry.id).collect();
    let mut activities = store.activities(ObjectKind::IpListEntry, &ids, now).await?;
    Ok(page.map(|entry| Listed { activity: activities.remove(&entry.entry.id).unwrap_or_default(), entry }))
}

pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query((Deleted(deleted), slice)): Query<(Deleted, Slice)>,
) -> Result<Response, ApiError> {
    let undo = match deleted {
        Some(id) => undo::of_deleted(&store, ObjectKind::IpListEntry, id).await?,
        None => None,
    };
    let (page, can_edit) = (listed(&store, &slice, clock.now()).await?, actor.role.can_edit());
    Ok(render(&ListsPage { page, can_edit, undo, rejected: Rejected::default() }))
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EntryForm {
    list: List,
    /// A network, a country code of two letters, or `AS` and a number.
    source: String,
    /// Hours; 0: no end.
    r#for: u32,
    reason: String,
    /// That the entry may have an unusual effect.
    #[serde(default)]
    confirmed: bool,
}

impl EntryForm {
    fn draft(&self, now: Timestamp) -> Result<EntryDraft, ApiError> {
        let source = source(self.source.trim())?;
        confirm(self.list, &source, self.confirmed)?;
        let (list, expires_at, reason) = (self.list, end(now, self.r#for), self.reason.clone());
        Ok(EntryDraft { list, source, applications: Vec::new(), expires_at, reason })
    }
}

/// The form that adds a known source to the denylist.
#[derive(Debug, Deserialize)]
pub(super) struct BlockForm {
    /// Hours; 0: no end.
    pub(super) r#for: u32,
    #[serde(default)]
    pub(super) confirmed: bool,
}

impl BlockForm {
    pub(super) fn draft(
        &self,
        source: Source,
        reason: String,
        now: Timestamp,
    ) -> Result<EntryDraft, ApiError> {
        confirm(List::Deny, &source, self.confirmed)?;
        let expires_at = end(now, self.r#for);
        Ok(EntryDraft { list: List::Deny, source, applications: Vec::new(), expires_at, reason })
    }
}

pub(super) async fn add(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Form(form): Form<EntryForm>,
) -> Result<Response, ApiError> {
    let added = async { ip_lists::add(&ruleset, &author, form.draft(author.at)?).await };
    match added.await {
        Ok(_) => Ok(Redirect::to("/ip-lists").into_response()),
        Err(error) => {
            let rejected = Rejected::new(&form, None, error)?;
            let page = listed(&ruleset.store, &Slice::default(), author.at).await?;
            let page = ListsPage { page, can_edit: true, undo: None, rejected };
            Ok(page.rejected.respond(&page))
        }
    }
}

pub(super) async fn delete(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Id(id): Id,
    Form(undo): Form<Undo>,
) -> Result<Redirect, ApiError> {
    ip_lists::delete(&ruleset, &author, (id, undo.revision)).await?;
    Ok(undo.back(&format!("/ip-lists?deleted={id}")))
}

/// An unusual effect must be confirmed.
fn confirm(list: List, source: &Source, confirmed: bool) -> Result<(), ApiError> {
    match unusual_effect(list, source).filter(|_| !confirmed) {
        Some(effect) => Err(ApiError::parameter("confirmed", effect)),
        None => Ok(()),
    }
}

/// The effect of an entry that holds for all clients of IPv4 or IPv6, or for none.
pub(super) fn unusual_effect(list: List, source: &Source) -> Option<String> {
    let effect = match list {
        List::Deny => "blocks every request of every",
        List::Allow => "passes every request, attacks too, of every",
        List::Gray => "blocks attacks in safe blocking mode of every",
    };
    match source {
        Source::Network(network) if network.prefix() == 0 => {
            let version = if network.address().is_ipv4() { "IPv4" } else { "IPv6" };
            Some(format!("{network} {effect} {version} client."))
        }
        Source::Country(code) if !country::is_known(code) => {
            Some(format!("{code} is not the code of a country: the entry has no effect."))
        }
        _ => None,
    }
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
