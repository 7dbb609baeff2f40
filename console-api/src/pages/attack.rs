//! One attack.

use super::{PageError, render, search::condition, view};
use crate::{
    actor::Visitor,
    attack::{AttackDetail, Mark, Source},
    error::ApiError,
    extract::{Id, Query},
    hit::RecordedHit,
    paging::{Page, Slice},
    store::Store,
};
use askama::Template;
use axum::{extract::State, response::Response};
use form_urlencoded::Serializer;
use shared::classification::names;

#[derive(Template)]
#[template(path = "attack.html")]
struct AttackPage {
    detail: AttackDetail,
    hits: Page<RecordedHit>,
    may_judge: bool,
}

impl AttackPage {
    fn weakness(&self) -> String {
        let cwe = self.detail.attack.attack_type.cwe();
        cwe.map(|number| format!(" · CWE-{number} {}", names::cwe(number))).unwrap_or_default()
    }

    /// The search for what else came from there.
    fn of_source(source: &Source) -> String {
        Serializer::new(String::new()).append_pair("q", &condition("ip", &source.ip.to_string())).finish()
    }

    /// Beside the source with the most hits, in per cent.
    fn share_of_source(&self, source: &Source) -> u64 {
        let most = self.detail.top_sources.first().map_or(1, |first| first.hits);
        source.hits * 100 / most.max(1)
    }
}

pub(super) async fn one(
    Visitor(actor): Visitor,
    State(store): State<Store>,
    id: Result<Id, ApiError>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let (Id(id), Query(slice)) = (id?, slice?);
    let attack = store.attack(id).await?.ok_or(ApiError::NotFound("attack"))?;
    let hits = store.hits_of_attack(attack.id, &slice).await?;
    let detail = store.attack_detail(attack).await?;
    Ok(render(&AttackPage { detail, hits, may_judge: actor.role.may_judge() }))
}
