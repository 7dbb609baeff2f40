//! Coverage: counts of nodes, added up by day, distribution and behavior.

use crate::coverage::{CoverageFilter, CoverageGroup, CoverageRow, CoverageShares, Recent, day};
use crate::paging::{Page, Slice};
use crate::store::{
    Connection, Store, StoreError,
    sql::{
        bulk::Query,
        row::{ReadRow, Row},
        statement::Statement,
    },
};
use jiff::{SignedDuration, Timestamp};
use shared::{CoverageCount, CoverageRecord, CoverageTotals};
use std::collections::BTreeMap;

/// Behaviors of a distribution on a day, and all rows of a day: nodes keep to fewer, each of them.
const MAX_BEHAVIORS: i64 = 400;
const MAX_ROWS: i64 = 20_000;

/// Adds counts once: those of a source come in the order of their sequence.
pub(crate) async fn record(
    connection: &mut Connection,
    record: &CoverageRecord,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let newer = sqlx::query(
        "insert into coverage_sources (source, sequence, last_at) values ($1, $2, $3) \
         on conflict (source) do update set sequence = excluded.sequence, last_at = excluded.last_at \
         where coverage_sources.sequence < excluded.sequence",
    )
    .bind(record.source.to_string())
    .bind(number(record.sequence))
    .bind(now.as_millisecond())
    .execute(&mut *connection)
    .await?;
    if newer.rows_affected() == 0 {
        return Ok(false);
    }
    let mut days = BTreeMap::new();
    for count in &record.counts {
        add(connection, count, &mut days).await?;
    }
    Ok(true)
}

const UPDATE: &str = "update coverage set requests = requests + $4, edge = edge + $5, bypassed = bypassed + $6, \
    fail_open = fail_open + $7, cached = cached + $8, answered = answered + $9, no_function = no_function + $10, \
    cache_hits = cache_hits + $11, log_attacks = log_attacks + $12 \
    where day = $1 and distribution = $2 and behavior = $3";

const INSERT: &str = "insert into coverage (day, distribution, behavior, requests, edge, bypassed, fail_open, cached, \
    answered, no_function, cache_hits, log_attacks) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
    on conflict (day, distribution, behavior) do update set requests = coverage.requests + excluded.requests, \
    edge = coverage.edge + excluded.edge, bypassed = coverage.bypassed + excluded.bypassed, \
    fail_open = coverage.fail_open + excluded.fail_open, cached = coverage.cached + excluded.cached, \
    answered = coverage.answered + excluded.answered, no_function = coverage.no_function + excluded.no_function, \
    cache_hits = coverage.cache_hits + excluded.cache_hits, \
    log_attacks = coverage.log_attacks + excluded.log_attacks";

/// Adds a count to its row. Only new rows count those of their day, once for each record: a day may
/// have `MAX_ROWS`.
async fn add(
    connection: &mut Connection,
    count: &CoverageCount,
    days: &mut BTreeMap<String, DayRows>,
) -> Result<(), StoreError> {
    let day = count.day.map_or_else(String::new, |day| day.to_string());
    let key: [&str; 3] = [&day, &count.distribution_id, &count.behavior];
    if write(connection, UPDATE, key, &count.totals).await? {
        return Ok(());
    }
    let mut rows = match days.remove(&day) {
        Some(rows) => rows,
        None => DayRows::read(connection, &day).await?,
    };
    let (distribution, behavior) = rows.add(count);
    write(connection, INSERT, [&day, distribution, behavior], &count.totals).await?;
    days.insert(day, rows);
    Ok(())
}

