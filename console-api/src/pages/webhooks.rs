//! The pages of webhooks: list, add, test, deliveries.

use super::{access::KnownRevision, form::Rejected, new_secret::NewSecret, render, view};
use crate::{
    clock::Clock,
    error::ApiError,
    extract::{Admin, Id, Named, Query, StateFilter},
    notification::{Dispatcher, Sender},
    paging::{Page, Slice},
    store::{Due, Store},
    transport::Client,
    use_cases::webhooks,
    validation::ValidationError,
    webhook::{
        DeliveryState, Digest, Format, SecretRotation, Subject, Webhook, WebhookDelivery, WebhookDraft,
    },
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse as _, Redirect, Response},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const PATH: &str = "/webhooks";

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    page: Page<Webhook>,
    /// The name and the secret of a new webhook.
    made: Option<(String, String)>,
    rejected: Rejected,
}

pub(super) async fn list(
    _: Admin,
    State(store): State<Store>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    let Some(NewSecret { id, secret }) = NewSecret::of(&headers) else {
        return page(&store, &slice, None, Rejected::default()).await;
    };
    let made = store.webhook(id).await?.map(|due| (due.webhook.draft.name, secret));
    let mut response = page(&store, &slice, made, Rejected::default()).await?;
    NewSecret::forget(&mut response, PATH, client.is_https);
    Ok(response)
}

async fn page(
    store: &Store,
    slice: &Slice,
    made: Option<(String, String)>,
    rejected: Rejected,
) -> Result<Response, ApiError> {
    let page = WebhooksPage { page: store.webhooks(slice).await?, made, rejected };
    Ok(page.rejected.respond(&page))
}

/// The subjects to choose from, as names of checkboxes.
const SUBJECTS: [(&str, &str); 5] = [
    ("attacks", "Attacks"),
    ("nodes", "Unreachable and recovered nodes"),
    ("not_inspected", "Requests not inspected"),
    ("rules", "Changes of rules and lists"),
    ("coverage", "Coverage decreases"),
];

fn name_of(subject: Subject) -> &'static str {
    match subject {
        Subject::Attacks => "attacks",
        Subject::Nodes => "nodes",
        Subject::NotInspected => "not_inspected",
        Subject::Rules => "rules",
        Subject::Coverage => "coverage",
    }
}

/// The hours of overlap to choose from, as values and titles.
const OVERLAPS: [(&str, &str); 4] =
    [("0", "now (it leaked)"), ("1", "in an hour"), ("24", "in 24 hours"), ("168", "in a week")];

/// The form of a webhook.
#[derive(Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "checkboxes")]
pub(super) struct WebhookForm {
    name: String,
    url: String,
    query: String,
    format: Format,
    #[serde(default)]
    digest: Digest,
    /// Empty: no limit.
    #[serde(default)]
    rate_limit: String,
    #[serde(default)]
    attacks: bool,
    #[serde(default)]
    nodes: bool,
    #[serde(default)]
    not_inspected: bool,
    #[serde(default)]
    rules: bool,
    #[serde(default)]
    coverage: bool,
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    revision: u32,
}

impl WebhookForm {
    fn draft(&self) -> Result<WebhookDraft, ValidationError> {
        let Self { name, url, query, format, enabled, .. } = self;
        let url = url.trim().to_owned().into();
        let (name, query) = (name.trim().to_owned(), query.clone());
        let events = [
            (self.attacks, Subject::Attacks),
            (self.nodes, Subject::Nodes),
            (self.not_inspected, Subject::NotInspected),
            (self.rules, Subject::Rules),
            (self.coverage, Subject::Coverage),
        ];
        let events = events.into_iter().filter(|(is_chosen, _)| *is_chosen).map(|(_, event)| event).collect();
        let rate_limit = match self.rate_limit.trim() {
            "" => None,
            number => Some(number.parse().map_err(|_| {
                ValidationError::new("rate_limit", "`rate_limit` must be a number of messages per minute")
            })?),
        };
        let (format, digest, enabled) = (*format, self.digest, *enabled);
        Ok(WebhookDraft { name, url, query, format, events, digest, rate_limit, enabled })
    }
}

/// Adds a webhook. The next page shows its secret.
pub(super) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    State(sender): State<Sender>,
    Extension(client): Extension<Client>,
    Form(form): Form<WebhookForm>,
) -> Result<Response, ApiError> {
    let added = match form.draft() {
        Ok(draft) => webhooks::add(&store, sender.targets(), &author, draft).await,
        Err(error) => Err(error.into()),
    };
    match added {
        Ok(new) => Ok(NewSecret { id: new.webhook.id, secret: new.secret }.redirect(PATH, client.is_https)),
        Err(error) => page(&store, &Slice::default(), None, Rejected::new(&form, None, error)?).await,
    }
}

pub(super) async fn replace(
    Admin(author): Admin,
    State(store): State<Store>,
    State(sender): State<Sender>,
    Named(Due { webhook, .. }): Named<Due>,
    Form(form): Form<WebhookForm>,
) -> Result<Response, ApiError> {
    let (id, known) = (webhook.id, (webhook.id, form.revision));
    let replaced = match form.draft() {
        Ok(draft) => webhooks::replace(&store, sender.targets(), &author, known, draft).await,
        Err(error) => Err(error.into()),
    };
    match replaced {
        Ok(_) => Ok(Redirect::to(&path(id)).into_response()),
        Err(error) => {
            let rejected = Rejected::new(&form, Some(id), error)?;
            let deliveries = store.deliveries(id, None, &Slice::default()).await?;
            let page = WebhookPage { rejected, ..WebhookPage::of(webhook, deliveries, author.at) };
            Ok(page.rejected.respond(&page))
        }
    }
}

