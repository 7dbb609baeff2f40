//! The overview: the last day against the same day of last week, and what needs attention.

use crate::{
    attack::{AttackGroup, GroupField, Grouping, Previous, Series},
    facet::{Facet, UNKNOWN},
    node_problem::NodeProblemKind,
    paging::{Page, Slice},
    query::{Condition, Filter, HitAction, Pattern, TimeRange},
    store::{Node, Store, StoreError},
};
use form_urlencoded::Serializer;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, try_join};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(24 * 7);
/// The fields whose values move.
const FIELDS: [GroupField; 4] =
    [GroupField::Type, GroupField::Path, GroupField::Ip, GroupField::Facet(Facet::Country)];
/// The values of a field that are compared: those with the most hits.
const COMPARED: Slice = Slice { limit: 50, after: None };
const MOVERS: usize = 6;
const ATTENTION: usize = 3;
/// A value moves if this number of hits came or went.
const MOVED: u64 = 10;

/// How long an overview is shown again: it takes many statements, and all users see the same.
const MAX_AGE: Duration = Duration::from_secs(3);

/// The latest overview. Concurrent callers wait for one that is being read.
#[derive(Debug, Clone, Default)]
pub struct OverviewCache(Arc<Mutex<Option<Read>>>);

/// An overview, and when it was read.
type Read = (Instant, Arc<Overview>);

impl OverviewCache {
    pub async fn read(&self, store: &Store, now: Timestamp) -> Result<Arc<Overview>, StoreError> {
        let mut latest = self.0.lock().await;
        if let Some((_, overview)) = latest.as_ref().filter(|(at, _)| at.elapsed() < MAX_AGE) {
            return Ok(Arc::clone(overview));
        }
        let overview = Arc::new(Overview::read(store, now).await?);
        *latest = Some((Instant::now(), Arc::clone(&overview)));
        Ok(overview)
    }
}

/// What happened in the last day, and what needs attention.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Overview {
    pub today: Day,
    /// The same time a week before.
    pub last_week: Day,
    /// The values whose hits changed most.
    pub movers: Vec<Mover>,
    pub coverage: Coverage,
    /// The hits of the last seven days, and of the seven days before.
    pub trend: Series,
    pub trend_before: Series,
    /// The number of nodes by version.
    pub versions: BTreeMap<String, u64>,
    /// The most important first, at most three.
    pub attention: Vec<Attention>,
}

/// 24 hours.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Day {
    pub from: Timestamp,
    pub to: Timestamp,
    pub attacks: u64,
    pub hits: u64,
    pub blocked: u64,
    /// At least.
    pub not_inspected: u64,
}

/// A value of a field.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Mover {
    pub field: &'static str,
    pub value: String,
    /// In the last day.
    pub hits: u64,
    /// In the same day of last week.
    pub before: u64,
}

#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Coverage {
    /// Since the starts of the nodes.
    pub inspected: u64,
    /// By filters and mode `off`, since the starts of the nodes.
    pub bypassed: u64,
    /// In the last day, at least.
    pub not_inspected: u64,
    /// Suspicious hits in the last day.
    pub suspicious: u64,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Attention {
    pub title: String,
    /// The page that shows it.
    pub page: String,
}

impl Mover {
    fn change(&self) -> u64 {
        self.hits.abs_diff(self.before)
    }

    /// The condition that selects the value.
    pub(crate) fn condition(&self) -> String {
        if self.field == GroupField::Type.name() {
            return Condition::Type(self.value.as_str().into()).to_string();
        }
        format!("{}:{}", self.field, Pattern::exact(&self.value))
    }
}

impl Overview {
    pub async fn read(store: &Store, now: Timestamp) -> Result<Self, StoreError> {
        let ending = |to: Timestamp, length| TimeRange { from: to.checked_sub(length).ok(), to: Some(to) };
        let a_week_ago = now.checked_sub(WEEK).unwrap_or(now);
        let (today, last_week) = (ending(now, DAY), ending(a_week_ago, DAY));
        // Two at a time: a call must leave connections for others.
        let (trend, trend_before) =
            try_join!(trend(store, ending(now, WEEK)), trend(store, ending(a_week_ago, WEEK)))?;
        let (passed, suspicious) =
            (Condition::Action(HitAction::Passed), Condition::Action(HitAction::Suspicious));
        let (passed, suspicious) =
            try_join!(period(store, passed.into(), today), period(store, suspicious.into(), today))?;
        let (passed, suspicious) = (passed.hits, suspicious.hits);
        let movers = movers(store, today, last_week).await?;
        let nodes = store.nodes(now).await?;
        let (today, last_week) = try_join!(day(store, today), day(store, last_week))?;
        let of_nodes = |count: fn(&shared::record::NodeStatus) -> u64| {
            nodes.iter().filter_map(|node| node.status.as_ref()).map(count).sum::<u64>()
        };
        let coverage = Coverage {
            inspected: of_nodes(|status| status.requests.saturating_sub(status.bypassed)),
            bypassed: of_nodes(|status| status.bypassed + status.bypassed_by_connectors),
            not_inspected: today.not_inspected,
            suspicious,
        };
        let mut versions = BTreeMap::new();
        for node in &nodes {
            *versions.entry(node.version.clone()).or_default() += 1;
        }
        let attention = attention(&nodes, &coverage, passed, &movers);
        Ok(Self { today, last_week, movers, coverage, trend, trend_before, versions, attention })
    }
}