/// Whether the statement changed a row.
async fn write(
    connection: &mut Connection,
    statement: &'static str,
    key: [&str; 3],
    totals: &CoverageTotals,
) -> Result<bool, StoreError> {
    let query: Query = sqlx::query(statement);
    let query = key.into_iter().fold(query, |query, name| query.bind(name.to_owned()));
    let query = totals.all().into_iter().fold(query, |query, count| query.bind(number(count)));
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

/// The numbers of rows of a day: of all, and of each distribution.
struct DayRows {
    all: i64,
    by_distribution: BTreeMap<String, i64>,
}

impl DayRows {
    async fn read(connection: &mut Connection, day: &str) -> Result<Self, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select distribution, count(*) from coverage where day = $1 group by distribution",
        )
        .bind(day.to_owned())
        .fetch_all(connection)
        .await?;
        let by_distribution: BTreeMap<String, i64> = rows.into_iter().collect();
        Ok(Self { all: by_distribution.values().sum(), by_distribution })
    }

    /// The distribution and the behavior of a new row. Beyond the limits it is that of all others.
    fn add<'c>(&mut self, count: &'c CoverageCount) -> (&'c str, &'c str) {
        let (distribution, behavior) = (&*count.distribution_id, &*count.behavior);
        let behaviors = self.by_distribution.get(distribution).copied().unwrap_or_default();
        match (behaviors, self.all) {
            (..MAX_BEHAVIORS, ..MAX_ROWS) => {
                self.all += 1;
                *self.by_distribution.entry(distribution.to_owned()).or_default() += 1;
                (distribution, behavior)
            }
            (1.., _) => (distribution, CoverageRecord::OTHER),
            _ => (CoverageRecord::OTHER, CoverageRecord::OTHER),
        }
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn days_before(now: Timestamp, days: i64) -> String {
    day(now - SignedDuration::from_hours(24 * days))
}

impl ReadRow for CoverageTotals {
    const TABLE: &'static str = "coverage";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            requests: row.count("requests")?,
            edge: row.count("edge")?,
            bypassed: row.count("bypassed")?,
            fail_open: row.count("fail_open")?,
            cached: row.count("cached")?,
            answered: row.count("answered")?,
            no_function: row.count("no_function")?,
            cache_hits: row.count("cache_hits")?,
            log_attacks: row.count("log_attacks")?,
        })
    }
}

impl ReadRow for CoverageRow {
    const TABLE: &'static str = "coverage";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let totals = CoverageTotals::read(row)?;
        let day: Option<String> = row.get("day")?;
        Ok(Self {
            distribution: row.get("distribution")?,
            behavior: row.get("behavior")?,
            day: day.map(|day| if day.is_empty() { CoverageRecord::OTHER.to_owned() } else { day }),
            totals,
            shares: CoverageShares::of(&totals),
        })
    }
}

/// The sums of all selected rows; the columns of the group come before.
const SUMS: &str = "cast(coalesce(sum(requests), 0) as bigint) as requests, cast(coalesce(sum(edge), 0) as bigint) as edge, \
    cast(coalesce(sum(bypassed), 0) as bigint) as bypassed, cast(coalesce(sum(fail_open), 0) as bigint) as fail_open, \
    cast(coalesce(sum(cached), 0) as bigint) as cached, cast(coalesce(sum(answered), 0) as bigint) as answered, \
    cast(coalesce(sum(no_function), 0) as bigint) as no_function, \
    cast(coalesce(sum(cache_hits), 0) as bigint) as cache_hits, \
    cast(coalesce(sum(log_attacks), 0) as bigint) as log_attacks from coverage where ";

impl Statement {
    fn push_coverage_filter(&mut self, filter: &CoverageFilter) -> &mut Self {
        self.push("true");
        if let Some(distribution) = &filter.distribution {
            self.push(" and distribution = ").bind(distribution.as_str());
        }
        if let Some(day) = &filter.first_day {
            self.push(" and day >= ").bind(day.as_str());
        }
        if let Some(day) = &filter.last_day {
            self.push(" and day <= ").bind(day.as_str());
        }
        self
    }
}

