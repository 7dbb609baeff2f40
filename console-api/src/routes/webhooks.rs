//! Webhooks and their deliveries.

use crate::{
    error::ApiError,
    extract::{Admin, Body, FromParameters, Id, IfMatch, Named, Parameters, Query, StateFilter, Tagged},
    notification::{Dispatcher, Sender},
    openapi::query_parameter,
    paging::{Page, Slice},
    store::{Due, Store},
    use_cases::webhooks,
    webhook::{DeliveryState, NewWebhook, SecretRotation, Webhook, WebhookDelivery, WebhookDraft},
};
use axum::{Json, extract::State, http::StatusCode};
use serde::Serialize;
use utoipa::{
    IntoParams,
    openapi::{
        KnownFormat, ObjectBuilder, SchemaFormat, Type,
        path::{Parameter, ParameterIn},
    },
};
use uuid::Uuid;

/// Lists webhooks, the newest first.
#[utoipa::path(
    get,
    path = "/webhooks",
    security(("token" = ["admin"])),
    params(Slice),
    responses((status = 200, description = "A page of webhooks.", body = Page<Webhook>))
)]
pub(super) async fn list(
    _: Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<Webhook>>, ApiError> {
    Ok(Json(store.webhooks(&slice).await?))
}

/// A webhook.
#[utoipa::path(
    get,
    path = "/webhooks/{id}",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 200, description = "The webhook; `ETag` is its revision.", body = Webhook))
)]
pub(super) async fn one(
    _: Admin,
    Query(()): Query<()>,
    Named(Due { webhook, .. }): Named<Due>,
) -> Tagged<Webhook> {
    Tagged(webhook)
}

/// Adds a webhook. Only this response contains its secret.
#[utoipa::path(
    post,
    path = "/webhooks",
    security(("token" = ["admin"])),
    request_body(content = WebhookDraft, example = json!({"name": "Blocked injections", "url": "https://hooks.example.com/wallarm", "query": "type:sqli status:blocked", "digest": "minute", "rate_limit": 30})),
    responses((status = 201, description = "The new webhook; `ETag` is its revision.", body = NewWebhook), (status = 409, description = "The limit of webhooks is reached."))
)]
pub(super) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    State(sender): State<Sender>,
    Body(draft): Body<WebhookDraft>,
) -> Result<(StatusCode, Tagged<NewWebhook>), ApiError> {
    let new = webhooks::add(&store, sender.targets(), &author, draft).await?;
    Ok((StatusCode::CREATED, Tagged(new)))
}

/// Replaces a webhook, unless its revision changed. The secret stays.
#[utoipa::path(
    put,
    path = "/webhooks/{id}",
    security(("token" = ["admin"])),
    params(Id, IfMatch),
    request_body(content = WebhookDraft, example = json!({"name": "Security channel", "url": "https://hooks.example.com/services/T0", "format": "slack", "enabled": false})),
    responses((status = 200, description = "The replaced webhook; `ETag` is its revision.", body = Webhook))
)]
pub(super) async fn replace(
    Admin(author): Admin,
    State(store): State<Store>,
    State(sender): State<Sender>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Body(draft): Body<WebhookDraft>,
) -> Result<Tagged<Webhook>, ApiError> {
    webhooks::replace(&store, sender.targets(), &author, (id, revision), draft).await.map(Tagged)
}

/// Deletes a webhook with its pending deliveries.
#[utoipa::path(
    delete,
    path = "/webhooks/{id}",
    security(("token" = ["admin"])),
    params(Id, IfMatch),
    responses((status = 204, description = "Deleted."))
)]
pub(super) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
) -> Result<StatusCode, ApiError> {
    webhooks::delete(&store, &author, (id, revision)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Replaces the secret, unless the revision changed. Only this response contains the new one.
///
/// Until the end of the overlap, deliveries also have a signature of the previous secret.
#[utoipa::path(
    post,
    path = "/webhooks/{id}/secret",
    security(("token" = ["admin"])),
    params(Id, IfMatch),
    request_body(content = SecretRotation, example = json!({"overlap_hours": 24})),
    responses((status = 200, description = "The webhook with its new secret; `ETag` is its revision.", body = NewWebhook))
)]
pub(super) async fn rotate_secret(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Body(rotation): Body<SecretRotation>,
) -> Result<Tagged<NewWebhook>, ApiError> {
    webhooks::rotate_secret(&store, &author, (id, revision), rotation).await.map(Tagged)
}

/// Sends a `webhook.test` at once, also if the webhook is disabled.
#[utoipa::path(
    post,
    path = "/webhooks/{id}/test",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 200, description = "The delivery; `error` is the cause of a failure.", body = WebhookDelivery))
)]
pub(super) async fn test(
    _: Admin,
    State(dispatcher): State<Dispatcher>,
    Query(()): Query<()>,
    Named(due): Named<Due>,
) -> Result<Json<WebhookDelivery>, ApiError> {
    let deleted = || ApiError::not_found("webhook", due.webhook.id);
    Ok(Json(dispatcher.test(&due).await?.ok_or_else(deleted)?))
}

/// Lists the deliveries of a webhook, the newest first.
#[utoipa::path(
    get,
    path = "/webhooks/{id}/deliveries",
    security(("token" = ["admin"])),
    params(Id, StateFilter, Slice),
    responses((status = 200, description = "A page of deliveries.", body = Page<WebhookDelivery>))
)]
pub(super) async fn deliveries(
    _: Admin,
    State(store): State<Store>,
    Query((StateFilter(state), slice)): Query<(StateFilter, Slice)>,
    Named(Due { webhook, .. }): Named<Due>,
) -> Result<Json<Page<WebhookDelivery>>, ApiError> {
    Ok(Json(store.deliveries(webhook.id, state, &slice).await?))
}

/// Retries one failed delivery, or all of them.
#[utoipa::path(
    post,
    path = "/webhooks/{id}/deliveries/retry",
    security(("token" = ["admin"])),
    params(Id, One),
    responses((status = 200, description = "The number of retried deliveries.", body = Retried))
)]
pub(super) async fn retry(
    Admin(author): Admin,
    State(store): State<Store>,
    Query(One(delivery)): Query<One>,
    Named(Due { webhook, .. }): Named<Due>,
) -> Result<Json<Retried>, ApiError> {
    Ok(Json(Retried { retried: store.revive_deliveries(webhook.id, delivery, author.at).await? }))
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Retried {
    retried: u64,
}

impl IntoParams for StateFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let states = DeliveryState::ALL.map(DeliveryState::as_str);
        let state = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(states));
        vec![query_parameter("state", "Only deliveries in this state.", state)]
    }
}

/// One delivery of the webhook; all failed ones when absent.
pub(super) struct One(Option<Uuid>);

impl FromParameters for One {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.parse("delivery", "the id of a delivery").map(Self)
    }
}

impl IntoParams for One {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let uuid = SchemaFormat::KnownFormat(KnownFormat::Uuid);
        let id = ObjectBuilder::new().schema_type(Type::String).format(Some(uuid));
        vec![query_parameter("delivery", "Only this delivery.", id)]
    }
}
