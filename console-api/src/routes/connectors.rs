//! Connectors: seen connectors, and bundles to install.

use crate::{
    attachment::Attachment,
    bundles::Bundles,
    connectors::Connector,
    error::ApiError,
    extract::{Admin, Body, Query, Reader},
    paging::Page,
    store::Store,
    use_cases::bundles::{self, BundleOrder},
};
use axum::{Json, extract::State};

/// Lists the connectors that called nodes in the last 30 days, the latest seen first: one entry for
/// each version, distribution and trigger.
#[utoipa::path(
    get,
    path = "/connectors",
    security(("token" = ["reader"])),
    responses((status = 200, description = "All connectors.", body = Page<Connector>))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query(()): Query<()>,
) -> Result<Json<Page<Connector>>, ApiError> {
    Ok(Json(Page { items: store.connectors().await?, next_cursor: None }))
}

/// The zip of a Lambda@Edge function, ready for upload. It can contain a signing key; like every
/// response of the API, it is not cacheable.
#[utoipa::path(
    post,
    path = "/connectors/cloudfront/bundle",
    security(("token" = ["admin"])),
    request_body(content = BundleOrder, example = json!({"function": "request", "parameters": {"wlrm_node_addr": "https://node.example.com:5050"}})),
    responses((status = 200, description = "The zip, with its name in `Content-Disposition`.", body = Vec<u8>, content_type = "application/zip"), (status = 409, description = "The console has no bundle of its version."))
)]
pub(super) async fn cloudfront_bundle(
    _: Admin,
    State(folder): State<Bundles>,
    State(store): State<Store>,
    Body(order): Body<BundleOrder>,
) -> Result<Attachment, ApiError> {
    bundles::download(&store, &folder, order).await
}
