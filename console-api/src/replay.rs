//! Replays: a candidate ruleset, the recorded requests it runs on, and the report of changed
//! verdicts.

use crate::{
    hit::HitFilter,
    json_object,
    paging::{Cursor, Listed},
    query::{self, Filter, TimeRange},
    ruleset::RuleDraft,
    validation::ValidationError,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::RequestId;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Further verdicts are counted and not listed.
const LISTED: usize = 200;

/// A replay to start: a candidate ruleset, and the recorded requests to evaluate.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayDraft {
    #[serde(default, deserialize_with = "json_object::required")]
    pub recorded: Selection,
    #[serde(deserialize_with = "json_object::required")]
    pub candidate: Candidate,
    /// Maximum number of hits to scan, the latest first.
    #[serde(default = "ReplayDraft::default_limit")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub limit: u64,
}

impl ReplayDraft {
    pub const DEFAULT_LIMIT: u64 = 100_000;
    pub const MAX_LIMIT: u64 = 1_000_000;

    fn default_limit() -> u64 {
        Self::DEFAULT_LIMIT
    }
}

/// The candidate ruleset: a version, or the current one, with rules removed and added.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
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
    /// The console's log has the cause.
    Failed,
    /// The console was stopped while it ran.
    Interrupted,
}

/// A replay, its progress and its report so far.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Replay {
    pub id: Uuid,
    pub created_at: Timestamp,
    pub author: String,
    pub status: ReplayStatus,
    pub draft: ReplayDraft,
    /// Hits to scan.
    pub hits: u64,
    pub report: Report,
}

impl Listed for Replay {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.id)
    }
}

/// Changed verdicts under the candidate.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayReport)]
pub struct Report {
    pub scanned: Progress,
    /// Evaluated requests.
    pub requests: u64,
    /// Attacks that only the candidate finds.
    pub new: Verdicts,
    /// Attacks that the candidate no longer finds.
    pub lost: Verdicts,
    /// Other attack types, or another action.
    pub changed: Verdicts,
}

/// Requests of one kind of change.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayVerdicts)]
pub struct Verdicts {
    pub count: u64,
    /// The latest of them.
    pub items: Vec<ChangedVerdict>,
}

#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChangedVerdict {
    pub request_id: RequestId,
    pub host: String,
    pub path: String,
    pub before: ReplayVerdict,
    pub after: ReplayVerdict,
}

impl Report {
    pub fn record(&mut self, changed: ChangedVerdict) {
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

/// The verdict on a request that waits for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReplayVerdict {
    pub attack_types: BTreeSet<String>,
    pub blocks: bool,
    /// The score is too low for an attack.
    #[serde(default)]
    pub suspicious: bool,
}

impl ReplayVerdict {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Progress of a scan of recorded hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// Scanned hits.
    pub hits: u64,
    /// Whether all hits of the selection were scanned.
    pub complete: bool,
}

/// Recorded requests, in the words of the search language.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WhichRecorded)]
pub struct Selection {
    /// In the search language; false positives are included.
    #[serde(default)]
    pub query: String,
    #[serde(default)]
    pub from: Option<String>,
    #[serde(default)]
    pub to: Option<String>,
}

impl Selection {
    pub fn read(&self, now: Timestamp) -> Result<HitFilter, ValidationError> {
        let filter = Filter::parse(&self.query, now)
            .map_err(|error| ValidationError::new("recorded.query", format!("`recorded.query`: {error}")))?;
        let time = |name: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            let wrong = || ValidationError::new(name, format!("`{name}` must be {}", TimeRange::MOMENT));
            query::moment(text, now).ok_or_else(wrong).map(Some)
        };
        let (from, to) = (time("recorded.from", &self.from)?, time("recorded.to", &self.to)?);
        Ok(HitFilter { filter, time_range: TimeRange { from, to } })
    }
}
