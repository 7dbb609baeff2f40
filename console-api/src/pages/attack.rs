//! One attack.

use super::{PageError, render, view};
use crate::{
    actor::Visitor,
    attack::AttackDetail,
    error::ApiError,
    extract::{Id, Query},
    hit::RecordedHit,
    paging::{Page, Slice},
    store::Store,
};
use askama::Template;
use axum::{extract::State, response::Response};

#[derive(Template)]
#[template(path = "attack.html")]
struct AttackPage {
    detail: AttackDetail,
    hits: Page<RecordedHit>,
}

pub(super) async fn one(
    _: Visitor,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let (Id(id), Query(slice)) = (id?, slice?);
    let attack = store.attack(id).await?.ok_or(ApiError::NotFound("attack"))?;
    let hits = store.hits_of_attack(attack.id, &slice).await?;
    Ok(render(&AttackPage { detail: store.attack_detail(attack).await?, hits }))
}
