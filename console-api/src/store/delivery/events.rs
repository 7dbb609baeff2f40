//! Events about nodes, requests that were not inspected, coverage, and the ruleset. The change of a
//! row claims an event, so that several consoles notify once.

use crate::store::{
    Connection, Store, StoreError,
    delivery::deliveries::{self, NewDelivery},
};
use crate::{coverage::day, node_problem::UNREACHABLE, webhook::Event};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, slice};
use uuid::Uuid;

/// The pause between two events about requests that were not inspected.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// Versions of the ruleset that are reported at a time.
const VERSIONS: u32 = 20;

/// Counts a request that was not inspected.
pub(crate) async fn count_not_inspected(connection: &mut Connection) -> Result<(), StoreError> {
    sqlx::query(
        "insert into event_counts (kind, pending) values ('not_inspected', 1) \
         on conflict (kind) do update set pending = event_counts.pending + 1",
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// The events that no webhook was notified of, except those about coverage.
    pub async fn new_events(&self, now: Timestamp) -> Result<Vec<Event>, StoreError> {
        let seen_after = (now - UNREACHABLE).as_millisecond();
        let nodes: Vec<(String, i64, Option<i64>)> = sqlx::query_as(
            "select id, last_seen, unreachable_at from nodes where is_command = 0 and ((unreachable_at is null \
             and last_seen < $1) or (unreachable_at is not null and last_seen >= $1)) order by id",
        )
        .bind(seen_after)
        .fetch_all(&self.reader)
        .await?;
        let mut events = Vec::new();
        for (id, last_seen, unreachable_at) in nodes {
            let bad = |column| StoreError::bad_row("nodes", &id, column);
            let node: Uuid = id.parse().map_err(|_| bad("id"))?;
            let time = |at| Timestamp::from_millisecond(at).map_err(|_| bad("last_seen"));
            events.push(match unreachable_at {
                None => Event::NodeUnreachable { node, since: time(last_seen)? },
                Some(at) => Event::NodeRecovered { node, since: time(at)? },
            });
        }
        let not_inspected: Option<(i64,)> = sqlx::query_as(
            "select pending from event_counts where kind = 'not_inspected' and pending > 0 \
             and (notified_at is null or notified_at <= $1)",
        )
        .bind((now - PAUSE).as_millisecond())
        .fetch_optional(&self.reader)
        .await?;
        let requests = not_inspected.map(|(pending,)| u64::try_from(pending).unwrap_or_default());
        events.extend(requests.map(|requests| Event::NotInspected { requests }));
        let versions = self.new_versions(VERSIONS).await?.into_iter();
        events.extend(versions.map(|(version, kinds)| Event::RulesChanged { version, kinds }));
        Ok(events)
    }

    /// Queues the deliveries of an event, unless another console did.
    pub async fn queue_event(
        &self,
        event: &Event,
        deliveries: &[NewDelivery],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        if claim(&mut change, event, now).await? {
            // Webhooks that were deleted since they were read are not locked. The others are in the order
            // of their ids, as for attacks: two consoles never wait for each other.
            for delivery in deliveries {
                if deliveries::lock(&mut change, delivery.webhook).await? {
                    let one = slice::from_ref(delivery);
                    deliveries::queue(&mut change, delivery.webhook, one, now).await?;
                }
            }
            change.commit().await?;
        }
        Ok(())
    }
}

/// A distribution whose coverage is low causes no further event until half of the margin is regained.
const REGAINED: f64 = 0.5;

impl Store {
    /// The distributions whose coverage fell by `margin`, in percentage points, at most once in a
    /// day of UTC. Reads the rows of eight days.
    pub async fn coverage_events(&self, now: Timestamp, margin: u32) -> Result<Vec<Event>, StoreError> {
        let recent = self.recent_coverage(now).await?;
        if recent.is_empty() {
            return Ok(Vec::new());
        }
        let alerts: Vec<(String, String, i64)> =
            sqlx::query_as("select distribution, day, is_low from coverage_alerts")
                .fetch_all(&self.reader)
                .await?;
        let alerts: BTreeMap<_, _> = alerts.into_iter().map(|(name, day, low)| (name, (day, low))).collect();
        let (today, margin) = (day(now), f64::from(margin));
        let mut events = Vec::new();
        for (distribution, recent) in recent {
            match alerts.get(&distribution) {
                Some((_, 1..)) => {
                    if recent.has_today() && recent.fall(margin * REGAINED).is_none() {
                        sqlx::query("update coverage_alerts set is_low = 0 where distribution = $1")
                            .bind(distribution)
                            .execute(&self.writer)
                            .await?;
                    }
                }
                Some((day, _)) if *day >= today => {}
                _ => events.extend(recent.fall(margin).map(|fall| Event::CoverageFell {
                    distribution,
                    day: today.clone(),
                    fall,
                    requests: recent.today.requests,
                })),
            }
        }
        Ok(events)
    }
}

async fn claim(connection: &mut Connection, event: &Event, now: Timestamp) -> Result<bool, StoreError> {
    let now = now.as_millisecond();
    let update = match event {
        Event::NodeUnreachable { node, since } => sqlx::query(
            "update nodes set unreachable_at = $2 where id = $1 and unreachable_at is null and last_seen = $3",
        )
        .bind(node.to_string())
        .bind(now)
        .bind(since.as_millisecond()),
        Event::NodeRecovered { node, since } => {
            sqlx::query("update nodes set unreachable_at = null where id = $1 and unreachable_at = $2")
                .bind(node.to_string())
                .bind(since.as_millisecond())
        }
        Event::NotInspected { requests } => sqlx::query(
            "update event_counts set pending = pending - $1, notified_at = $2 where kind = 'not_inspected' \
             and pending >= $1 and (notified_at is null or notified_at <= $3)",
        )
        .bind(i64::try_from(*requests).unwrap_or(i64::MAX))
        .bind(now)
        .bind(now.saturating_sub(i64::try_from(PAUSE.as_millis()).unwrap_or(i64::MAX))),
        Event::CoverageFell { distribution, day, .. } => sqlx::query(
            "insert into coverage_alerts (distribution, day, is_low) values ($1, $2, 1) \
             on conflict (distribution) do update set day = excluded.day, is_low = 1 \
             where coverage_alerts.is_low = 0 and coverage_alerts.day < excluded.day",
        )
        .bind(distribution.clone())
        .bind(day.clone()),
        Event::RulesChanged { version, .. } => {
            sqlx::query("update ruleset set notified_version = $1 where notified_version < $1")
                .bind(i64::try_from(version.version).unwrap_or(i64::MAX))
        }
    };
    Ok(update.execute(connection).await?.rows_affected() > 0)
}
