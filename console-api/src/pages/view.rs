//! Formatting of values on pages.

use jiff::Timestamp;
use shared::{AttackType, Decision, Enforced, Finding, Outcome, Severity};

/// `2026-01-31 09:00:00`, in UTC like every time of the console.
pub(super) fn time(time: &Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `09:00:00`.
pub(super) fn clock(time: &Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}

/// `2026-01-31`.
pub(super) fn day(time: &Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

/// The outcome of a request, in words.
pub(super) fn outcome(decision: &Decision) -> &'static str {
    match (decision.outcome, decision.enforced) {
        (Outcome::Monitored, _) => "Monitored",
        (Outcome::Suspicious, _) => "Suspicious",
        (Outcome::Blocked, Enforced::Yes) => "Blocked",
        (Outcome::Blocked, Enforced::No) => "Blocked, not enforced",
        (Outcome::Blocked, Enforced::Unknown) => "Blocked, enforcement unknown",
    }
}

/// The style of an outcome.
pub(super) fn outcome_class(decision: &Decision) -> &'static str {
    match decision.outcome {
        Outcome::Blocked => "blocked",
        Outcome::Monitored => "monitoring",
        Outcome::Suspicious => "suspicious",
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

/// `1,234,567`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
pub(super) fn number(number: &u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

/// The title of an attack type.
pub(super) fn type_title(code: &str) -> String {
    AttackType::from(code).title().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_thousands_separators() {
        assert_eq!([0, 999, 1000, 1_234_567].map(|n| number(&n)), ["0", "999", "1,000", "1,234,567"]);
    }
}
