//! The pages of webhooks: list, add, test, deliveries.

use super::{access::KnownRevision, render, view};
use crate::{
    error::ApiError,
    extract::{Admin, Id, Named, Query, StateFilter},
    notification::{Dispatcher, Sender},
    paging::{Page, Slice},
    store::{Due, Store},
    use_cases::webhooks,
    webhook::{DeliveryState, Format, Webhook, WebhookDelivery, WebhookDraft},
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    page: Page<Webhook>,
    /// The name and the secret of a new webhook.
    made: Option<(String, String)>,
}

pub(super) async fn list(
    _: Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    Ok(render(&WebhooksPage { page: store.webhooks(&slice).await?, made: None }))
}

/// The form of a webhook.
#[derive(Deserialize)]
pub(super) struct WebhookForm {
    name: String,
    url: String,
    query: String,
    format: Format,
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    revision: u32,
}

impl WebhookForm {
    fn draft(self) -> WebhookDraft {
        let Self { name, url, query, format, enabled, .. } = self;
        let url = url.trim().to_owned().into();
        WebhookDraft { name: name.trim().to_owned(), url, query, format, enabled }
    }
}

/// Adds a webhook, and shows its secret.
pub(super) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    State(sender): State<Sender>,
    Form(form): Form<WebhookForm>,
) -> Result<Response, ApiError> {
    let new = webhooks::add(&store, sender.targets(), &author, form.draft()).await?;
    let made = Some((new.webhook.draft.name, new.secret));
    let page = store.webhooks(&Slice::default()).await?;
    Ok((StatusCode::CREATED, render(&WebhooksPage { page, made })).into_response())
}

pub(super) async fn replace(
    Admin(author): Admin,
    State(store): State<Store>,
    State(sender): State<Sender>,
    Id(id): Id,
    Form(form): Form<WebhookForm>,
) -> Result<Redirect, ApiError> {
    let known = (id, form.revision);
    webhooks::replace(&store, sender.targets(), &author, known, form.draft()).await?;
    Ok(Redirect::to(&format!("/webhooks/{id}")))
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
}

impl WebhookPage {
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

    /// The state filter; empty: all.
    fn word(&self) -> &'static str {
        self.state.map_or("", DeliveryState::as_str)
    }
}

pub(super) async fn one(
    _: Admin,
    State(store): State<Store>,
    Query((StateFilter(state), slice)): Query<(StateFilter, Slice)>,
    Named(Due { webhook, .. }): Named<Due>,
) -> Result<Response, ApiError> {
    let deliveries = store.deliveries(webhook.id, state, &slice).await?;
    Ok(render(&WebhookPage { webhook, deliveries, state, tested: None }))
}

/// Sends a test, and shows its result.
pub(super) async fn test(
    _: Admin,
    State(dispatcher): State<Dispatcher>,
    Named(due): Named<Due>,
) -> Result<Response, ApiError> {
    let delivery = dispatcher.test(&due).await?;
    let tested = match delivery.state {
        DeliveryState::Delivered => Ok(()),
        _ => Err(delivery.error.unwrap_or_else(|| "not delivered".to_owned())),
    };
    let webhook = due.webhook;
    let deliveries = dispatcher.store.deliveries(webhook.id, None, &Slice::default()).await?;
    Ok(render(&WebhookPage { webhook, deliveries, state: None, tested: Some(tested) }))
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
    Ok(Redirect::to(&format!("/webhooks/{}", webhook.id)))
}
