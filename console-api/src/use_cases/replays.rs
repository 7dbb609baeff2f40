//! Replays: start a candidate ruleset on recorded requests.

use super::rules;
use crate::{
    audit::Author,
    clock::Clock,
    error::ApiError,
    replay::{Candidate, Replay, ReplayDraft, ReplayStatus, Report},
    ruleset::{StoredEntry, StoredRule, VersionContent},
    simulation::replay::{Replays, RulesetContent, Simulation},
    store::Store,
    validation::ValidationError,
};
use uuid::Uuid;

/// The maximum number of added rules: larger changes need a ruleset version.
const MAX_ADDED: usize = 1_000;

/// Starts a replay in the background, if none is running.
pub async fn start(
    store: Store,
    clock: Clock,
    replays: &Replays,
    author: Author,
    draft: ReplayDraft,
) -> Result<Replay, ApiError> {
    if !(1..=ReplayDraft::MAX_LIMIT).contains(&draft.limit) {
        let detail = format!("`limit` must be a number from 1 to {}", ReplayDraft::MAX_LIMIT);
        return Err(ApiError::parameter("limit", detail));
    }
    let hits = draft.recorded.read(author.at)?;
    let (version, _) = store.ruleset_head().await?;
    let before = content(&store, version).await?;
    let before = before.ok_or_else(|| ApiError::not_found("ruleset", version))?;
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
    let started = replay.clone();
    tokio::spawn(async move {
        Simulation::new(before, after, hits).await.run(store, clock, started, permit).await;
    });
    Ok(replay)
}

async fn content(store: &Store, version: u64) -> Result<Option<RulesetContent>, ApiError> {
    Ok(store.version(version).await?.map(|VersionContent { rules, lists, .. }| {
        let rules = rules.into_iter().map(|StoredRule { rule, .. }| rule).collect();
        (rules, lists.into_iter().map(|StoredEntry { entry, .. }| entry).collect())
    }))
}

async fn candidate(
    store: &Store,
    candidate: &Candidate,
    current: &RulesetContent,
) -> Result<RulesetContent, ApiError> {
    let wrong = |name: String, what: &str| {
        let detail = format!("`{name}` {what}");
        ValidationError::new(name, detail)
    };
    let (mut rules, lists) = match candidate.ruleset {
        None => current.clone(),
        Some(version) => {
            let known = content(store, version).await?;
            known.ok_or_else(|| wrong("candidate.ruleset".to_owned(), "must be a known version"))?
        }
    };
    for (n, id) in candidate.remove.iter().enumerate() {
        let at = rules.iter().position(|rule| rule.id == *id);
        let unknown = || wrong(format!("candidate.remove[{n}]"), "must be a rule of the ruleset");
        rules.remove(at.ok_or_else(unknown)?);
    }
    if candidate.add.len() > MAX_ADDED {
        let detail = format!("must have at most {MAX_ADDED} rules");
        return Err(wrong("candidate.add".to_owned(), &detail).into());
    }
    for draft in &candidate.add {
        rules.push(rules::validated(Uuid::now_v7(), 1, draft.clone()).await?);
    }
    Ok((rules, lists))
}
