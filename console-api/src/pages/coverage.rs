//! The page of coverage: requests of access logs by distribution, behavior and day, with shares.

use super::{render, search::Given, view};
use crate::{
    coverage::{CoverageFilter, CoverageGroup, CoverageRow, CoverageShares},
    error::ApiError,
    extract::{Query, Reader},
    facet::Facet,
    paging::{Page, Slice},
    query::Condition,
    store::Store,
};
use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::Response,
};
use jiff::civil::Date;
use shared::{CoverageRecord, CoverageTotals};
use std::iter;

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
    filter: CoverageFilter,
    given: Given,
    has_behavior: bool,
    has_day: bool,
}

impl CoveragePage {
    /// A behavior as pages show it.
    fn behavior(row: &CoverageRow) -> &str {
        match row.behavior.as_deref() {
            Some("*") => "* (default)",
            behavior => behavior.unwrap_or_default(),
        }
    }

    fn day(row: &CoverageRow) -> &str {
        match row.day.as_deref() {
            Some(CoverageRecord::OTHER) => "other (earlier)",
            day => day.unwrap_or_default(),
        }
    }

    /// The hits that only logs have, of the same distribution and days.
    fn log_hits(&self) -> String {
        let CoverageFilter { distribution, first_day, last_day } = &self.filter;
        let seen_by = (Facet::SeenBy, "log");
        let connector = distribution.as_deref().map(|id| (Facet::Connector, id));
        let condition = |(facet, value): (_, &str)| Condition::Facet(facet, Some(value.to_owned()));
        let conditions = iter::once(seen_by).chain(connector).map(condition);
        let query = conditions.map(|condition| condition.to_string()).collect::<Vec<_>>().join(" ");
        // The end of a search is exclusive.
        let end = last_day.as_deref().and_then(|day| day.parse::<Date>().ok()?.tomorrow().ok());
        let search = Given::new(vec![
            ("q".to_owned(), query),
            ("from".to_owned(), first_day.clone().unwrap_or_default()),
            ("to".to_owned(), end.map(|day| day.to_string()).unwrap_or_default()),
        ]);
        format!("/requests?{}", search.all())
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
        filter,
        given: Given::new(pairs),
        has_behavior: matches!(group, CoverageGroup::None | CoverageGroup::Behavior),
        has_day: matches!(group, CoverageGroup::None | CoverageGroup::Day),
    }))
}
