//! The pages of connectors: seen connectors, bundles, signing keys.

use super::{render, view};
use crate::{
    actor::Role,
    attachment::Attachment,
    bundles::Bundles,
    connectors::Connector,
    error::ApiError,
    extract::{Admin, Id, Query, Reader},
    paging::{Page, Slice},
    signing_key::{KeyDraft, KeyInfo},
    store::Store,
    use_cases::{
        bundles::{self, BundleOrder},
        signing_keys,
    },
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use shared::Delivery;

#[derive(Template)]
#[template(path = "connectors.html")]
struct ConnectorsPage {
    connectors: Vec<Connector>,
    /// The keys to choose from, the newest first.
    keys: Vec<KeyInfo>,
    is_admin: bool,
}

impl ConnectorsPage {
    fn delivery(connector: &Connector) -> &'static str {
        match connector.delivery {
            Some(Delivery::Inline) => "inline",
            Some(Delivery::OutOfBand) => "out of band",
            None => "response reports",
        }
    }
}

pub(super) async fn page(Reader(actor): Reader, State(store): State<Store>) -> Result<Response, ApiError> {
    let is_admin = actor.role == Role::Admin;
    let newest = Slice { limit: Slice::MAX_LIMIT, after: None };
    let keys = if is_admin { store.list::<KeyInfo>(&newest).await?.items } else { Vec::new() };
    Ok(render(&ConnectorsPage { connectors: store.connectors().await?, keys, is_admin }))
}

#[derive(Template)]
#[template(path = "signing_keys.html")]
struct KeysPage {
    page: Page<KeyInfo>,
    /// The id and the secret of a new key.
    made: Option<(String, String)>,
}

pub(super) async fn keys(
    _: Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    Ok(render(&KeysPage { page: store.list(&slice).await?, made: None }))
}

/// Adds a key, and shows its secret in the response: the address of a page could be opened again.
pub(super) async fn add_key(
    Admin(author): Admin,
    State(store): State<Store>,
    Form(KeyDraft { name }): Form<KeyDraft>,
) -> Result<Response, ApiError> {
    let new = signing_keys::add(&store, &author, KeyDraft { name: name.trim().to_owned() }).await?;
    let made = Some((new.info.id.to_string(), new.secret));
    let page = store.list(&Slice::default()).await?;
    Ok((StatusCode::CREATED, render(&KeysPage { page, made })).into_response())
}

pub(super) async fn delete_key(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<Redirect, ApiError> {
    signing_keys::delete(&store, &author, id).await?;
    Ok(Redirect::to("/connectors/keys"))
}

/// The form of a bundle. Empty fields keep the values of the bundle.
#[derive(Debug, Deserialize)]
pub(super) struct BundleForm {
    function: String,
    /// Empty: calls are not signed.
    #[serde(default)]
    signing_key: String,
    #[serde(flatten)]
    parameters: Map<String, Value>,
}

impl BundleForm {
    /// Form values are texts. Values of other types are written as in JSON: `true`, `800`.
    fn order(self) -> Result<BundleOrder, ApiError> {
        let filled = self.parameters.into_iter().filter(|(_, value)| value.as_str() != Some(""));
        let typed = |value: Value| match value.as_str().map(serde_json::from_str) {
            Some(Ok(typed @ (Value::Bool(_) | Value::Number(_)))) => typed,
            _ => value,
        };
        let parameters = filled.map(|(name, value)| (name, typed(value))).collect();
        let wrong = |_| ApiError::parameter("signing_key", "`signing_key` must be the id of a key");
        let key = Some(self.signing_key).filter(|key| !key.is_empty());
        let signing_key = key.map(|key| key.parse().map_err(wrong)).transpose()?;
        Ok(BundleOrder { function: self.function, parameters, signing_key })
    }
}

pub(super) async fn bundle(
    _: Admin,
    State(store): State<Store>,
    State(folder): State<Bundles>,
    Form(form): Form<BundleForm>,
) -> Result<Attachment, ApiError> {
    bundles::download(&store, &folder, form.order()?).await
}
