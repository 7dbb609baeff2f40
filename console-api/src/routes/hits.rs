//! Hits: by request, and by id.

use crate::{
    error::ApiError,
    extract::{FromParameters, Id, Named, Parameters, Query, Reader},
    hit::{HitDetail, RecordedHit},
    openapi::query_parameter,
    paging::{Page, Slice},
    store::Store,
};
use axum::{Json, extract::State};
use shared::RequestId;
use utoipa::{
    IntoParams, PartialSchema as _,
    openapi::{
        ObjectBuilder, Type,
        path::{Parameter, ParameterIn},
    },
};

/// A request id: of the console, or of CloudFront, as its error pages show it.
pub(super) enum WhichRequest {
    Ours(RequestId),
    Edge(String),
}

impl FromParameters for WhichRequest {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let ours = parameters.parse("request_id", "32 lower-case hex digits")?;
        match (ours, parameters.text("edge_request_id")?) {
            (Some(id), None) => Ok(Self::Ours(id)),
            (None, Some(id)) => Ok(Self::Edge(id)),
            _ => Err(ApiError::parameter("request_id", "give either `request_id` or `edge_request_id`")),
        }
    }
}

/// Lists the hits of a request.
#[utoipa::path(
    get,
    path = "/hits",
    security(("token" = ["reader"])),
    params(WhichRequest, Slice),
    responses((status = 200, description = "A page of hits.", body = Page<RecordedHit>))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query((request, slice)): Query<(WhichRequest, Slice)>,
) -> Result<Json<Page<RecordedHit>>, ApiError> {
    Ok(Json(match request {
        WhichRequest::Ours(id) => store.hits_of_request(id, &slice).await?,
        WhichRequest::Edge(id) => store.hits_of_edge_request(&id, &slice).await?,
    }))
}

/// A hit with its whole request.
#[utoipa::path(
    get,
    path = "/hits/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The hit.", body = HitDetail))
)]
pub(super) async fn one(_: Reader, Query(()): Query<()>, Named(hit): Named<HitDetail>) -> Json<HitDetail> {
    Json(hit)
}

impl IntoParams for WhichRequest {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let cloudfront = ObjectBuilder::new().schema_type(Type::String);
        vec![
            query_parameter("request_id", "The request id.", RequestId::schema()),
            query_parameter("edge_request_id", "The request id of CloudFront.", cloudfront),
        ]
    }
}
