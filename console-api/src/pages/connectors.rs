//! The connectors that call, a bundle with one's parameters, the keys it signs with, and how to put it to work.

use super::{PageError, access::Administrator, change::Api, render, view};
use crate::{
    actor::{Role, Visitor},
    connectors::Connector,
    error::ApiError,
    extract::{Id, Query},
    paging::{Page, Slice},
    signing_key::KeyInfo,
    store::Store,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use connector::{bundle, parameters::FunctionKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::{Delivery, Problem};

#[derive(Template)]
#[template(path = "connectors.html")]
struct ConnectorsPage {
    connectors: Vec<Connector>,
    /// To choose from, the newest first.
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

pub(super) async fn page(Visitor(actor): Visitor, State(store): State<Store>) -> Result<Response, PageError> {
    let is_admin = actor.role == Role::Admin;
    let newest = Slice { limit: Slice::MAX_LIMIT, after: None };
    let keys = if is_admin { store.signing_keys(&newest).await?.items } else { Vec::new() };
    Ok(render(&ConnectorsPage { connectors: store.connectors().await?, keys, is_admin }))
}

#[derive(Template)]
#[template(path = "signing_keys.html")]
struct KeysPage {
    page: Page<KeyInfo>,
    /// What was just made: its id and its secret, which is not shown again.
    made: Option<(String, String)>,
}

pub(super) async fn keys(
    _: Administrator,
    State(store): State<Store>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    Ok(render(&KeysPage { page: store.signing_keys(&slice).await?, made: None }))
}

#[derive(Deserialize)]
pub(super) struct KeyForm {
    name: String,
}

/// Makes a key, and answers the page with it: an address to go on to could be opened again.
pub(super) async fn add_key(
    api: Api,
    State(store): State<Store>,
    Form(form): Form<KeyForm>,
) -> Result<Response, PageError> {
    let made = api.post("/connectors/keys", &json!({"name": form.name.trim()})).await?;
    let text = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    let made = Some((text("id"), text("secret")));
    let page = store.signing_keys(&Slice::default()).await?;
    Ok((StatusCode::CREATED, render(&KeysPage { page, made })).into_response())
}

pub(super) async fn delete_key(api: Api, id: Result<Id, ApiError>) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.delete(&format!("/connectors/keys/{id}")).await?;
    Ok(Redirect::to("/connectors/keys"))
}

/// The parameters most people set; what is left empty stays as it is in the bundle.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    function: String,
    /// Empty: calls are not signed.
    #[serde(default)]
    signing_key: String,
    #[serde(flatten)]
    parameters: Map<String, Value>,
}

impl Order {
    /// Forms send texts. A parameter that takes something else is spelled as in JSON: `true`, `800`.
    fn json(self) -> Value {
        let filled = self.parameters.into_iter().filter(|(_, value)| value.as_str() != Some(""));
        let typed = |value: Value| match value.as_str().map(serde_json::from_str) {
            Some(Ok(typed @ (Value::Bool(_) | Value::Number(_)))) => typed,
            _ => value,
        };
        let parameters: Map<_, _> = filled.map(|(name, value)| (name, typed(value))).collect();
        let mut order = json!({"function": self.function, "parameters": parameters});
        if !self.signing_key.is_empty() {
            order["signing_key"] = self.signing_key.into();
        }
        order
    }
}

/// The zip, to be saved.
pub(super) async fn bundle(api: Api, Form(order): Form<Order>) -> Result<Response, PageError> {
    let kind = if order.function == "response" { FunctionKind::Response } else { FunctionKind::Request };
    let answer = api.answer(Method::POST, "/connectors/cloudfront/bundle", Some(&order.json()), None).await;
    let (status, bytes) = answer.unwrap_or((StatusCode::INTERNAL_SERVER_ERROR, Vec::new().into()));
    if !status.is_success() {
        let problem: Result<Problem, _> = serde_json::from_slice(&bytes);
        let detail = problem.ok().map_or_else(|| status.to_string(), |problem| problem.detail);
        return Err(PageError::Refused { status, detail });
    }
    let disposition = format!("attachment; filename=\"{}\"", bundle::file_name(kind));
    let headers =
        [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, bytes).into_response())
}
