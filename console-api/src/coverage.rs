//! Coverage: the requests of access logs, by what inspected them, with shares; and when it fell.

use crate::paging::{Cursor, Listed};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use shared::{CoverageRecord, CoverageTotals};

/// The day of UTC, as rows have it.
pub fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

/// What rows are summed up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CoverageGroup {
    /// A row for each distribution, behavior and day.
    #[default]
    None,
    /// A row for each distribution and behavior.
    Behavior,
    /// A row for each distribution and day.
    Day,
    Distribution,
}

impl CoverageGroup {
    pub const ALL: [Self; 4] = [Self::None, Self::Behavior, Self::Day, Self::Distribution];
    pub const EXPECTED: &str = "behavior, day or distribution";

    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Behavior => "behavior",
            Self::Day => "day",
            Self::Distribution => "distribution",
        }
    }

    /// The name on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::None => "Behavior and day",
            Self::Behavior => "Behavior",
            Self::Day => "Day",
            Self::Distribution => "Distribution",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.as_str() == word && !word.is_empty())
    }
}

/// The rows to select; absent fields select all.
#[derive(Debug, Clone, Default)]
pub struct CoverageFilter {
    pub distribution: Option<String>,
    /// The first and the last day, as `2026-01-31`.
    pub first_day: Option<String>,
    pub last_day: Option<String>,
}

impl CoverageFilter {
    /// Whether no field is given.
    pub fn selects_all(&self) -> bool {
        [&self.distribution, &self.first_day, &self.last_day].into_iter().all(Option::is_none)
    }
}

/// The requests of a distribution, and of a behavior and a day unless the rows are summed up by other
/// fields.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CoverageRow {
    pub distribution: String,
    /// The path pattern of a cache behavior; `unknown`: not logged; `other`: beyond the limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behavior: Option<String>,
    /// Of UTC; `other`: more than 400 days before the request was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("2026-01-31"))]
    pub day: Option<String>,
    #[serde(flatten)]
    pub totals: CoverageTotals,
    #[serde(flatten)]
    pub shares: CoverageShares,
}

/// Shares of the requests, in percent with two decimal places.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, utoipa::ToSchema)]
pub struct CoverageShares {
    /// Requests that a function or the log had inspected.
    pub inspected_percent: f64,
    /// Requests that were inspected when a function sent them.
    pub edge_percent: f64,
    /// Requests that the cache answered.
    pub cache_hit_percent: f64,
}

impl CoverageShares {
    pub fn of(totals: &CoverageTotals) -> Self {
        let percent = |part| percent(part, totals.requests);
        Self {
            inspected_percent: percent(inspected(totals)),
            edge_percent: percent(totals.edge),
            cache_hit_percent: percent(totals.cache_hits),
        }
    }
}

impl Listed for CoverageRow {
    fn cursor(&self) -> Cursor {
        let day = self.day.as_deref().map(|day| if day == CoverageRecord::OTHER { "" } else { day });
        let key = [day, Some(&*self.distribution), self.behavior.as_deref()].map(Option::unwrap_or_default);
        Cursor { list: String::new(), position: 0, id: serde_json::json!(key).to_string() }
    }
}

/// The fall of a share that causes an event, in percentage points.
#[derive(Debug, Clone, Copy)]
pub struct CoverageMargin(pub u32);

impl Default for CoverageMargin {
    fn default() -> Self {
        Self(Self::DEFAULT)
    }
}

impl CoverageMargin {
    pub const DEFAULT: u32 = 10;
}

/// The sums of the current day and of the seven days before.
#[derive(Debug, Clone, Default)]
pub struct Recent {
    pub today: CoverageTotals,
    pub before: CoverageTotals,
}

/// A share that fell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareKind {
    /// Inspected requests among all.
    Inspected,
    /// Requests that functions had inspected, among those that reached neither an answer of the cache
    /// nor one of CloudFront itself.
    Edge,
}

/// A fall of a share, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fall {
    pub share: ShareKind,
    /// Of the day to date.
    pub percent: f64,
    /// Of the seven days before.
    pub before_percent: f64,
}

impl Recent {
    /// Fewer requests make no share.
    const MIN_REQUESTS: u64 = 100;

    /// Whether the day has enough requests for a share.
    pub fn has_today(&self) -> bool {
        self.today.requests >= Self::MIN_REQUESTS
    }

    /// A share that fell by this margin in percentage points.
    pub fn fall(&self, margin: f64) -> Option<Fall> {
        let days = [&self.today, &self.before];
        let inspected = days.map(|totals| (inspected(totals), totals.requests));
        let shares = [(ShareKind::Inspected, inspected), (ShareKind::Edge, days.map(Self::edge_of))];
        shares.into_iter().find_map(|(share, [(part, all), (part_before, all_before)])| {
            let (percent, before_percent) = (percent(part, all), percent(part_before, all_before));
            let is_enough = all.min(all_before) >= Self::MIN_REQUESTS;
            let has_fallen = is_enough && percent <= before_percent - margin;
            has_fallen.then_some(Fall { share, percent, before_percent })
        })
    }

    fn edge_of(totals: &CoverageTotals) -> (u64, u64) {
        let others = totals.cached.saturating_add(totals.answered);
        (totals.edge, totals.requests.saturating_sub(others))
    }
}

fn inspected(totals: &CoverageTotals) -> u64 {
    totals.edge.saturating_add(totals.log())
}

/// 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "shares are rounded")]
fn percent(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { (part as f64 / all as f64 * 10_000.0).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(requests: u64, edge: u64, cached: u64, bypassed: u64) -> CoverageTotals {
        let no_function = requests - edge - cached - bypassed;
        CoverageTotals { requests, edge, cached, bypassed, no_function, ..CoverageTotals::default() }
    }

    #[test]
    fn shares_have_two_decimal_places() {
        let CoverageShares { inspected_percent, edge_percent, cache_hit_percent } =
            CoverageShares::of(&CoverageTotals { cache_hits: 1, ..totals(3, 1, 1, 1) });
        assert_eq!(
            [inspected_percent, edge_percent, cache_hit_percent].map(|it| it.to_string()),
            ["66.67", "33.33", "33.33"]
        );
        assert_eq!(CoverageShares::of(&CoverageTotals::default()).inspected_percent.to_string(), "0");
    }

    #[test]
    fn a_share_falls_by_the_margin_and_with_enough_requests() {
        let fall = |today, before| Recent { today, before }.fall(10.0).map(|fall| fall.share);
        let before = totals(1000, 900, 100, 0);
        assert_eq!(fall(before, before), None);
        assert_eq!(fall(totals(1000, 800, 100, 100), before), Some(ShareKind::Inspected));
        assert_eq!(fall(totals(1000, 100, 100, 0), before), Some(ShareKind::Edge), "no function any more");
        assert_eq!(fall(totals(1000, 100, 900, 0), before), None, "the cache answers more");
        assert_eq!(fall(totals(99, 0, 0, 99), before), None);
        assert_eq!(fall(totals(1000, 0, 0, 1000), totals(99, 99, 0, 0)), None);
    }

    #[test]
    fn groups_have_the_names_of_the_api() {
        assert_eq!(CoverageGroup::parse("behavior"), Some(CoverageGroup::Behavior));
        assert_eq!([CoverageGroup::parse(""), CoverageGroup::parse("host")], [None, None]);
    }
}
