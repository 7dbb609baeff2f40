//! Statistics of attacks.

use crate::store::{
    Store, StoreError,
    search::id_set::AttackSet,
    sql::{statement::Statement, text_codec::count},
};
use crate::{
    attack::{
        Attack, AttackGroup, AttackStats, BUCKET, GroupField, Grouping, Previous, Series, SeriesPoint, Top,
    },
    facet::Facet,
    paging::Slice,
    query::{Filter, TimeRange},
};
use jiff::Timestamp;
use sqlx::FromRow;
use std::{collections::BTreeMap, ops::RangeInclusive};

/// The length of a top list.
const TOP: Slice = Slice { limit: 8, after: None };
/// The maximum number of points of a series.
const POINTS: i64 = 60;
/// Interval lengths in seconds: 1, 5, 10 and 30 seconds, 1, 5, 15 and 30 minutes, 1, 3 and 12
/// hours, 1, 7 and 30 days. Those below [`BUCKET`] are counted from hits.
const INTERVALS: [i64; 14] =
    [1, 5, 10, 30, 60, 300, 900, 1800, 3600, 10_800, 43_200, 86_400, 604_800, 2_592_000];

#[derive(FromRow)]
struct Totals {
    attacks: i64,
    hits: Option<i64>,
    blocked: Option<i64>,
    first_seen: Option<i64>,
    last_seen: Option<i64>,
}

impl Store {
    /// Statistics of the attacks that match a filter. The series covers the time range, or else the
    /// time from the first hit until now.
    pub async fn stats(
        &self,
        filter: &Filter,
        time_range: TimeRange,
        now: Timestamp,
    ) -> Result<AttackStats, StoreError> {
        let set = &self.attack_set(filter).await?;
        // Two statements at a time: a call must leave connections for others.
        let counted = async {
            let totals = self.totals(set).await?;
            let last = totals.last_seen.map_or(ms(now), |last| last.max(ms(now)));
            let to = time_range.to.map_or(last, ms);
            let from = time_range.from.map(ms).or(totals.first_seen).unwrap_or(to).min(to);
            let series = self.series(set, from..=to).await?;
            let response_statuses = self.statuses(set).await?;
            let host = self.top(set, GroupField::Host).await?;
            let user_agent = self.top(set, GroupField::Facet(Facet::UserAgent)).await?;
            let country = self.top(set, GroupField::Facet(Facet::Country)).await?;
            Ok::<_, StoreError>((totals, series, response_statuses, host, user_agent, country))
        };
        let grouped = async {
            let (sources, ip) = self.values(set, GroupField::Ip, &TOP).await?;
            let attack_type = self.top(set, GroupField::Type).await?;
            let path = self.top(set, GroupField::Path).await?;
            let parameter = self.top(set, GroupField::Parameter).await?;
            let network = self.top(set, GroupField::Facet(Facet::Network)).await?;
            Ok::<_, StoreError>((sources, ip, attack_type, path, parameter, network))
        };
        let (counted, grouped) = tokio::try_join!(counted, grouped)?;
        let (totals, series, response_statuses, host, user_agent, country) = counted;
        let (sources, ip, attack_type, path, parameter, network) = grouped;
        Ok(AttackStats {
            attacks: count(totals.attacks),
            hits: count(totals.hits.unwrap_or_default()),
            blocked: count(totals.blocked.unwrap_or_default()),
            sources,
            series,
            top: Top { attack_type, host, path, parameter, ip: ip.items, country, network, user_agent },
            response_statuses,
            previous: None,
        })
    }

    /// Statistics of a time range; if `compares`, with the period before it. `filter` adds a range to
    /// the conditions.
    pub async fn compared_stats(
        &self,
        filter: impl Fn(TimeRange) -> Filter,
        time_range: TimeRange,
        compares: bool,
        now: Timestamp,
    ) -> Result<AttackStats, StoreError> {
        let mut stats = self.stats(&filter(time_range), time_range, now).await?;
        if compares {
            let before = TimeRange::before(stats.series.from, stats.series.to);
            stats.previous = Some(self.period(&filter(before), before).await?);
        }
        Ok(stats)
    }

    /// The attacks that match a filter of a time range, and its hits.
    pub async fn period(&self, filter: &Filter, times: TimeRange) -> Result<Previous, StoreError> {
        let set = self.attack_set(filter).await?;
        let (from, to) = (times.from.map_or(0, ms), times.to.map_or(i64::MAX, ms));
        // The first millisecond after the range is not in it.
        let (totals, series) =
            tokio::try_join!(self.totals(&set), self.series(&set, from..=to.saturating_sub(1)))?;
        let (hits, blocked) = series.totals();
        Ok(Previous { attacks: count(totals.attacks), hits, blocked, series })
    }

    async fn totals(&self, set: &AttackSet) -> Result<Totals, StoreError> {
        let mut statement = Statement::new("select ");
        if set.selects_hits() {
            statement.push(
                "count(distinct h.attack_id) as attacks, count(*) as hits, \
                 cast(sum(h.blocked) as bigint) as blocked, min(h.at) as first_seen, max(h.at) as last_seen from ",
            );
            statement.push_selected_hits(set);
        } else {
            statement.push("count(*) as attacks, ").push_hits("a", set).push(
                " as hits, cast(sum(a.blocked) as bigint) as blocked, \
                 min(a.first_seen) as first_seen, max(a.last_seen) as last_seen from attacks a where ",
            );
            statement.push_attack_set(set);
        }
        statement.fetch_tuple(&self.searcher).await
    }

