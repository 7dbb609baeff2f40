//! Requests that passed without a verdict.

use crate::{
    error::ApiError,
    extract::{FromParameters, Parameters, Query, Reader},
    openapi::query_parameter,
    paging::{Page, Slice},
    store::{NotInspectedCounts, NotInspectedFilter, Reported, Store},
};
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::{
    IntoParams,
    openapi::{
        KnownFormat, ObjectBuilder, SchemaFormat, Type,
        path::{Parameter, ParameterIn},
    },
};

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NotInspectedList {
    #[serde(flatten)]
    page: Page<Reported>,
    #[serde(flatten)]
    counts: NotInspectedCounts,
}

/// Lists the requests, the latest first, with counts of all.
#[utoipa::path(
    get,
    path = "/not-inspected",
    security(("token" = ["reader"])),
    params(NotInspectedFilter, Slice),
    responses((status = 200, description = "A page of requests, and the counts of all.", body = NotInspectedList))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query((filter, slice)): Query<(NotInspectedFilter, Slice)>,
) -> Result<Json<NotInspectedList>, ApiError> {
    let page = store.not_inspected(&filter, &slice).await?;
    let counts = store.not_inspected_counts().await?;
    Ok(Json(NotInspectedList { page, counts }))
}

impl FromParameters for NotInspectedFilter {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        Ok(Self { node: parameters.parse("node", "the id of a node")?, reason: parameters.text("reason")? })
    }
}

impl IntoParams for NotInspectedFilter {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let uuid = SchemaFormat::KnownFormat(KnownFormat::Uuid);
        vec![
            query_parameter(
                "node",
                "Only requests that this node reported first.",
                text().format(Some(uuid)),
            ),
            query_parameter("reason", "Only requests with this reason.", text().examples(["node_timeout"])),
        ]
    }
}
