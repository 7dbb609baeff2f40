//! Where attacks are told: listed, made and shown once, tried, and what became of each telling.

use super::{
    PageError,
    access::{Administrator, Known},
    change::Api,
    render, view,
};
use crate::{
    error::ApiError,
    extract::{FromParameters, Id, Parameters, Query},
    paging::{Page, Slice},
    store::Store,
    webhook::{Delivery, DeliveryState, Format, Webhook},
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{Method, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Template)]
#[template(path = "webhooks.html")]
struct WebhooksPage {
    page: Page<Webhook>,
    /// What was just made: its name and its secret, which is not shown again.
    made: Option<(String, String)>,
}

pub(super) async fn list(
    _: Administrator,
    State(store): State<Store>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    Ok(render(&WebhooksPage { page: store.webhooks(&slice).await?, made: None }))
}

/// A webhook as its form has it.
#[derive(Deserialize)]
pub(super) struct WebhookForm {
    name: String,
    url: String,
    query: String,
    format: String,
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    revision: u32,
}

impl WebhookForm {
    fn draft(&self) -> Value {
        let Self { name, url, query, format, enabled, .. } = self;
        json!({"name": name.trim(), "url": url.trim(), "query": query, "format": format, "enabled": enabled})
    }
}

/// Makes a webhook, and answers the page with its secret.
pub(super) async fn add(
    api: Api,
    State(store): State<Store>,
    Form(form): Form<WebhookForm>,
) -> Result<Response, PageError> {
    let made = api.post("/webhooks", &form.draft()).await?;
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    let made = Some((text("name"), text("secret")));
    let page = store.webhooks(&Slice::default()).await?;
    Ok((StatusCode::CREATED, render(&WebhooksPage { page, made })).into_response())
}

pub(super) async fn replace(
    api: Api,
    id: Result<Id, ApiError>,
    Form(form): Form<WebhookForm>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.change(Method::PUT, &format!("/webhooks/{id}"), Some(&form.draft()), form.revision).await?;
    Ok(Redirect::to(&format!("/webhooks/{id}")))
}

pub(super) async fn delete(
    api: Api,
    id: Result<Id, ApiError>,
    Form(Known { revision }): Form<Known>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.change(Method::DELETE, &format!("/webhooks/{id}"), None, revision).await?;
    Ok(Redirect::to("/webhooks"))
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct WebhookPage {
    webhook: Webhook,
    deliveries: Page<Delivery>,
    state: Option<DeliveryState>,
    /// What came of a test just now: whether it was taken, and why not.
    tested: Option<Result<(), String>>,
}

impl WebhookPage {
    /// What the last try came to.
    fn outcome(delivery: &Delivery) -> String {
        let status = delivery.status.map(|status| format!("status {status}"));
        let words: Vec<_> = status.into_iter().chain(delivery.error.clone()).collect();
        words.join(": ")
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

/// Deliveries of one state, or all.
pub(super) struct Which(Option<DeliveryState>);

impl FromParameters for Which {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.read("state", DeliveryState::EXPECTED, DeliveryState::parse).map(Self)
    }
}

pub(super) async fn one(
    _: Administrator,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
    asked: Result<Query<(Which, Slice)>, ApiError>,
) -> Result<Response, PageError> {
    let (Id(id), Query((Which(state), slice))) = (id?, asked?);
    shown(&store, id, state, &slice, None).await
}

/// Sends a test, and shows what came of it.
pub(super) async fn test(
    api: Api,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
) -> Result<Response, PageError> {
    let Id(id) = id?;
    let came = api.post(&format!("/webhooks/{id}/test"), &json!({})).await?;
    let error = came["error"].as_str().unwrap_or("not delivered");
    let tested =
        if came["state"] == DeliveryState::Delivered.as_str() { Ok(()) } else { Err(error.to_owned()) };
    shown(&store, id, None, &Slice::default(), Some(tested)).await
}

#[derive(Deserialize)]
pub(super) struct Again {
    /// Empty: all that are dead.
    #[serde(default)]
    delivery: String,
}

pub(super) async fn again(
    api: Api,
    id: Result<Id, ApiError>,
    Form(Again { delivery }): Form<Again>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    let one = delivery.parse::<Uuid>().map(|delivery| format!("?delivery={delivery}")).unwrap_or_default();
    api.post(&format!("/webhooks/{id}/deliveries/retry{one}"), &json!({})).await?;
    Ok(Redirect::to(&format!("/webhooks/{id}")))
}

async fn shown(
    store: &Store,
    id: Uuid,
    state: Option<DeliveryState>,
    slice: &Slice,
    tested: Option<Result<(), String>>,
) -> Result<Response, PageError> {
    let webhook = store.webhook(id).await?.ok_or(ApiError::NotFound("webhook"))?.webhook;
    let deliveries = store.deliveries(id, state, slice).await?;
    Ok(render(&WebhookPage { webhook, deliveries, state, tested }))
}
