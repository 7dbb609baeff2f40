//! Attacks.

use crate::{
    actor::Reader,
    attack::{Attack, AttackDetail},
    error::ApiError,
    extract::{Id, Query},
    hit::RecordedHit,
    paging::{Page, Slice},
    query::Filter,
    store::Store,
};
use axum::{Json, extract::State};

/// The attacks a filter leaves, the one seen last first.
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Query((filter, slice)): Query<(Filter, Slice)>,
) -> Result<Json<Page<Attack>>, ApiError> {
    Ok(Json(store.attacks(&filter, &slice).await?))
}

/// An attack with its top sources and response statuses. The id of a merged attack finds the one it went into.
pub(super) async fn one(
    _: Reader,
    State(store): State<Store>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Json<AttackDetail>, ApiError> {
    let attack = store.attack(id).await?.ok_or(ApiError::NotFound("attack"))?;
    Ok(Json(store.attack_detail(attack).await?))
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
