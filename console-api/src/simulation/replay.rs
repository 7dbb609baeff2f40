//! Replays: a candidate ruleset and the current one, evaluated on recorded requests.

use super::{
    ENGINE, on_blocking_thread,
    scan::{RequestScan, Scan, ScanLimits},
    to_inspect_request,
};
use crate::{
    clock::Clock,
    error::with_sources,
    hit::HitFilter,
    replay::{ChangedVerdict, Replay, ReplayStatus, ReplayVerdict},
    store::{Store, StoreError},
};
use decision::{Evaluator, GeoFields, Policy, RouteSettings};
use jiff::Timestamp;
use shared::{
    Action, Decision, InspectRequest, RecordedRequest,
    ruleset::{ListEntry, Rule},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const MAX_DURATION: Duration = Duration::from_hours(1);

/// Limits concurrent replays to one: each keeps a processor busy.
#[derive(Clone)]
pub struct Replays(Arc<Semaphore>);

impl Default for Replays {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Replays {
    /// A permit to hold for the duration of the replay. `None` while another one runs.
    pub fn try_permit(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().try_acquire_owned().ok()
    }
}

/// Two rulesets, and the requests to compare them on.
pub struct Simulation {
    /// The current ruleset, and the candidate.
    policies: Arc<(Policy, Policy)>,
    hits: HitFilter,
}

/// The rules and list entries of a ruleset.
pub type RulesetContent = (Vec<Rule>, Vec<ListEntry>);

impl Simulation {
    /// Compiles the rulesets. Entries for countries and autonomous systems are left out: the
    /// country and the system of a source are not recorded.
    pub async fn new(before: RulesetContent, after: RulesetContent, hits: HitFilter) -> Self {
        let policy = |(rules, lists): &RulesetContent| Policy::new(rules, lists, GeoFields::default());
        let policies = on_blocking_thread(move || (policy(&before), policy(&after))).await;
        Self { policies: Arc::new(policies), hits }
    }

    /// Runs to the end, and stores the progress after each batch.
    pub async fn run(self, store: Store, clock: Clock, mut replay: Replay, permit: OwnedSemaphorePermit) {
        replay.status = match self.run_batches(&store, clock, &mut replay).await {
            Ok(()) => ReplayStatus::Done,
            Err(error) => {
                tracing::error!(error = with_sources(&error), replay = %replay.id, "replay failed");
                ReplayStatus::Failed
            }
        };
        if let Err(error) = store.update_replay(&replay, clock.now()).await {
            let error = with_sources(&error);
            tracing::error!(error, replay = %replay.id, "cannot store the result of the replay");
        }
        drop(permit);
    }

    async fn run_batches(self, store: &Store, clock: Clock, replay: &mut Replay) -> Result<(), StoreError> {
        replay.hits = store.count_hits(&self.hits).await?.min(replay.draft.limit);
        let limits = ScanLimits { hits: replay.draft.limit, time: MAX_DURATION };
        let mut scan = RequestScan::new(Scan::new(store.clone(), self.hits, limits));
        while let Some(requests) = scan.requests().await? {
            replay.report.requests += requests.len() as u64;
            let policies = Arc::clone(&self.policies);
            let compare_all = move || -> Vec<_> {
                requests.into_iter().filter_map(|recorded| compare(&policies, recorded)).collect()
            };
            for changed in on_blocking_thread(compare_all).await {
                replay.report.record(changed);
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
    let request = to_inspect_request(recorded);
    let verdict = |policy| verdict(&Evaluator::new(&ENGINE, policy), &request, &decision, at);
    let (before, after) = (verdict(before), verdict(after));
    let InspectRequest { host, path, .. } = request;
    (before != after).then_some(ChangedVerdict { request_id, host, path, before, after })
}

/// The verdict of a node. The recorded mode replaces the configured one. Nodes do not report
/// `wallarm_mode_allow_override`, so the evaluator's default applies: rules override the mode.
fn verdict(
    evaluator: &Evaluator<'_, '_>,
    request: &InspectRequest,
    recorded: &Decision,
    at: Timestamp,
) -> ReplayVerdict {
    let settings = RouteSettings::of_mode(recorded.mode, &recorded.mode_source);
    let evaluation = evaluator.evaluate(request, &settings, at);
    let attack_types = evaluation.findings.iter().map(|finding| finding.attack_type.as_str().to_owned());
    ReplayVerdict {
        attack_types: attack_types.collect(),
        blocks: evaluation.ruling.action == Action::Block,
        suspicious: evaluation.ruling.is_suspicious,
    }
}

#[cfg(test)]
#[path = "../../../node/decision/tests/cases/table.rs"]
mod decision_table;

#[cfg(test)]
mod tests {
    use super::decision_table::{Case, Expected};
    use super::*;
    use shared::{DecidedBy, Delivery, Enforced, Outcome};

    #[test]
    fn one_replay_runs_at_a_time() {
        let replays = Replays::default();
        let permit = replays.try_permit();
        assert!(permit.is_some() && replays.try_permit().is_none());
        drop(permit);
        assert!(replays.try_permit().is_some());
    }

    #[test]
    fn a_simulation_agrees_with_every_case_of_the_decision_table() {
        for case in Case::all() {
            let policy = case.policy();
            let evaluator =
                Evaluator { mode_allow_override: case.allow_override, ..Evaluator::new(&ENGINE, &policy) };
            let recorded = Decision {
                outcome: Outcome::Monitored,
                reason: None,
                mode: case.configured,
                mode_source: "config".to_owned(),
                delivery: Delivery::Inline,
                enforced: Enforced::No,
                decided_by: DecidedBy::default(),
            };
            let simulated = verdict(&evaluator, &case.request, &recorded, Timestamp::UNIX_EPOCH);
            let Expected { attack_type, blocks, .. } = case.expected;
            let attack_types = attack_type.into_iter().map(|it| it.as_str().to_owned()).collect();
            assert_eq!(simulated, ReplayVerdict { attack_types, blocks, suspicious: false }, "{}", case.name);
        }
    }
}