fn path(webhook: Uuid) -> String {
    format!("{PATH}/{webhook}")
}

#[derive(Deserialize)]
pub(super) struct Rotation {
    revision: u32,
    overlap_hours: u32,
}

/// Rotates the secret. The next page shows the new one.
pub(super) async fn rotate_secret(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    Extension(client): Extension<Client>,
    Form(Rotation { revision, overlap_hours }): Form<Rotation>,
) -> Result<Response, ApiError> {
    let rotation = SecretRotation { overlap_hours };
    let new = webhooks::rotate_secret(&store, &author, (id, revision), rotation).await?;
    Ok(NewSecret { id, secret: new.secret }.redirect(&path(id), client.is_https))
}

pub(super) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    Form(KnownRevision { revision }): Form<KnownRevision>,
) -> Result<Redirect, ApiError> {
    webhooks::delete(&store, &author, (id, revision)).await?;
    Ok(Redirect::to("/webhooks"))
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct WebhookPage {
    webhook: Webhook,
    deliveries: Page<WebhookDelivery>,
    state: Option<DeliveryState>,
    /// The result of a test.
    tested: Option<Result<(), String>>,
    /// The secret after a rotation.
    secret: Option<String>,
    rejected: Rejected,
    now: Timestamp,
}

impl WebhookPage {
    fn of(webhook: Webhook, deliveries: Page<WebhookDelivery>, now: Timestamp) -> Self {
        let rejected = Rejected::default();
        Self { webhook, deliveries, state: None, tested: None, secret: None, rejected, now }
    }

    /// The end of the time in which the previous secret also signs.
    fn overlap(&self) -> Option<&Timestamp> {
        self.webhook.previous_secret_until.as_ref().filter(|end| **end > self.now)
    }

    /// The rate limit as the value of its field.
    fn rate_limit(&self) -> String {
        self.webhook.draft.rate_limit.map(|limit| limit.to_string()).unwrap_or_default()
    }

    /// The result of the last attempt.
    fn outcome(delivery: &WebhookDelivery) -> String {
        let status = delivery.status.map(|status| format!("status {status}"));
        let parts: Vec<_> = status.into_iter().chain(delivery.error.clone()).collect();
        parts.join(": ")
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn title(state: &DeliveryState) -> &'static str {
        match state {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Dead => "failed",
        }
    }

    /// The style class of a state.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn style(state: &DeliveryState) -> &'static str {
        match state {
            DeliveryState::Pending => "partially_blocked",
            DeliveryState::Delivered => "blocked",
            DeliveryState::Dead => "monitoring",
        }
    }

    /// The value of the checkbox of a subject.
    fn notifies(&self, subject: &str) -> &'static str {
        let chosen = self.webhook.draft.events.iter().any(|event| name_of(*event) == subject);
        Self::flag(&chosen)
    }

    /// The value of a checkbox.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn flag(is_checked: &bool) -> &'static str {
        if *is_checked { "true" } else { "false" }
    }

    /// The state filter; empty: all.
    fn word(&self) -> &'static str {
        self.state.map_or("", DeliveryState::as_str)
    }
}

pub(super) async fn one(
    _: Admin,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Query((StateFilter(state), slice)): Query<(StateFilter, Slice)>,
    Named(Due { webhook, .. }): Named<Due>,
) -> Result<Response, ApiError> {
    let id = webhook.id;
    let deliveries = store.deliveries(id, state, &slice).await?;
    let secret = NewSecret::of(&headers).filter(|new| new.id == id).map(|new| new.secret);
    let is_new = secret.is_some();
    let page = WebhookPage { state, secret, ..WebhookPage::of(webhook, deliveries, clock.now()) };
    let mut response = render(&page);
    if is_new {
        NewSecret::forget(&mut response, &path(id), client.is_https);
    }
    Ok(response)
}

/// Sends a test, and shows its result.
pub(super) async fn test(
    _: Admin,
    State(dispatcher): State<Dispatcher>,
    Named(due): Named<Due>,
) -> Result<Response, ApiError> {
    let deleted = || ApiError::not_found("webhook", due.webhook.id);
    let delivery = dispatcher.test(&due).await?.ok_or_else(deleted)?;
    let tested = match delivery.state {
        DeliveryState::Delivered => Ok(()),
        _ => Err(delivery.error.unwrap_or_else(|| "not delivered".to_owned())),
    };
    let webhook = due.webhook;
    let deliveries = dispatcher.store.deliveries(webhook.id, None, &Slice::default()).await?;
    let now = dispatcher.clock.now();
    Ok(render(&WebhookPage { tested: Some(tested), ..WebhookPage::of(webhook, deliveries, now) }))
}

#[derive(Deserialize)]
pub(super) struct Again {
    /// Empty: all failed deliveries.
    #[serde(default)]
    delivery: String,
}

pub(super) async fn again(
    Admin(author): Admin,
    State(store): State<Store>,
    Named(Due { webhook, .. }): Named<Due>,
    Form(Again { delivery }): Form<Again>,
) -> Result<Redirect, ApiError> {
    store.revive_deliveries(webhook.id, delivery.parse::<Uuid>().ok(), author.at).await?;
    Ok(Redirect::to(&path(webhook.id)))
}
