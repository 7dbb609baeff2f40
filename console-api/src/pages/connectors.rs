//! The connector: a bundle with one's parameters, and how to put it to work.

use super::{PageError, change::Api, render};
use crate::actor::{Role, Visitor};
use askama::Template;
use axum::{
    Form,
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use connector::{bundle, parameters::FunctionKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::Problem;

#[derive(Template)]
#[template(path = "connectors.html")]
struct ConnectorsPage {
    is_admin: bool,
}

pub(super) async fn page(Visitor(actor): Visitor) -> Response {
    render(&ConnectorsPage { is_admin: actor.role == Role::Admin })
}

/// The parameters most people set; what is left empty stays as it is in the bundle.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    function: String,
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
        json!({"function": self.function, "parameters": parameters})
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
