//! Rulesets tried on what was recorded.

use super::rules;
use crate::{
    actor::{Analyst, Reader},
    clock::Clock,
    error::ApiError,
    extract::{self, Id, Query},
    paging::{Page, Slice},
    replay::{Candidate, Replay, ReplayDraft, ReplayStatus, Report},
    ruleset::{StoredEntry, StoredRule},
    simulation::replay::{Content, Replays, Simulation},
    store::Store,
};
use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use uuid::Uuid;

/// More rules than this are a ruleset of their own.
const MAX_ADDED: usize = 1_000;

/// The latest first.
#[utoipa::path(
    get,
    path = "/replays",
    security(("token" = ["reader"])),
    params(Slice),
    responses((status = 200, description = "A page of replays.", body = Page<Replay>))
)]
pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query(slice): Query<Slice>,
) -> Result<Json<Page<Replay>>, ApiError> {
    Ok(Json(store.replays(&slice, clock.now()).await?))
}

/// How far a replay is, and what came of it so far.
#[utoipa::path(
    get,
    path = "/replays/{id}",
    security(("token" = ["reader"])),
    params(Id),
    responses((status = 200, description = "The replay.", body = Replay))
)]
pub(super) async fn one(
    _: Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Id(id): Id,
    Query(()): Query<()>,
) -> Result<Json<Replay>, ApiError> {
    Ok(Json(store.replay(id, clock.now()).await?.ok_or(ApiError::NotFound("replay"))?))
}

/// Begins to try a candidate for the ruleset on what was recorded. Nodes go on as before.
#[utoipa::path(
    post,
    path = "/replays",
    security(("token" = ["analyst"])),
    request_body(content = ReplayDraft, example = json!({"recorded": {"from": "-7d"}, "candidate": {"add": [{"effect": {"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["get", "q"]]]}}]}})),
    responses((status = 202, description = "It runs; its address tells how far it is.", body = Replay), (status = 409, description = "Another one runs."))
)]
pub(super) async fn start(
    Analyst(author): Analyst,
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(replays): State<Replays>,
    Draft(draft): Draft,
) -> Result<(StatusCode, Json<Replay>), ApiError> {
    let hits = draft.recorded.read(author.at)?;
    let (version, _) = store.ruleset_head().await?;
    let before = content(&store, version).await?.ok_or(ApiError::NotFound("ruleset"))?;
    let after = candidate(&store, &draft.candidate, &before).await?;
    let permit = replays.try_permit().ok_or_else(|| ApiError::Conflict("another replay runs".to_owned()))?;
    let replay = Replay {
        id: Uuid::now_v7(),
        created_at: author.at,
        author: author.name,
        status: ReplayStatus::Running,
        draft,
        hits: 0,
        report: Report::default(),
    };
    store.add_replay(&replay).await?;
    let simulation = Simulation::new(&before, &after, hits);
    tokio::spawn(simulation.run(store, clock, replay.clone(), permit));
    Ok((StatusCode::ACCEPTED, Json(replay)))
}

async fn content(store: &Store, version: u64) -> Result<Option<Content>, ApiError> {
    let Some(content) = store.version(version).await? else { return Ok(None) };
    let rules = content.rules.into_iter().map(|StoredRule { rule, .. }| rule).collect();
    let lists = content.lists.into_iter().map(|StoredEntry { entry, .. }| entry).collect();
    Ok(Some((rules, lists)))
}

async fn candidate(store: &Store, candidate: &Candidate, current: &Content) -> Result<Content, ApiError> {
    let wrong = |name: String, what: &str| ApiError::parameter(&name, format!("`{name}` {what}"));
    let (mut rules, lists) = match candidate.ruleset {
        None => current.clone(),
        Some(version) => {
            let known = content(store, version).await?;
            known.ok_or_else(|| wrong("candidate.ruleset".to_owned(), "is no version that is known"))?
        }
    };
    for (n, id) in candidate.remove.iter().enumerate() {
        let at = rules.iter().position(|rule| rule.id == *id);
        rules.remove(at.ok_or_else(|| wrong(format!("candidate.remove[{n}]"), "is no rule of the ruleset"))?);
    }
    if candidate.add.len() > MAX_ADDED {
        return Err(wrong("candidate.add".to_owned(), &format!("holds more than {MAX_ADDED} rules")));
    }
    for draft in &candidate.add {
        rules.push(rules::checked(Uuid::now_v7(), 1, draft.clone())?);
    }
    Ok((rules, lists))
}

/// The body of a call.
pub(super) struct Draft(ReplayDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let draft: ReplayDraft = extract::json_body(request, state, "a replay", super::BODY_LIMIT).await?;
        if !(1..=ReplayDraft::MAX_LIMIT).contains(&draft.limit) {
            let detail = format!("`limit` must be a number from 1 to {}", ReplayDraft::MAX_LIMIT);
            return Err(ApiError::parameter("limit", detail));
        }
        Ok(Self(draft))
    }
}
