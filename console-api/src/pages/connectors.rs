//! The pages of connectors: seen connectors, bundles, signing keys.

use super::{form::Rejected, new_secret::NewSecret, render, view};
use crate::{
    actor::Role,
    app::Site,
    attachment::Attachment,
    bundles::Bundles,
    connectors::Connector,
    error::ApiError,
    extract::{Admin, Id, Query, Reader},
    paging::{Page, Slice},
    signing_key::{KeyDraft, KeyInfo},
    store::Store,
    transport::Client,
    use_cases::{
        bundles::{self, BundleOrder},
        signing_keys,
    },
};
use askama::Template;
use axum::{
    Extension, Form,
    extract::State,
    http::HeaderMap,
    response::{Redirect, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::Delivery;

#[derive(Template)]
#[template(path = "connectors.html")]
struct ConnectorsPage {
    connectors: Vec<Connector>,
    /// The keys to choose from, the newest first.
    keys: Vec<KeyInfo>,
    is_admin: bool,
    site: Site,
}

impl ConnectorsPage {
    fn delivery(connector: &Connector) -> &'static str {
        match connector.delivery {
            Some(Delivery::Inline) => "inline",
            Some(Delivery::OutOfBand) => "out of band",
            Some(Delivery::Log) => "log",
            None => "response reports",
        }
    }
}

pub(super) async fn page(
    Reader(actor): Reader,
    State(store): State<Store>,
    State(site): State<Site>,
) -> Result<Response, ApiError> {
    let is_admin = actor.role == Role::Admin;
    let newest = Slice { limit: Slice::MAX_LIMIT, after: None };
    let keys = if is_admin { store.list::<KeyInfo>(&newest).await?.items } else { Vec::new() };
    Ok(render(&ConnectorsPage { connectors: store.connectors().await?, keys, is_admin, site }))
}

#[derive(Template)]
#[template(path = "signing_keys.html")]
struct KeysPage {
    page: Page<KeyInfo>,
    /// The id and the secret of a new key.
    made: Option<(String, String)>,
    rejected: Rejected,
}

const KEYS: &str = "/connectors/keys";

pub(super) async fn keys(
    _: Admin,
    State(store): State<Store>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    let made = NewSecret::of(&headers).map(|new| (new.id.to_string(), new.secret));
    let is_shown = made.is_some();
    let mut response = page_of_keys(&store, &slice, made, Rejected::default()).await?;
    if is_shown {
        NewSecret::forget(&mut response, KEYS, client.is_https);
    }
    Ok(response)
}

async fn page_of_keys(
    store: &Store,
    slice: &Slice,
    made: Option<(String, String)>,
    rejected: Rejected,
) -> Result<Response, ApiError> {
    let page = KeysPage { page: store.list(slice).await?, made, rejected };
    Ok(page.rejected.respond(&page))
}

#[derive(Serialize, Deserialize)]
pub(super) struct KeyForm {
    name: String,
}

/// Adds a key. The next page shows its secret.
pub(super) async fn add_key(
    Admin(author): Admin,
    State(store): State<Store>,
    Extension(client): Extension<Client>,
    Form(form): Form<KeyForm>,
) -> Result<Response, ApiError> {
    match signing_keys::add(&store, &author, KeyDraft { name: form.name.trim().to_owned() }).await {
        Ok(new) => Ok(NewSecret { id: new.info.id, secret: new.secret }.redirect(KEYS, client.is_https)),
        Err(error) => page_of_keys(&store, &Slice::default(), None, Rejected::new(&form, None, error)?).await,
    }
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
