//! What is installed elsewhere to ask nodes.

use crate::{
    actor::{Admin, Reader},
    bundles::{Bundles, BundlesError},
    connectors::Connector,
    error::ApiError,
    extract::{self, Query},
    paging::Page,
    store::Store,
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::{HeaderName, header},
};
use connector::{bundle, parameters::FunctionKind};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// All connectors that called nodes in the last 30 days, the latest seen first: one for each version, distribution and trigger.
#[utoipa::path(
    get,
    path = "/connectors",
    security(("token" = ["reader"])),
    responses((status = 200, description = "All of them.", body = Page<Connector>))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query(()): Query<()>,
) -> Result<Json<Page<Connector>>, ApiError> {
    Ok(Json(Page { items: store.connectors().await?, next_cursor: None }))
}

/// What a function signs with.
const KEY_ID: &str = "wlrm_signing_key_id";
const KEY: &str = "wlrm_signing_key";

/// Which bundle is wanted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = BundleOrder)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// `request` or `response`.
    function: String,
    /// By the names of the launcher; what is left out stays what it is in the zip.
    #[serde(default)]
    parameters: Map<String, Value>,
    /// The id of a key of `/connectors/keys`, which is baked in.
    #[serde(default)]
    signing_key: Option<Uuid>,
}

/// The zip of a Lambda@Edge function, ready to be uploaded. It may hold a signing key, so no cache keeps it (as of any
/// answer of the API).
#[utoipa::path(
    post,
    path = "/connectors/cloudfront/bundle",
    security(("token" = ["admin"])),
    request_body(content = Order, example = json!({"function": "request", "parameters": {"wlrm_node_addr": "https://node.example.com:5050"}})),
    responses((status = 200, description = "The zip, with its name in `Content-Disposition`.", body = Vec<u8>, content_type = "application/zip"), (status = 409, description = "This console has no bundles of its version."))
)]
pub(super) async fn cloudfront_bundle(
    _: Admin,
    State(bundles): State<Bundles>,
    State(store): State<Store>,
    mut order: Order,
) -> Result<([(HeaderName, String); 2], Vec<u8>), ApiError> {
    let function = order.function()?;
    order.bake_key(&store).await?;
    let zip = bundles.configured(function, order.parameters).await.map_err(|error| refused(&error))?;
    let disposition = format!("attachment; filename=\"{}\"", bundle::file_name(function));
    let headers =
        [(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, zip))
}

impl Order {
    /// Puts the key where the function looks for it.
    async fn bake_key(&mut self, store: &Store) -> Result<(), ApiError> {
        let Some(id) = self.signing_key else { return Ok(()) };
        let wrong = |detail: &str| ApiError::parameter("signing_key", format!("`signing_key` {detail}"));
        let secret = store.signing_secret(id).await?.ok_or_else(|| wrong("must be the id of a key"))?;
        for (name, value) in [(KEY_ID, id.to_string()), (KEY, secret.reveal().to_owned())] {
            if self.parameters.insert(name.to_owned(), value.into()).is_some() {
                return Err(wrong(&format!("and the parameter {name} cannot both be given")));
            }
        }
        Ok(())
    }

    fn function(&self) -> Result<FunctionKind, ApiError> {
        let mut all = [FunctionKind::Request, FunctionKind::Response].into_iter();
        all.find(|function| function.as_str() == self.function)
            .ok_or_else(|| ApiError::parameter("function", "`function` must be \"request\" or \"response\""))
    }
}

/// A wrong parameter is the caller's; all else is how this console was set up, which its administrator can change.
fn refused(error: &BundlesError) -> ApiError {
    let wrong = if let BundlesError::Bundle(cause) = error { cause.parameter() } else { None };
    match wrong {
        Some(name) => ApiError::parameter(name, error.to_string()),
        None => ApiError::Conflict(error.to_string()),
    }
}

impl<S: Send + Sync> FromRequest<S> for Order {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        extract::json_body(request, state, "an order for a bundle", super::BODY_LIMIT).await
    }
}
