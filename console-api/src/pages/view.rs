//! Formatting of values on pages.

use crate::{country, facet::Facet};
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

/// A value of a field, for people: a country with its flag.
pub(super) fn value(field: &str, value: &str) -> String {
    let is_country = field == Facet::Country.name() && country::is_known(value);
    if is_country { format!("{} {value}", flag(value)) } else { value.to_owned() }
}

/// The flag of a country code: its letters as regional indicators.
fn flag(code: &str) -> String {
    let letter = |letter: char| char::from_u32(u32::from(letter) - u32::from('A') + 0x1f1e6);
    code.chars().filter_map(letter).collect()
}

/// The title of an attack type.
pub(super) fn type_title(code: &str) -> String {
    AttackType::from(code).title().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_has_its_flag() {
        assert_eq!(value("country", "DE"), "\u{1f1e9}\u{1f1ea} DE");
        assert_eq!(value("country", "unknown"), "unknown");
        assert_eq!(value("network", "AS1"), "AS1");
    }

    #[test]
    fn numbers_have_thousands_separators() {
        assert_eq!([0, 999, 1000, 1_234_567].map(|n| number(&n)), ["0", "999", "1,000", "1,234,567"]);
    }
}
