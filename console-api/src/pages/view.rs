//! Values as people read them.

use jiff::Timestamp;
use shared::{Decision, Enforced, Finding, Outcome, Severity};

/// `2026-01-31 09:00:00`, in UTC as every time of the console.
pub(super) fn time(time: &Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What became of a request, in words.
pub(super) fn outcome(decision: &Decision) -> &'static str {
    match (decision.outcome, decision.enforced) {
        (Outcome::Monitored, _) => "Monitored",
        (Outcome::Blocked, Enforced::Yes) => "Blocked",
        (Outcome::Blocked, Enforced::No) => "Blocked, but it went on",
        (Outcome::Blocked, Enforced::Unknown) => "Blocked, delivery unknown",
    }
}

pub(super) fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}
