//! Charts of a search, rendered as SVG. Each bar links to the attacks that it counts.

use super::{
    render,
    search::{Given, Search, condition},
    view,
};
use crate::{
    attack::{AttackGroup, AttackStats, SeriesPoint},
    error::ApiError,
    extract::{Query, Reader, Searching},
    store::Store,
};
use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::Response,
};
use jiff::SignedDuration;

#[derive(Template)]
#[template(path = "charts.html")]
struct ChartsPage {
    stats: AttackStats,
    given: Given,
}

/// A value of a top list.
struct TopValue {
    /// The readable name.
    label: String,
    hits: u64,
    condition: String,
    /// Percentage of the hits of the top value.
    share: u64,
}

/// An interval of the series, in SVG units.
struct Bar {
    x: usize,
    /// From the top.
    hits: u64,
    blocked: u64,
    label: String,
    search: String,
}

impl ChartsPage {
    /// The height of the chart.
    const HEIGHT: u64 = 100;

    /// The top lists with their titles.
    fn tops(&self) -> Vec<(&'static str, Vec<TopValue>)> {
        let top = &self.stats.top;
        let mut lists = vec![
            ("Attack types", top_values("type", &top.attack_type)),
            ("Sources", top_values("ip", &top.ip)),
            ("Endpoints", top_values("path", &top.path)),
            ("Status codes", self.statuses()),
        ];
        lists.retain(|(_, values)| !values.is_empty());
        lists
    }

    fn statuses(&self) -> Vec<TopValue> {
        let mut counts: Vec<_> = self.stats.response_statuses.iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let most = counts.first().map_or(1, |(_, count)| **count);
        let value = |(status, count): (&String, &u64)| TopValue {
            label: status.clone(),
            hits: *count,
            condition: condition("response", status),
            share: share(*count, most),
        };
        counts.into_iter().take(6).map(value).collect()
    }

    fn bars(&self) -> Vec<Bar> {
        let series = &self.stats.series;
        let most = series.points.iter().map(|point| point.hits).max().unwrap_or(0).max(1);
        let interval = i64::try_from(series.interval_seconds).unwrap_or(i64::MAX);
        let bar = |(index, point): (usize, &SeriesPoint)| {
            let end = point.at.checked_add(SignedDuration::from_secs(interval)).unwrap_or(point.at);
            Bar {
                x: index * 10,
                hits: share(point.hits, most).max(2),
                blocked: if point.blocked == 0 { 0 } else { share(point.blocked, most).max(2) },
                label: format!(
                    "{} to {}: {} hits, {} blocked",
                    view::time(&point.at),
                    view::time(&end),
                    point.hits,
                    point.blocked
                ),
                search: self.given.changed("from", &point.at.to_string()).with("to", &end.to_string()),
            }
        };
        series.points.iter().enumerate().filter(|(_, point)| point.hits > 0).map(bar).collect()
    }

    fn width(&self) -> usize {
        self.stats.series.points.len().max(12) * 10
    }
}

fn top_values(field: &'static str, groups: &[AttackGroup]) -> Vec<TopValue> {
    let most = groups.first().map_or(1, |group| group.hits);
    let value = |group: &AttackGroup| {
        let value = group.group.get(field)?;
        let label = if field == "type" { view::type_title(value) } else { value.clone() };
        let share = share(group.hits, most);
        Some(TopValue { label, hits: group.hits, condition: condition(field, value), share })
    };
    groups.iter().take(6).filter_map(value).collect()
}

/// A percentage.
fn share(part: u64, total: u64) -> u64 {
    (part.saturating_mul(ChartsPage::HEIGHT) / total.max(1)).min(ChartsPage::HEIGHT)
}

pub(super) async fn of_attacks(
    _: Searching<Reader>,
    State(store): State<Store>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    Query(search): Query<Search>,
) -> Result<Response, ApiError> {
    let stats = store.stats(&search.filter.within(search.time_range), search.time_range).await?;
    Ok(render(&ChartsPage { stats, given: Given::new(pairs) }))
}