    async fn top(&self, set: &AttackSet, field: GroupField) -> Result<Vec<AttackGroup>, StoreError> {
        if field.is_of_hit() && !set.selects_hits() {
            return Ok(self.values(set, field, &TOP).await?.1.items);
        }
        Ok(self.groups_of(set, &Grouping::by(field), &TOP).await?.items)
    }

    async fn statuses(&self, set: &AttackSet) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows: Vec<(i64, i64)> = statuses_of(set).fetch_tuples(&self.searcher).await?;
        Ok(rows.into_iter().map(|(status, n)| (status.to_string(), count(n))).collect())
    }

    /// The number of attacks that match a filter.
    pub async fn count_attacks(&self, filter: &Filter) -> Result<u64, StoreError> {
        let set = self.attack_set(filter).await?;
        Ok(count(self.totals(&set).await?.attacks))
    }

    /// The hits of an attack over time, or those that match the conditions on hits.
    pub async fn attack_series(&self, attack: &Attack, filter: &Filter) -> Result<Series, StoreError> {
        let set = self.only_attack(attack.id, filter);
        self.series(&set, ms(attack.first_seen)..=ms(attack.last_seen)).await
    }

    async fn series(&self, set: &AttackSet, times: RangeInclusive<i64>) -> Result<Series, StoreError> {
        let (from, to) = times.into_inner();
        let interval = interval(from, to);
        let start = from - from.rem_euclid(interval);
        let slots: Vec<(i64, i64, i64)> =
            series_of(set, interval, start..=to).fetch_tuples(&self.searcher).await?;
        let slots: BTreeMap<i64, (i64, i64)> =
            slots.into_iter().map(|(start, hits, blocked)| (start, (hits, blocked))).collect();
        let time = |column, at| {
            Timestamp::from_millisecond(at).map_err(|_| StoreError::bad_row("attack_times", "", column))
        };
        let point = |at: i64| {
            let (hits, blocked) = slots.get(&at).copied().unwrap_or_default();
            Ok::<_, StoreError>(SeriesPoint {
                at: time("slot", at)?,
                hits: count(hits),
                blocked: count(blocked),
            })
        };
        let starts = (0..).map(|n| start + n * interval).take_while(|at| *at <= to);
        Ok(Series {
            from: time("from", from)?,
            to: time("to", to)?,
            interval_seconds: count(interval / 1000),
            points: starts.map(point).collect::<Result<_, _>>()?,
        })
    }
}

/// The statement of the hits by response status.
pub(crate) fn statuses_of(set: &AttackSet) -> Statement {
    if set.selects_hits() {
        let mut statement = Statement::new("select h.status, count(*) from ");
        statement.push_selected_hits(set).push(" and h.status is not null group by h.status");
        return statement;
    }
    let mut statement = Statement::new("select s.status, ");
    statement.push_hits("s", set).push(" from attack_statuses s where ");
    statement.push_attack_set_of("s.attack_id", set).push_has_hits("s", set).push(" group by s.status");
    statement
}

/// The statement of the hits by interval, for buckets in a range. Grouped by bucket first, in the
/// order of the index: only the few buckets are sorted.
pub(crate) fn series_of(set: &AttackSet, interval: i64, slots: RangeInclusive<i64>) -> Statement {
    if set.selects_hits() || interval < BUCKET {
        let mut statement = Statement::new("select h.at - h.at % ");
        statement.bind(interval);
        statement.push(" as start, count(*) as hits, cast(sum(h.blocked) as bigint) as blocked from ");
        statement.push_selected_hits(set).push(" and h.at >= ").bind(*slots.start());
        statement.push(" and h.at < ").bind(slots.end().saturating_add(interval)).push(" group by 1");
        return statement;
    }
    let mut statement = Statement::new("select t.slot - t.slot % ");
    statement
        .bind(interval)
        .push(
            " as start, cast(sum(t.hits) as bigint) as hits, cast(sum(t.blocked) as bigint) as blocked from ",
        )
        .push("(select t.slot as slot, ")
        .push_hits("t", set)
        .push(" as hits, sum(t.blocked) as blocked ")
        .push("from attack_times t where t.slot >= ")
        .bind(*slots.start())
        .push(" and t.slot <= ")
        .bind(*slots.end())
        .push(" and ")
        .push_attack_set_of("t.attack_id", set)
        .push(" group by t.slot) t group by 1");
    statement
}

fn ms(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// The shortest interval in milliseconds with at most [`POINTS`] points.
fn interval(from: i64, to: i64) -> i64 {
    let span = to.saturating_sub(from);
    let fits = |interval: &i64| span / interval < POINTS;
    let longest = INTERVALS[INTERVALS.len() - 1] * 1000;
    // Longer ranges: a multiple of the longest interval.
    let multiple = longest * (span / longest / POINTS + 1);
    INTERVALS.into_iter().map(|seconds| seconds * 1000).find(fits).unwrap_or(multiple)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_has_a_bounded_number_of_points() {
        for hours in [0_i64, 1, 5, 24, 24 * 7, 24 * 365, 24 * 365 * 300] {
            let span = hours * 3_600_000;
            let points = span / interval(0, span) + 1;
            assert!((1..=60).contains(&points), "{hours} h: {points}");
        }
        assert_eq!(interval(0, 60_000), 5000);
        assert_eq!(interval(0, 3_600_000), BUCKET);
    }
}
