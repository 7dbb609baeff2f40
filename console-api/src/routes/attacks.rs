//! Attacks: list, groups, statistics, detail, hits.

use crate::{
    attack::{Attack, AttackDetail, AttackGroup, AttackStats, Grouping, Order},
    clock::Clock,
    error::ApiError,
    extract::{Compare, FromParameters, Id, Named, Parameters, Query, Reader, Searching, Tagged},
    hit::RecordedHit,
    paging::{Page, Slice},
    query::{Filter, Schema, TimeRange},
    store::Store,
};
use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema as OpenApiSchema, schema::AnyOfBuilder},
};

/// The kind of list, its order and page.
pub(super) enum Listing {
    Attacks(Order, Slice),
    Groups(Grouping, Slice),
}

impl FromParameters for Listing {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        if let Some(grouping) = parameters.read("group_by", Grouping::EXPECTED, Grouping::parse)? {
            return Ok(Self::Groups(grouping, Slice::from_parameters(parameters)?));
        }
        let (order, slice) = FromParameters::from_parameters(parameters)?;
        Ok(Self::Attacks(order, slice))
    }
}

/// A page of a list of attacks.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum AttackListing {
    Attacks(Page<Attack>),
    Groups(Page<AttackGroup>),
}

/// Lists the attacks that match a filter, or groups of them.
#[utoipa::path(
    get,
    path = "/attacks",
    security(("token" = ["reader"])),
    params(Filter, Grouping, Order, Slice),
    responses(
        (status = 200, description = "A page of attacks; with `group_by`, of groups.", body = AttackListing),
        (status = 503, description = "Too many searches at a time, or the search takes too long."),
    )
)]
pub(super) async fn list(
    _: Searching<Reader>,
    State(store): State<Store>,
    Query((filter, listing)): Query<(Filter, Listing)>,
) -> Result<Json<AttackListing>, ApiError> {
    Ok(Json(match listing {
        Listing::Attacks(order, slice) => {
            AttackListing::Attacks(store.attacks(&filter, order, &slice).await?)
        }
        Listing::Groups(grouping, slice) => {
            AttackListing::Groups(store.groups(&filter, &grouping, &slice).await?)
        }
    }))
}

/// Statistics of the attacks that match a filter.
#[utoipa::path(
    get,
    path = "/attacks/stats",
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
    let within = |times| filter.clone().within(times);
    Ok(Json(store.compared_stats(within, times, compares, clock.now()).await?))
}

/// The fields of the search language.
#[utoipa::path(
    get,
    path = "/attacks/schema",
    security(("token" = ["reader"])),
    responses((status = 200, description = "The fields, their operators and values.", body = Schema))
)]
pub(super) async fn schema(_: Reader, Query(()): Query<()>) -> Json<Schema> {
    Json(Schema::new())
}

/// An attack with its top sources and response statuses. The id of a merged attack resolves to the
/// attack that it was merged into. The tag is the revision of its mark: everything else changes
/// with new hits.
#[utoipa::path(
    get,
    path = "/attacks/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The attack; `ETag` is the revision of its mark.", body = AttackDetail))
)]
pub(super) async fn one(
    _: Reader,
    State(store): State<Store>,
    Query(()): Query<()>,
    Named(attack): Named<Attack>,
) -> Result<Tagged<AttackDetail>, ApiError> {
    Ok(Tagged(store.attack_detail(attack, &Filter::default()).await?))
}

/// Lists the hits of an attack, the latest first: those that match the conditions on hits.
#[utoipa::path(
    get,
    path = "/attacks/{id}/hits",
    security(("token" = ["reader"])),
    params(Id, Filter, Slice),
    responses(
        (status = 200, description = "A page of its hits.", body = Page<RecordedHit>),
        (status = 503, description = "Too many searches at a time."),
    )
)]
pub(super) async fn hits(
    _: Searching<Reader>,
    State(store): State<Store>,
    Query((filter, slice)): Query<(Filter, Slice)>,
    Named(attack): Named<Attack>,
) -> Result<Json<Page<RecordedHit>>, ApiError> {
    Ok(Json(store.hits_of_attack(attack.id, &filter, &slice).await?))
}

/// `anyOf`, not `oneOf`: an empty page is valid as both.
impl PartialSchema for AttackListing {
    fn schema() -> RefOr<OpenApiSchema> {
        AnyOfBuilder::new().item(Page::<Attack>::schema()).item(Page::<AttackGroup>::schema()).into()
    }
}

impl ToSchema for AttackListing {
    fn schemas(schemas: &mut Vec<(String, RefOr<OpenApiSchema>)>) {
        Page::<Attack>::schemas(schemas);
        Page::<AttackGroup>::schemas(schemas);
    }
}
