//! Attacks.

use crate::{
    actor::Reader,
    attack::{AttackDetail, AttackStats, Grouping, Order},
    error::ApiError,
    extract::{FromParameters, Id, Parameters, Query, Tag, etag},
    hit::RecordedHit,
    paging::{Page, Slice},
    query::{Filter, Schema, Times},
    store::Store,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};

/// What a list of attacks is asked for.
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

/// The attacks a filter leaves, or what they have in common.
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query((filter, listing)): Query<(Filter, Listing)>,
) -> Result<Response, ApiError> {
    Ok(match listing {
        Listing::Attacks(order, slice) => Json(store.attacks(&filter, order, &slice).await?).into_response(),
        Listing::Groups(grouping, slice) => {
            Json(store.groups(&filter, &grouping, &slice).await?).into_response()
        }
    })
}

/// What the attacks a filter leaves add up to.
pub(super) async fn stats(
    _: Reader,
    State(store): State<Store>,
    Query((filter, times)): Query<(Filter, Times)>,
) -> Result<Json<AttackStats>, ApiError> {
    Ok(Json(store.stats(&filter.within(times), times).await?))
}

/// What a query can be made of.
pub(super) async fn schema(_: Reader, Query(()): Query<()>) -> Json<Schema> {
    Json(Schema::new())
}

/// An attack with its top sources and response statuses. The id of a merged attack finds the one it went into. The tag is
/// that of its mark: all else changes by itself.
pub(super) async fn one(
    _: Reader,
    State(store): State<Store>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<(Tag, Json<AttackDetail>), ApiError> {
    let attack = store.attack(id).await?.ok_or(ApiError::NotFound("attack"))?;
    Ok((etag(attack.revision), Json(store.attack_detail(attack).await?)))
}

/// The hits of an attack, the latest first.
pub(super) async fn hits(
    _: Reader,
    State(store): State<Store>,
    Id(id): Id,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<RecordedHit>>, ApiError> {
    let attack = store.attack(id).await?.ok_or(ApiError::NotFound("attack"))?;
    Ok(Json(store.hits_of_attack(attack.id, &slice).await?))
}
