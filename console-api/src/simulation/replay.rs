//! A candidate for the ruleset beside the one that holds, on what was recorded.

use super::{
    Recorded, again,
    policy::{Policy, Verdict},
    scan::{Progress, RequestScan, Scan, ScanLimits},
    selection::Selection,
};
use crate::{
    clock::Clock,
    extract,
    paging::{Cursor, Listed},
    ruleset::RuleDraft,
    store::{Store, StoreError},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{Decision, InspectRequest, RecordedRequest, RequestId};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task,
};
use uuid::Uuid;

/// More are counted, and not listed.
const LISTED: usize = 200;
const TIME: Duration = Duration::from_hours(1);

/// What is to be tried, and on which requests.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayDraft {
    #[serde(default, deserialize_with = "extract::object")]
    pub recorded: Selection,
    #[serde(deserialize_with = "extract::object")]
    pub candidate: Candidate,
    /// At most so many hits are looked at, the latest.
    #[serde(default = "ReplayDraft::default_limit")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub limit: u64,
}

impl ReplayDraft {
    pub const MAX_LIMIT: u64 = 1_000_000;

    fn default_limit() -> u64 {
        100_000
    }
}

/// The ruleset that is tried: a version, or the one that holds, without some rules and with others.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    #[serde(default)]
    pub ruleset: Option<u64>,
    #[serde(default)]
    pub remove: Vec<Uuid>,
    #[serde(default)]
    pub add: Vec<RuleDraft>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReplayStatus {
    Running,
    Done,
    /// The console's log says why.
    Failed,
    /// The console that ran it was stopped.
    Interrupted,
}

/// A replay, how far it is, and what came of it so far.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Replay {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub author: String,
    pub status: ReplayStatus,
    pub draft: ReplayDraft,
    /// How many hits there were to look at.
    pub hits: u64,
    pub report: Report,
}

impl Listed for Replay {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.id)
    }
}

/// What a candidate changes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayReport)]
pub struct Report {
    pub scanned: Progress,
    /// How many requests were looked at.
    pub requests: u64,
    /// Nothing was found before.
    pub new: Verdicts,
    /// Nothing is found any more.
    pub lost: Verdicts,
    /// Other types are found, or what is found is blocked now, or no longer.
    pub changed: Verdicts,
}

/// Requests of one kind of change.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayVerdicts)]
pub struct Verdicts {
    pub count: u64,
    /// The first of them.
    pub items: Vec<ChangedVerdict>,
}

#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChangedVerdict {
    pub request_id: RequestId,
    pub host: String,
    pub path: String,
    pub before: Verdict,
    pub after: Verdict,
}

impl Report {
    fn take(&mut self, changed: ChangedVerdict) {
        let verdicts = match (changed.before.is_nothing(), changed.after.is_nothing()) {
            (true, _) => &mut self.new,
            (_, true) => &mut self.lost,
            _ => &mut self.changed,
        };
        verdicts.count += 1;
        if verdicts.items.len() < LISTED {
            verdicts.items.push(changed);
        }
    }
}

/// Lets one replay run at a time: each keeps a processor busy.
#[derive(Clone)]
pub struct Replays(Arc<Semaphore>);

impl Default for Replays {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Replays {
    /// A turn, held until the replay is over. `None` while another one runs.
    pub fn turn(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

/// Both rulesets, and the requests they are tried on.
pub struct Simulation {
    pub before: Policy,
    pub after: Policy,
    pub which: Recorded,
}

impl Simulation {
    /// Runs to the end, and notes how far it is after each piece.
    pub async fn run(self, store: Store, clock: Clock, mut replay: Replay, turn: OwnedSemaphorePermit) {
        replay.status = match self.go_through(&store, clock, &mut replay).await {
            Ok(()) => ReplayStatus::Done,
            Err(error) => {
                tracing::error!(%error, replay = %replay.id, "a replay failed");
                ReplayStatus::Failed
            }
        };
        if let Err(error) = store.update_replay(&replay, clock.now()).await {
            tracing::error!(%error, replay = %replay.id, "the end of a replay could not be noted");
        }
        drop(turn);
    }

    async fn go_through(self, store: &Store, clock: Clock, replay: &mut Replay) -> Result<(), StoreError> {
        replay.hits = store.count_hits(&self.which).await?.min(replay.draft.limit);
        let limits = ScanLimits { hits: replay.draft.limit, time: TIME };
        let mut scan = RequestScan::new(Scan::new(store.clone(), self.which, limits));
        let policies = Arc::new((self.before, self.after));
        while let Some(requests) = scan.requests().await? {
            replay.report.requests += requests.len() as u64;
            let policies = Arc::clone(&policies);
            let look = move || -> Vec<_> {
                requests.into_iter().filter_map(|recorded| compare(&policies, recorded)).collect()
            };
            let changed = task::spawn_blocking(look).await.expect("the engine takes any request");
            for changed in changed {
                replay.report.take(changed);
            }
            replay.report.scanned = scan.progress();
            store.update_replay(replay, clock.now()).await?;
        }
        Ok(())
    }
}

fn compare(
    (before, after): &(Policy, Policy),
    (recorded, decision): (RecordedRequest, Decision),
) -> Option<ChangedVerdict> {
    let (request_id, at) = (recorded.request_id, recorded.at);
    let request = again(recorded);
    let (before, after) = (before.verdict(&request, &decision, at), after.verdict(&request, &decision, at));
    let InspectRequest { host, path, .. } = request;
    (before != after).then_some(ChangedVerdict { request_id, host, path, before, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_replay_runs_at_a_time() {
        let replays = Replays::default();
        let turn = replays.turn();
        assert!(turn.is_some() && replays.turn().is_none());
        drop(turn);
        assert!(replays.turn().is_some());
    }
}