impl Store {
    /// Rows of coverage, the latest day first.
    pub async fn coverage(
        &self,
        filter: &CoverageFilter,
        group: CoverageGroup,
        slice: &Slice,
    ) -> Result<Page<CoverageRow>, StoreError> {
        let (columns, by) = match group {
            CoverageGroup::None => ("day, distribution, behavior, ", " group by day, distribution, behavior"),
            CoverageGroup::Behavior => {
                ("cast(null as text) as day, distribution, behavior, ", " group by distribution, behavior")
            }
            CoverageGroup::Day => {
                ("day, distribution, cast(null as text) as behavior, ", " group by day, distribution")
            }
            CoverageGroup::Distribution => (
                "cast(null as text) as day, distribution, cast(null as text) as behavior, ",
                " group by distribution",
            ),
        };
        let mut statement = Statement::new("select * from (select ");
        statement.push(columns).push(SUMS).push_coverage_filter(filter).push(by).push(") g where true");
        let after = slice.bounds().and_then(|(_, id)| serde_json::from_str::<[String; 3]>(id).ok());
        if let Some([day, distribution, behavior]) = after {
            statement.push(" and (coalesce(day, '') < ").bind(day.as_str());
            statement.push(" or (coalesce(day, '') = ").bind(day);
            statement.push(" and (distribution > ").bind(distribution.as_str());
            statement.push(" or (distribution = ").bind(distribution);
            statement.push(" and coalesce(behavior, '') > ").bind(behavior).push("))))");
        }
        statement.push(" order by day desc, distribution, behavior limit ").bind(i64::from(slice.limit) + 1);
        statement.fetch_page(&self.reader, slice).await
    }

    /// The sum of all rows.
    pub async fn coverage_total(&self, filter: &CoverageFilter) -> Result<CoverageTotals, StoreError> {
        let mut statement = Statement::new("select ");
        statement.push(SUMS).push_coverage_filter(filter);
        Ok(statement.fetch_optional(&self.reader).await?.unwrap_or_default())
    }

    /// The distributions with coverage, in order.
    pub async fn covered_distributions(&self) -> Result<Vec<String>, StoreError> {
        let names = sqlx::query_as("select distinct distribution from coverage order by distribution");
        let names: Vec<(String,)> = names.fetch_all(&self.reader).await?;
        Ok(names.into_iter().map(|(name,)| name).collect())
    }

    /// The sums of each distribution: of the day to date, and of the seven days before.
    pub async fn recent_coverage(&self, now: Timestamp) -> Result<BTreeMap<String, Recent>, StoreError> {
        let today = day(now);
        let first_day = Some(days_before(now, 7));
        let filter = CoverageFilter { first_day, last_day: Some(today.clone()), distribution: None };
        let mut statement = Statement::new("select day, distribution, cast(null as text) as behavior, ");
        statement.push(SUMS).push_coverage_filter(&filter).push(" group by day, distribution");
        let mut recent: BTreeMap<String, Recent> = BTreeMap::new();
        for row in statement.fetch_all::<CoverageRow>(&self.reader).await? {
            let recent = recent.entry(row.distribution).or_default();
            let is_today = row.day.as_deref() == Some(today.as_str());
            *(if is_today { &mut recent.today } else { &mut recent.before }) += row.totals;
        }
        Ok(recent)
    }

    /// Whether a function sent requests of a behavior in the last seven days. `None`: the behavior
    /// has no row, e.g. because it is beyond the limits.
    pub async fn is_seen_by_functions(
        &self,
        distribution: &str,
        behavior: &str,
        now: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        let (edge,): (Option<i64>,) = sqlx::query_as(
            "select max(edge) from coverage where day >= $1 and distribution = $2 and behavior = $3",
        )
        .bind(days_before(now, 7))
        .bind(distribution.to_owned())
        .bind(behavior.to_owned())
        .fetch_one(&self.reader)
        .await?;
        Ok(edge.map(|edge| edge > 0))
    }

    /// Deletes days that are not kept, and sources that are gone for as long.
    pub async fn delete_old_coverage(&self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query("delete from coverage where day < $1 and day <> ''")
            .bind(days_before(now, CoverageRecord::DAYS))
            .execute(&self.writer)
            .await?;
        sqlx::query("delete from coverage_sources where last_at < $1")
            .bind((now - SignedDuration::from_hours(24 * CoverageRecord::DAYS)).as_millisecond())
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}
