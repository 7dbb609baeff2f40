//! Problems of nodes: requests or hits may be missing from what the console shows.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// A node that is not heard of for this time is unreachable: two of its reports are missing.
pub const UNREACHABLE: SignedDuration = SignedDuration::from_secs(11);
/// Nodes apply a change of rules sooner.
const APPLY_RULES: SignedDuration = SignedDuration::from_secs(10);
/// How long dropped records are a current problem.
const DROPPED: SignedDuration = SignedDuration::from_hours(1);

/// A problem, and when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct NodeProblem {
    pub kind: NodeProblemKind,
    pub since: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeProblemKind {
    Unreachable,
    SpoolFailed,
    RecordsDropped,
    RulesOutdated,
    RulesNotApplied,
}

impl NodeProblemKind {
    pub const ALL: [Self; 5] = [
        Self::Unreachable,
        Self::SpoolFailed,
        Self::RecordsDropped,
        Self::RulesOutdated,
        Self::RulesNotApplied,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::SpoolFailed => "spool_failed",
            Self::RecordsDropped => "records_dropped",
            Self::RulesOutdated => "rules_outdated",
            Self::RulesNotApplied => "rules_not_applied",
        }
    }

    /// The name on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Unreachable => "Unreachable",
            Self::SpoolFailed => "Spool not writable",
            Self::RecordsDropped => "Records dropped",
            Self::RulesOutdated => "Rules outdated",
            Self::RulesNotApplied => "Rules not applied",
        }
    }

    /// What it means, in a sentence.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Unreachable => "Requests may pass without inspection, and hits are missing here.",
            Self::SpoolFailed => "Attacks are still blocked, but their hits are lost.",
            Self::RecordsDropped => "Hits were lost: the numbers here are too low.",
            Self::RulesOutdated => "Changes of rules and IP lists have no effect there.",
            Self::RulesNotApplied => "Some rules or list entries have no effect there: upgrade the node.",
        }
    }
}

/// The times of what a node reported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReportedTimes {
    pub(crate) last_seen: Timestamp,
    pub(crate) spool_failed_at: Option<Timestamp>,
    pub(crate) left_out_at: Option<Timestamp>,
    pub(crate) dropped_at: Option<Timestamp>,
}

impl ReportedTimes {
    /// The problems at a time. `superseded_at`: when the rules of the node became outdated.
    pub(crate) fn problems(&self, superseded_at: Option<Timestamp>, now: Timestamp) -> Vec<NodeProblem> {
        let age = |at: Timestamp| now.duration_since(at);
        if age(self.last_seen) > UNREACHABLE {
            // The other reports are old.
            return vec![NodeProblem { kind: NodeProblemKind::Unreachable, since: self.last_seen }];
        }
        let problem = |kind, since: Option<Timestamp>| since.map(|since| NodeProblem { kind, since });
        [
            problem(NodeProblemKind::SpoolFailed, self.spool_failed_at),
            problem(NodeProblemKind::RecordsDropped, self.dropped_at.filter(|at| age(*at) < DROPPED)),
            problem(NodeProblemKind::RulesOutdated, superseded_at.filter(|at| age(*at) > APPLY_RULES)),
            problem(NodeProblemKind::RulesNotApplied, self.left_out_at),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
