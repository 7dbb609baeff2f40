//! The page of coverage: requests of access logs by distribution, behavior and day, with shares.

use super::{render, search::Given, view};
use crate::{
    coverage::{CoverageFilter, CoverageGroup, CoverageRow, CoverageShares, OTHER_DAYS},
    error::ApiError,
    extract::{Query, Reader},
    paging::{Page, Slice},
    store::Store,
};
use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::Response,
};
use shared::{CoverageRecord, CoverageTotals};

/// The time ranges to choose from, as values of `from`.
const RANGES: [(&str, &str); 4] =
    [("", "All days"), ("-1d", "Since yesterday"), ("-7d", "Last 7 days"), ("-30d", "Last 30 days")];

#[derive(Template)]
#[template(path = "coverage.html")]
struct CoveragePage {
    page: Page<CoverageRow>,
    total: CoverageTotals,
    shares: CoverageShares,
    distributions: Vec<String>,
    given: Given,
    has_behavior: bool,
    has_day: bool,
}

impl CoveragePage {
    /// A behavior as pages show it.
    fn behavior(row: &CoverageRow) -> &str {
        match row.behavior.as_deref() {
            Some("*") => "* (default)",
            Some(CoverageRecord::UNKNOWN) => "not logged",
            Some(behavior) => behavior,
            None => "",
        }
    }

    fn day(row: &CoverageRow) -> &str {
        match row.day.as_deref() {
            Some(OTHER_DAYS) => "earlier",
            day => day.unwrap_or_default(),
        }
    }

    /// The reasons why no function inspected requests.
    fn reasons(totals: &CoverageTotals) -> Vec<(&'static str, u64)> {
        let all = [
            ("answered by the cache", totals.cached),
            ("no function", totals.no_function),
            ("passed without a verdict", totals.fail_open),
            ("answered by CloudFront", totals.answered),
            ("bypassed", totals.bypassed),
        ];
        all.into_iter().filter(|(_, requests)| *requests > 0).collect()
    }
}

pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    Query((filter, (group, slice))): Query<(CoverageFilter, (CoverageGroup, Slice))>,
) -> Result<Response, ApiError> {
    let page = store.coverage(&filter, group, &slice).await?;
    let total = store.coverage_total(&filter).await?;
    Ok(render(&CoveragePage {
        page,
        total,
        shares: CoverageShares::of(&total),
        distributions: store.covered_distributions().await?,
        given: Given::new(pairs),
        has_behavior: matches!(group, CoverageGroup::None | CoverageGroup::Behavior),
        has_day: matches!(group, CoverageGroup::None | CoverageGroup::Day),
    }))
}
