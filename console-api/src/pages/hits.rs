//! The page of a hit: findings, scores, evidence, request, and actions.

use super::{
    actions::is_detected,
    curl::Curl,
    evidence::Evidence,
    raw::{Piece, Raw},
    render,
    search::{self, Origin},
    view,
};
use crate::{
    clock::Clock,
    error::ApiError,
    extract::{FromParameters, Named, Parameters, Query, Reader},
    hit::HitDetail,
    prevention::Prevention,
    ruleset::{StoredEntry, StoredRule},
    store::{Store, StoreError},
    view::Subject,
};
use askama::Template;
use axum::{extract::State, response::Response};
use jiff::Timestamp;
use shared::{Delivery, ScorePart, Sensitivity};
use uuid::Uuid;

/// The contents to choose from.
pub(super) const CONTENTS: [(&str, &str); 6] = [
    ("text", "text"),
    ("html", "HTML"),
    ("markdown", "Markdown"),
    ("code", "code"),
    ("sql", "SQL"),
    ("opaque", "opaque data (encrypted or encoded)"),
];

#[derive(Template)]
#[template(path = "hit.html")]
struct HitPage {
    detail: HitDetail,
    evidence: Vec<Evidence>,
    pieces: Vec<Piece>,
    curl: Curl,
    can_edit: bool,
    made: Made,
    /// Of an attack that only a log has; absent if the cause is unknown.
    prevention: Option<Prevention>,
    /// The search of the list.
    origin: Origin,
}

/// The points of a part of a score, with their sign.
fn points(part: &ScorePart) -> String {
    format!("{:+}", part.points)
}

/// The rule or entry that was created from this hit, with an undo button.
#[derive(Default)]
struct Made {
    rule: Option<StoredRule>,
    entry: Option<StoredEntry>,
}

/// The ids of the rule or entry.
pub(super) struct JustMade {
    pub(super) rule: Option<Uuid>,
    pub(super) entry: Option<Uuid>,
}

impl JustMade {
    /// The names of the parameters.
    pub(super) const RULE: &str = "made_rule";
    pub(super) const ENTRY: &str = "made_entry";
}

impl FromParameters for JustMade {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let rule = parameters.parse(Self::RULE, "an id")?;
        Ok(Self { rule, entry: parameters.parse(Self::ENTRY, "an id")? })
    }
}

pub(super) async fn one(
    Reader(actor): Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query((just_made, origin)): Query<(JustMade, Origin)>,
    Named(detail): Named<HitDetail>,
) -> Result<Response, ApiError> {
    let mut made = Made::default();
    if let Some(id) = just_made.rule {
        made.rule = store.find(id).await?;
    }
    if let Some(id) = just_made.entry {
        made.entry = store.find(id).await?;
    }
    let prevention = prevention(&store, &detail, clock.now()).await?;
    let raw = Raw::new(&detail.request);
    Ok(render(&HitPage {
        pieces: raw.pieces(&detail.hit.findings),
        curl: Curl::of(&detail.request),
        evidence: Evidence::of(&detail.hit, &detail.request, &raw),
        can_edit: actor.role.can_edit(),
        detail,
        prevention,
        made,
        origin,
    }))
}

async fn prevention(
    store: &Store,
    detail: &HitDetail,
    now: Timestamp,
) -> Result<Option<Prevention>, StoreError> {
    let connector = detail.request.connector.as_ref();
    let distribution = connector.and_then(|connector| connector.distribution_id.as_deref());
    let (Some(logged), Some(distribution), Delivery::Log) =
        (&detail.logged, distribution, detail.decision.delivery)
    else {
        return Ok(None);
    };
    let failed_open = store.not_inspected_reason(detail.hit.request_id).await?;
    let is_seen = store.is_seen_by_functions(distribution, Prevention::behavior(logged), now).await?;
    Ok(Prevention::of(logged, failed_open, is_seen))
}
