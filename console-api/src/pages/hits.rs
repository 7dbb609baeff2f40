//! The page of a hit: findings, evidence, request, and actions.

use super::{
    curl::as_curl,
    evidence::Evidence,
    raw::{Piece, Raw},
    render, view,
};
use crate::{
    error::ApiError,
    extract::{FromParameters, Named, Parameters, Query, Reader},
    hit::HitDetail,
    ruleset::{StoredEntry, StoredRule},
    store::Store,
};
use askama::Template;
use axum::{extract::State, response::Response};
use shared::Outcome;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "hit.html")]
struct HitPage {
    detail: HitDetail,
    evidence: Vec<Evidence>,
    pieces: Vec<Piece>,
    curl: String,
    can_edit: bool,
    made: Made,
}

/// The rule or entry that was created from this hit, with an undo button.
#[derive(Default)]
struct Made {
    rule: Option<StoredRule>,
    entry: Option<StoredEntry>,
}

/// The ids of the rule or entry.
pub(super) struct JustMade {
    rule: Option<Uuid>,
    entry: Option<Uuid>,
}

impl FromParameters for JustMade {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        Ok(Self { rule: parameters.parse("rule", "an id")?, entry: parameters.parse("entry", "an id")? })
    }
}

pub(super) async fn one(
    Reader(actor): Reader,
    State(store): State<Store>,
    Query(just_made): Query<JustMade>,
    Named(detail): Named<HitDetail>,
) -> Result<Response, ApiError> {
    let mut made = Made::default();
    if let Some(id) = just_made.rule {
        made.rule = store.find(id).await?;
    }
    if let Some(id) = just_made.entry {
        made.entry = store.find(id).await?;
    }
    let raw = Raw::new(&detail.request);
    Ok(render(&HitPage {
        pieces: raw.pieces(&detail.hit.findings),
        curl: as_curl(&detail.request),
        evidence: Evidence::of(&detail.hit, &detail.request, &raw),
        can_edit: actor.role.can_edit(),
        detail,
        made,
    }))
}
