//! Where attacks are told.

use super::users::checked_name;
use crate::{
    actor::Admin,
    clock::Clock,
    error::ApiError,
    extract::{self, FromParameters, Id, IfMatch, Parameters, Query, Tag, etag},
    notification::{Dispatcher, Sender},
    openapi::query_parameter,
    paging::{Page, Slice},
    store::{Due, Store},
    webhook::{Delivery, DeliveryState, NewWebhook, Secret, Webhook, WebhookDraft},
};
use axum::{
    Json,
    extract::{FromRef, FromRequest, Request, State},
    http::StatusCode,
};
use serde::Serialize;
use utoipa::{
    IntoParams,
    openapi::{
        KnownFormat, ObjectBuilder, SchemaFormat, Type,
        path::{Parameter, ParameterIn},
    },
};
use uuid::Uuid;

type Tagged<T> = (Tag, Json<T>);

/// The newest first.
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
    State(store): State<Store>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Tagged<Webhook>, ApiError> {
    let webhook = known(&store, id).await?.webhook;
    Ok((etag(webhook.revision), Json(webhook)))
}

/// Has attacks told to another program from now on. This answer is the only place where the secret is shown.
#[utoipa::path(
    post,
    path = "/webhooks",
    security(("token" = ["admin"])),
    request_body(content = WebhookDraft, example = json!({"name": "Blocked injections", "url": "https://hooks.example.com/wallarm", "query": "type:sqli status:blocked"})),
    responses((status = 201, description = "The new webhook; `ETag` is its revision.", body = NewWebhook), (status = 409, description = "There are too many webhooks."))
)]
pub(super) async fn add(
    Admin(author): Admin,
    State(store): State<Store>,
    Draft(draft): Draft,
) -> Result<(StatusCode, Tagged<NewWebhook>), ApiError> {
    let secret = Secret::generate();
    let webhook = store.add_webhook(draft, &secret, &author).await?.or_error("webhook", "webhooks")?;
    let new = NewWebhook { webhook, secret: secret.reveal() };
    Ok((StatusCode::CREATED, (etag(new.webhook.revision), Json(new))))
}

/// Makes a webhook another, if nobody else has meanwhile. Its secret stays.
#[utoipa::path(
    put,
    path = "/webhooks/{id}",
    security(("token" = ["admin"])),
    params(Id, IfMatch),
    request_body(content = WebhookDraft, example = json!({"name": "Security channel", "url": "https://hooks.example.com/services/T0", "format": "slack", "enabled": false})),
    responses((status = 200, description = "The webhook as it is now; `ETag` is its revision.", body = Webhook))
)]
pub(super) async fn replace(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
    Draft(draft): Draft,
) -> Result<Tagged<Webhook>, ApiError> {
    let changed = store.change_webhook(id, revision, Some(draft), &author).await?;
    let webhook = changed.or_error("webhook", "webhooks")?;
    Ok((etag(webhook.revision), Json(webhook)))
}

/// Deletes a webhook, with what waits for it.
#[utoipa::path(
    delete,
    path = "/webhooks/{id}",
    security(("token" = ["admin"])),
    params(Id, IfMatch),
    responses((status = 204, description = "It is gone."))
)]
pub(super) async fn delete(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(revision): IfMatch,
) -> Result<StatusCode, ApiError> {
    store.change_webhook(id, revision, None, &author).await?.or_error("webhook", "webhooks")?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a `webhook.test` at once, enabled or not, and says what became of it.
#[utoipa::path(
    post,
    path = "/webhooks/{id}/test",
    security(("token" = ["admin"])),
    params(Id),
    responses((status = 200, description = "What became of it; `error` says what was wrong.", body = Delivery))
)]
pub(super) async fn test(
    _: Admin,
    State(dispatcher): State<Dispatcher>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Json<Delivery>, ApiError> {
    let Due { webhook, secret } = known(&dispatcher.store, id).await?;
    Ok(Json(dispatcher.test(&webhook, &secret).await?))
}

/// What a webhook was told, is to be told, or could not be, the newest first.
#[utoipa::path(
    get,
    path = "/webhooks/{id}/deliveries",
    security(("token" = ["admin"])),
    params(Id, Which, Slice),
    responses((status = 200, description = "A page of deliveries.", body = Page<Delivery>))
)]
pub(super) async fn deliveries(
    _: Admin,
    State(store): State<Store>,
    Id(id): Id,
    Query((Which(state), slice)): Query<(Which, Slice)>,
) -> Result<Json<Page<Delivery>>, ApiError> {
    known(&store, id).await?;
    Ok(Json(store.deliveries(id, state, &slice).await?))
}

/// Has what could not be told tried anew: one delivery, or all that are dead.
#[utoipa::path(
    post,
    path = "/webhooks/{id}/deliveries/retry",
    security(("token" = ["admin"])),
    params(Id, One),
    responses((status = 200, description = "How many are tried anew.", body = Retried))
)]
pub(super) async fn retry(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
    Query(One(delivery)): Query<One>,
) -> Result<Json<Retried>, ApiError> {
    known(&store, id).await?;
    Ok(Json(Retried { retried: store.revive_deliveries(id, delivery, author.at).await? }))
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Retried {
    retried: u64,
}

async fn known(store: &Store, id: Uuid) -> Result<Due, ApiError> {
    store.webhook(id).await?.ok_or(ApiError::NotFound("webhook"))
}

/// The state of the deliveries that are asked for.
pub(super) struct Which(Option<DeliveryState>);

impl FromParameters for Which {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.read("state", DeliveryState::EXPECTED, DeliveryState::parse).map(Self)
    }
}

impl IntoParams for Which {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let states = DeliveryState::ALL.map(DeliveryState::as_str);
        let state = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(states));
        vec![query_parameter("state", "Only those of this state.", state)]
    }
}

/// One delivery among those of a webhook.
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
        vec![query_parameter("delivery", "Only this one.", id)]
    }
}

/// The body of a call.
pub(super) struct Draft(WebhookDraft);

impl<S: Send + Sync> FromRequest<S> for Draft
where
    Clock: FromRef<S>,
    Sender: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let draft: WebhookDraft = extract::json_body(request, state, "a webhook", super::BODY_LIMIT).await?;
        checked_name(&draft.name)?;
        let (sender, now) = (Sender::from_ref(state), Clock::from_ref(state).now());
        draft.checked(sender.targets(), now).map(Self).map_err(Into::into)
    }
}
