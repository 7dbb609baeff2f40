//! The attacks, and one of them.

use super::{PageError, render, view};
use crate::{
    actor::Visitor,
    attack::{Attack, AttackDetail, AttackStatus, Order},
    error::ApiError,
    extract::{FromParameters, Id, Parameters, Query},
    hit::RecordedHit,
    paging::{Page, Slice},
    query::Filter,
    store::Store,
};
use askama::Template;
use axum::{extract::State, response::Response};
use shared::AttackType;

/// A filter, a slice, and the filter as it was given, for the link to the next page.
pub(super) struct Search {
    filter: Filter,
    order: Order,
    slice: Slice,
    given: Vec<(String, String)>,
}

impl FromParameters for Search {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let given = parameters.given().filter(|(name, _)| name != "cursor").cloned().collect();
        let filter = Filter::from_parameters(parameters)?;
        let (order, slice) = FromParameters::from_parameters(parameters)?;
        Ok(Self { filter, order, slice, given })
    }
}

#[derive(Template)]
#[template(path = "attacks.html")]
struct AttacksPage {
    attacks: Page<Attack>,
    search: Search,
    not_inspected: u64,
}

impl AttacksPage {
    /// What was typed into a field of the form.
    fn given(&self, name: &str) -> &str {
        let mut given = self.search.given.iter();
        given.find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn is_filtered(&self) -> bool {
        self.search.given.iter().any(|(_, value)| !value.is_empty())
    }
}

pub(super) async fn list(
    _: Visitor,
    State(store): State<Store>,
    search: Result<Query<Search>, ApiError>,
) -> Result<Response, PageError> {
    let Query(search) = search?;
    let attacks = store.attacks(&search.filter, search.order, &search.slice).await?;
    let not_inspected = store.not_inspected_counts().await?.total;
    Ok(render(&AttacksPage { attacks, search, not_inspected }))
}

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
