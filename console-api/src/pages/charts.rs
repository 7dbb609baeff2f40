//! Charts of a search. Each bar links to the attacks or requests that it counts.

use super::{
    chart::Chart,
    render,
    search::{Given, Origin, RequestSearch, Search, condition},
    view,
};
use crate::{
    attack::{AttackGroup, AttackStats},
    clock::Clock,
    error::ApiError,
    extract::{Query, Reader, Searching},
    facet::UNKNOWN,
    store::Store,
    view::Subject,
};
use askama::Template;
use axum::{
    extract::{Query as Pairs, State},
    response::Response,
};

#[derive(Template)]
#[template(path = "charts.html")]
struct ChartsPage {
    stats: AttackStats,
    chart: Chart,
    given: Given,
    /// The search, for other pages.
    origin: Origin,
    subject: Subject,
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
            ("Countries", top_values("country", &top.country)),
            ("Networks", top_values("network", &top.network)),
            ("User agents", top_values("user_agent", &top.user_agent)),
        ];
        // Without a GeoIP database, no country is known.
        let is_known = |value: &TopValue| value.label != UNKNOWN;
        lists.retain(|(_, values)| values.iter().any(is_known));
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
}

fn top_values(field: &'static str, groups: &[AttackGroup]) -> Vec<TopValue> {
    let most = groups.first().map_or(1, |group| group.hits);
    let value = |group: &AttackGroup| {
        let value = group.group.get(field)?;
        let label = if field == "type" { view::type_title(value) } else { view::value(field, value) };
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
    State(clock): State<Clock>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    Query(search): Query<Search>,
) -> Result<Response, ApiError> {
    charts(&store, &clock, Subject::Attacks, Given::new(pairs), &search).await
}

pub(super) async fn of_requests(
    _: Searching<Reader>,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    Query(RequestSearch(search)): Query<RequestSearch>,
) -> Result<Response, ApiError> {
    charts(&store, &clock, Subject::Requests, Given::new(pairs), &search).await
}

async fn charts(
    store: &Store,
    clock: &Clock,
    subject: Subject,
    given: Given,
    search: &Search,
) -> Result<Response, ApiError> {
    let within = |times| search.filter_of(times);
    let stats = store.compared_stats(within, search.time_range, search.compares, clock.now()).await?;
    let zoom = format!("/{}?{}", subject.name(), given.changed("from", "").prefix("to", ""));
    let previous = stats.previous.as_ref().map(|previous| &previous.series);
    let chart = Chart::new(&stats.series, previous, zoom);
    let origin = Origin::of_list(subject, &given);
    Ok(render(&ChartsPage { stats, chart, given, origin, subject }))
}