/// The hits of a time range that are not hidden.
fn hits(conditions: Filter, times: TimeRange) -> Filter {
    conditions.without_hidden().hits_within(times)
}

async fn period(store: &Store, conditions: Filter, times: TimeRange) -> Result<Previous, StoreError> {
    store.period(&hits(conditions, times), times).await
}

/// The hits of a time range by their counters.
async fn trend(store: &Store, times: TimeRange) -> Result<Series, StoreError> {
    Ok(store.period(&Filter::default().without_hidden().within(times), times).await?.series)
}

async fn day(store: &Store, times: TimeRange) -> Result<Day, StoreError> {
    let Previous { attacks, hits, blocked, .. } = period(store, Filter::default(), times).await?;
    let not_inspected = store.not_inspected_in(times).await?;
    let (from, to) = (times.from.unwrap_or_default(), times.to.unwrap_or_default());
    Ok(Day { from, to, attacks, hits, blocked, not_inspected })
}

async fn movers(store: &Store, today: TimeRange, last_week: TimeRange) -> Result<Vec<Mover>, StoreError> {
    let mut movers = Vec::new();
    for field in FIELDS {
        let grouping = Grouping::by(field);
        let [now, before] = [today, last_week].map(|times| hits(Filter::default(), times));
        let (now, before) =
            try_join!(store.groups(&now, &grouping, &COMPARED), store.groups(&before, &grouping, &COMPARED))?;
        movers.extend(moved(field, &now, &before));
    }
    movers.sort_by_key(|mover| std::cmp::Reverse(mover.change()));
    movers.truncate(MOVERS);
    Ok(movers)
}

/// The values of a field whose hits changed.
fn moved(field: GroupField, now: &Page<AttackGroup>, before: &Page<AttackGroup>) -> Vec<Mover> {
    // A value that is not listed has at most the hits of the last one that is.
    let unlisted = |page: &Page<AttackGroup>| {
        page.items.last().filter(|_| page.next_cursor.is_some()).map_or(0, |group| group.hits)
    };
    let unlisted = (unlisted(now), unlisted(before));
    let mut values: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for group in &now.items {
        values.entry(&group.group[field.name()]).or_insert(unlisted).0 = group.hits;
    }
    for group in &before.items {
        values.entry(&group.group[field.name()]).or_insert(unlisted).1 = group.hits;
    }
    let mover = |(value, (hits, before)): (&str, (u64, u64))| {
        let mover = Mover { field: field.name(), value: value.to_owned(), hits, before };
        (value != UNKNOWN && mover.change() >= MOVED).then_some(mover)
    };
    values.into_iter().filter_map(mover).collect()
}

fn attention(nodes: &[Node], coverage: &Coverage, passed: u64, movers: &[Mover]) -> Vec<Attention> {
    let of_day = |path: &str, pairs: &[(&str, &str)]| {
        let query = Serializer::new(String::new()).extend_pairs(pairs).append_pair("from", "-24h").finish();
        format!("{path}?{query}")
    };
    let mut all = Vec::new();
    for kind in NodeProblemKind::ALL {
        let count = nodes.iter().filter(|node| node.problems.iter().any(|it| it.kind == kind)).count();
        if count > 0 {
            all.push(Attention {
                title: format!(
                    "{}: {count} of {} node{}",
                    kind.title(),
                    nodes.len(),
                    if nodes.len() == 1 { "" } else { "s" }
                ),
                page: "/nodes".to_owned(),
            });
        }
    }
    if coverage.not_inspected > 0 {
        let title = format!("Requests not inspected in the last day: at least {}", coverage.not_inspected);
        all.push(Attention { title, page: "/not-inspected".to_owned() });
    }
    if passed > 0 {
        let title = format!("Hits of attacks that passed in the last day: {passed}");
        all.push(Attention { title, page: of_day("/requests", &[("action", "passed")]) });
    }
    if let Some(mover) = movers.iter().find(|mover| mover.hits >= 2 * mover.before) {
        let title = format!(
            "More hits than last week, {} {}: {} (before: {})",
            mover.field, mover.value, mover.hits, mover.before
        );
        all.push(Attention { title, page: of_day("/requests", &[("q", &mover.condition())]) });
    }
    if coverage.suspicious > 0 {
        let title = format!("Suspicious hits in the last day, none blocked: {}", coverage.suspicious);
        all.push(Attention { title, page: of_day("/requests", &[("action", "suspicious")]) });
    }
    all.truncate(ATTENTION);
    all
}
