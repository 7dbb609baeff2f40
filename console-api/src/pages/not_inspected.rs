//! The page of requests that passed without a verdict: counts, times, reasons.

use super::{render, view};
use crate::{
    clock::Clock,
    error::ApiError,
    extract::{Query, Reader},
    paging::{Page, Slice},
    store::{NotInspectedCounts, NotInspectedFilter, Reported, Store},
};
use askama::Template;
use axum::{extract::State, response::Response};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The time range of the chart, and the interval of a bar.
const SPAN: SignedDuration = SignedDuration::from_hours(7 * 24);
const INTERVAL: SignedDuration = SignedDuration::from_hours(3);

#[derive(Template)]
#[template(path = "not_inspected.html")]
struct NotInspectedPage {
    page: Page<Reported>,
    counts: NotInspectedCounts,
    bars: Bars,
    filter: NotInspectedFilter,
}

/// The chart, in SVG units.
struct Bars {
    /// x, height, label.
    all: Vec<(i64, u64, String)>,
    most: u64,
    from: String,
    to: String,
}

impl Bars {
    /// Ten units for each bar.
    const WIDTH: i64 = 10 * (7 * 24 / 3 + 1);

    fn new(buckets: &[(i64, u64)], from: Timestamp, to: Timestamp) -> Self {
        let most = buckets.iter().map(|(_, count)| *count).max().unwrap_or(1);
        let interval = i64::try_from(INTERVAL.as_millis()).unwrap_or(i64::MAX);
        let start = from.as_millisecond();
        let bar = |(at, count): &(i64, u64)| {
            let time = Timestamp::from_millisecond(*at).unwrap_or(from);
            let label = format!("{}: {count}", view::time(&time));
            ((at - start + interval - 1) / interval * 10, (count * 100 / most).max(2), label)
        };
        Self { all: buckets.iter().map(bar).collect(), most, from: view::time(&from), to: view::time(&to) }
    }
}

impl NotInspectedPage {
    /// Percentage of the most frequent reason.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn share(&self, count: &u64) -> u64 {
        let most = self.counts.by_reason.values().max().copied().unwrap_or(1);
        count * 100 / most.max(1)
    }

    fn of_all(reasons: &BTreeMap<String, u64>) -> u64 {
        reasons.values().sum()
    }
}

pub(super) async fn list(
    _: Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query((filter, slice)): Query<(NotInspectedFilter, Slice)>,
) -> Result<Response, ApiError> {
    let now = clock.now();
    let from = now.checked_sub(SPAN).unwrap_or(now);
    let interval = i64::try_from(INTERVAL.as_millis()).unwrap_or(i64::MAX);
    let buckets = store.not_inspected_time_buckets(from, interval).await?;
    let page = store.not_inspected(&filter, &slice).await?;
    let counts = store.not_inspected_counts().await?;
    Ok(render(&NotInspectedPage { page, counts, bars: Bars::new(&buckets, from, now), filter }))
}
