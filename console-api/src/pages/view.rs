//! Formatting of values on pages.

use super::context;
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

/// The age of a time, when the page is made: `5 min ago`.
pub(super) fn age(time: &Timestamp) -> String {
    age_at(time, context::now())
}

fn age_at(time: &Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(*time).as_secs();
    match seconds {
        ..-60 => self::clock(time),
        -60..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// What completes an age: the time of a day ago at most, or the day.
pub(super) fn moment(time: &Timestamp) -> String {
    let is_recent = context::now().duration_since(*time).as_hours() < 24;
    if is_recent { clock(time) } else { day(time) }
}

/// A change in percent: `+34 %`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
pub(super) fn change(now: &u64, before: &u64) -> String {
    match (*now, *before) {
        (0, 0) => "±0 %".to_owned(),
        (_, 0) => "new".to_owned(),
        (now, before) => {
            let (now, before) = (i128::from(now), i128::from(before));
            match (now - before) * 100 / before {
                0 => "±0 %".to_owned(),
                more @ 1.. => format!("+{more} %"),
                less => format!("−{} %", -less),
            }
        }
    }
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
    fn ages_are_short() {
        let at = |seconds: i64| Timestamp::from_second(1_000_000_000 + seconds).unwrap();
        let ages = [-59, 59, 60, 3599, 3600, 86_399, 86_400, 8_640_000].map(|age| age_at(&at(-age), at(0)));
        let expected = [
            "just now",
            "just now",
            "1 min ago",
            "59 min ago",
            "1 h ago",
            "23 h ago",
            "1 d ago",
            "100 d ago",
        ];
        assert_eq!(ages, expected);
        assert_eq!(age_at(&at(61), at(0)), clock(&at(61)), "the clock of a node may be ahead");
    }

    #[test]
    fn changes_have_a_sign() {
        let changes = [(134, 100), (1, 100), (100, 100), (0, 0), (5, 0), (0, 7)].map(|(a, b)| change(&a, &b));
        assert_eq!(changes, ["+34 %", "−99 %", "±0 %", "±0 %", "new", "−100 %"]);
    }

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
