//! What the metrics count of an evaluation.

use decision::{Evaluation, ListMatch};
use shared::{Action, Mode, Reason};
use std::time::Duration;

/// Taken from an evaluation before it becomes a record: a request of a log counts only once it is
/// stored.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct Evaluated {
    /// What exempted the request from inspection.
    pub(super) exempt: Option<&'static str>,
    /// The list that matched its source, and what decided.
    pub(super) list: &'static str,
    pub(super) source: &'static str,
    /// How long the analysis took, if there was one.
    pub(super) analysis: Option<Duration>,
    pub(super) would_block: bool,
    /// What decided to block, if the request was blocked.
    pub(super) blocked_by: Option<&'static str>,
}

pub(super) const MODE_OFF: &str = "mode_off";
const INPUT_FILTERS: &str = "input_filters";

impl Evaluated {
    pub(in crate::server) fn of(evaluation: &Evaluation<'_>, took: Duration) -> Self {
        let exempt = (evaluation.mode.mode == Mode::Off).then_some(MODE_OFF);
        let (list, source) = match evaluation.list_match {
            ListMatch::Allowed(_) => ("white", "acl_whitelist"),
            ListMatch::Denied(..) => ("black", "acl_blacklist"),
            ListMatch::Grayed(_) => ("grey", "proton"),
            ListMatch::Unlisted => ("none", "proton"),
        };
        let ruling = &evaluation.ruling;
        let blocked_by = match ruling.reason {
            Some(Reason::VirtualPatch) => "vpatch",
            Some(Reason::RateLimit) => "behaviour",
            _ => source,
        };
        Self {
            exempt: exempt.or(evaluation.is_bypassed.then_some(INPUT_FILTERS)),
            list,
            source,
            analysis: evaluation.is_analyzed.then_some(took),
            would_block: ruling.would_block,
            blocked_by: (ruling.action == Action::Block).then_some(blocked_by),
        }
    }

    /// Whether the request was analyzed, or a list decided to block it.
    pub(in crate::server) fn is_inspected(&self) -> bool {
        self.analysis.is_some() || self.would_block
    }
}
