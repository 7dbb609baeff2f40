//! Requests: hits, one by one, of any attack.

use crate::{
    attack::{AttackGroup, AttackStats, Grouping},
    clock::Clock,
    error::ApiError,
    extract::{Compare, FromParameters, HitsFilter, Parameters, Query, Reader, Searching},
    hit::RecordedHit,
    paging::{Page, Slice},
    query::{Filter, TimeRange},
    store::Store,
};
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema as OpenApiSchema, schema::AnyOfBuilder},
};

/// The kind of list, and its page.
pub(super) struct Listing {
    grouping: Option<Grouping>,
    slice: Slice,
}

impl FromParameters for Listing {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let grouping = parameters.read("group_by", Grouping::EXPECTED, Grouping::parse)?;
        Ok(Self { grouping, slice: Slice::from_parameters(parameters)? })
    }
}

/// A page of a list of hits.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum RequestListing {
    Hits(Page<RecordedHit>),
    Groups(Page<AttackGroup>),
}

/// Lists the hits that match a filter, the latest first, or groups of them. Suspicious ones are left
/// out unless the filter selects them.
#[utoipa::path(
    get,
    path = "/requests",
    security(("token" = ["reader"])),
    params(Filter, Grouping, Slice),
    responses(
        (status = 200, description = "A page of hits; with `group_by`, of groups.", body = RequestListing),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn list(
    _: Searching<Reader>,
    State(store): State<Store>,
    Query((HitsFilter(filter), listing)): Query<(HitsFilter, Listing)>,
) -> Result<Json<RequestListing>, ApiError> {
    Ok(Json(match listing.grouping {
        None => RequestListing::Hits(store.hits_matching(&filter, &listing.slice).await?),
        Some(grouping) => RequestListing::Groups(store.groups(&filter, &grouping, &listing.slice).await?),
    }))
}

/// Statistics of the hits that match a filter.
#[utoipa::path(
    get,
    path = "/requests/stats",
    security(("token" = ["reader"])),
    params(Filter, ("compare" = Option<String>, Query, description = "`previous`: with the period before the time range, of the same length.")),
    responses(
        (status = 200, description = "Totals, a time series, and the most frequent values.", body = AttackStats),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn stats(
    _: Searching<Reader>,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query(((filter, times), Compare(compares))): Query<((Filter, TimeRange), Compare)>,
) -> Result<Json<AttackStats>, ApiError> {
    let within = |times| filter.clone().hits_within(times);
    Ok(Json(store.compared_stats(within, times, compares, clock.now()).await?))
}

/// `anyOf`, not `oneOf`: an empty page is valid as both.
impl PartialSchema for RequestListing {
    fn schema() -> RefOr<OpenApiSchema> {
        AnyOfBuilder::new().item(Page::<RecordedHit>::schema()).item(Page::<AttackGroup>::schema()).into()
    }
}

impl ToSchema for RequestListing {
    fn schemas(schemas: &mut Vec<(String, RefOr<OpenApiSchema>)>) {
        Page::<RecordedHit>::schemas(schemas);
        Page::<AttackGroup>::schemas(schemas);
    }
}
