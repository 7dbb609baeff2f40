//! Hits by rule or list entry and hour, so that lists of rules do not read hits. The number of rows
//! depends on the rules, not on the hits.

use crate::store::{
    Connection, Store, StoreError,
    ingest::grouping::NewHit,
    sql::bulk::{Insert, Query},
};
use jiff::{SignedDuration, Timestamp};
use shared::{Decision, Finding, RequestId};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The slot of all hits.
pub(crate) const ALL: i64 = 0;
const HOUR: i64 = 3_600_000;
/// How long hours are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(31 * 24);
/// The start of the signature of a detector, before the id of its rule.
const DETECTOR: &str = "rule-";
/// The same of the source of a mode.
const MODE: &str = "rule:";

/// The start of the hour of a time.
pub(crate) fn slot(at: i64) -> i64 {
    at - at.rem_euclid(HOUR)
}

/// The rules and list entries that a decision depends on.
fn of_decision(decision: &Decision) -> impl Iterator<Item = String> {
    let by = &decision.decided_by;
    let rules = by.rule.iter().chain(&by.silenced_by).map(|rule| rule.id);
    let mode = decision.mode_source.strip_prefix(MODE).and_then(|id| id.parse().ok());
    rules.chain(by.list.map(|list| list.id)).chain(mode).map(|id: Uuid| id.to_string())
}

/// The detectors of findings.
fn of_findings(findings: &[Finding]) -> impl Iterator<Item = String> {
    let ids = findings.iter().filter_map(|finding| finding.signature.strip_prefix(DETECTOR));
    ids.filter_map(|id| id.parse().ok()).map(|id: Uuid| id.to_string())
}

#[derive(Default, Clone, Copy)]
struct Count {
    hits: i64,
    last_at: i64,
}

/// Counts new hits.
pub(crate) async fn add(connection: &mut Connection, hits: &[(&str, &NewHit<'_>)]) -> Result<(), StoreError> {
    let mut counts: BTreeMap<(String, i64), Count> = BTreeMap::new();
    for (_, new) in hits {
        let rules: BTreeSet<String> =
            of_decision(new.decision).chain(of_findings(&new.hit.findings)).collect();
        for rule in rules {
            for slot in [ALL, slot(new.at())] {
                let count = counts.entry((rule.clone(), slot)).or_default();
                (count.hits, count.last_at) = (count.hits + 1, count.last_at.max(new.at()));
            }
        }
    }
    insert(connection, &counts.into_iter().collect::<Vec<_>>()).await
}

async fn insert(connection: &mut Connection, counts: &[((String, i64), Count)]) -> Result<(), StoreError> {
    let insert = Insert {
        into: "insert into rule_hits (rule, slot, hits, last_at)",
        columns: 4,
        after: "on conflict (rule, slot) do update set hits = rule_hits.hits + excluded.hits, \
                last_at = case when excluded.last_at > rule_hits.last_at then excluded.last_at \
                else rule_hits.last_at end",
    };
    let bind = |query: Query, ((rule, slot), count): &((String, i64), Count)| {
        query.bind(rule.clone()).bind(*slot).bind(count.hits).bind(count.last_at)
    };
    Ok(insert.rows(connection, counts, bind).await?)
}

/// Counts the hits of a request for another decision.
pub(crate) async fn change(
    connection: &mut Connection,
    id: RequestId,
    old: &Decision,
    new: &Decision,
) -> Result<(), StoreError> {
    let [old, new] = [old, new].map(|decision| of_decision(decision).collect::<BTreeSet<_>>());
    if old == new {
        return Ok(());
    }
    let hits = "select count(*), coalesce(max(at), 0) from hits where request_id = $1";
    let (hits, at): (i64, i64) =
        sqlx::query_as(hits).bind(id.to_string()).fetch_one(&mut *connection).await?;
    let changed = |rules: BTreeSet<String>, hits| {
        let slots = move |rule: String| {
            [ALL, slot(at)].map(|slot| ((rule.clone(), slot), Count { hits, last_at: at }))
        };
        rules.into_iter().flat_map(slots)
    };
    let counts = changed(&old - &new, -hits).chain(changed(&new - &old, hits));
    insert(connection, &counts.collect::<Vec<_>>()).await
}

impl Store {
    /// Deletes hours that no statistics cover, and the totals of rules and entries that do not exist:
    /// deleted ones, and those that nodes made for a time.
    pub async fn delete_rule_hours(&self, now: Timestamp) -> Result<(), StoreError> {
        let before = (now - KEPT).as_millisecond();
        for statement in [
            "delete from rule_hits where slot > $1 and slot < $2",
            "delete from rule_hits where slot = $1 and last_at < $2 and not exists \
             (select 1 from rules r where r.id = rule) and not exists (select 1 from list_entries l where l.id = rule)",
        ] {
            sqlx::query(statement).bind(ALL).bind(before).execute(&self.writer).await?;
        }
        Ok(())
    }
}
