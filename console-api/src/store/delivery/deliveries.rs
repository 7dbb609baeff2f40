//! Webhook deliveries: the queue, in which an attack is once, alone or in a digest.

use crate::store::{
    Connection, Store, StoreError,
    delivery::{
        digests::{self, Collected},
        webhooks::{self, Grown},
    },
    sql::{
        bulk::among,
        dialect::Dialect,
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::{Text, count},
    },
};
use crate::{
    paging::{Page, Slice},
    webhook::{DeliveryState, WebhookDelivery},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Maximum number of pending deliveries of a webhook. Further ones are counted and dropped.
pub(super) const MAX_PENDING: i64 = 10_000;

/// A delivery to queue.
#[derive(Debug)]
pub struct NewDelivery {
    pub webhook: Uuid,
    pub about: About,
    pub body: String,
}

/// What a delivery reports.
#[derive(Debug)]
pub enum About {
    Attack(Uuid),
    /// The type of another event.
    Event(&'static str),
}

/// Numbers of pending and dead deliveries.
pub type DeliveryCounts = BTreeMap<DeliveryState, u64>;

impl ReadRow for WebhookDelivery {
    const TABLE: &'static str = "webhook_deliveries";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            attack_id: row.optional("attack_id", Row::parse)?,
            event: row.get("event")?,
            created_at: row.time("created_at")?,
            state: row.word("state")?,
            attempts: row.number("attempts")?,
            next_at: row.optional("next_at", Row::time)?,
            status: row.optional("status", Row::number)?,
            error: row.optional("error", Row::text)?,
        })
    }
}

pub(super) const COLUMNS: &str =
    "id, attack_id, event, created_at, state, attempts, next_at, status, error, body";

/// A query of deliveries. The conditions follow.
pub(super) fn select() -> Statement {
    let mut statement = Statement::new("select ");
    statement.push(COLUMNS).push(" from webhook_deliveries where ");
    statement
}

impl Store {
    /// The deliveries of a webhook, the newest first.
    pub async fn deliveries(
        &self,
        webhook: Uuid,
        state: Option<DeliveryState>,
        slice: &Slice,
    ) -> Result<Page<WebhookDelivery>, StoreError> {
        let mut statement = select();
        statement.push("webhook_id = ").bind(webhook.to_string());
        if let Some(state) = state {
            statement.push(" and state = ").bind(state.as_str());
        }
        statement.push(" and ").push_newest(slice);
        statement.fetch_page(&self.reader, slice).await
    }

    /// Queues deliveries, stores attacks for digests, and removes the attacks that were matched.
    ///
    /// Another console may have matched the same attacks since they were read. Each webhook is locked
    /// before its attacks are checked again: an attack has a delivery or is in a digest, never both.
    pub async fn queue_deliveries(
        &self,
        (deliveries, collected): (Vec<NewDelivery>, Vec<Collected>),
        grown: &[Grown],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut by_webhook: BTreeMap<Uuid, (Vec<NewDelivery>, Vec<Collected>)> = BTreeMap::new();
        for delivery in deliveries {
            by_webhook.entry(delivery.webhook).or_default().0.push(delivery);
        }
        for attack in collected {
            by_webhook.entry(attack.webhook).or_default().1.push(attack);
        }
        let ids: Vec<String> = grown.iter().map(|attack| attack.id().to_owned()).collect();
        let mut change = self.begin_write().await?;
        // In the order of their ids: two consoles never wait for each other.
        for (webhook, (mut deliveries, mut collected)) in by_webhook {
            if !lock(&mut change, webhook).await? {
                continue;
            }
            let notified = notified(&mut change, webhook, &ids).await?;
            deliveries.retain(|delivery| match delivery.about {
                About::Attack(attack) => !notified.contains(&attack.to_string()),
                About::Event(_) => true,
            });
            collected.retain(|attack| !notified.contains(&attack.attack.to_string()));
            queue(&mut change, webhook, &deliveries, now).await?;
            digests::collect(&mut change, &collected, now).await?;
        }
        webhooks::delete_grown(&mut change, grown).await?;
        Ok(change.commit().await?)
    }

    /// Makes dead deliveries of a webhook due again, one or all, and returns their number. The
    /// webhook is locked first, as by its deletion.
    pub async fn revive_deliveries(
        &self,
        webhook: Uuid,
        one: Option<Uuid>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut change = self.begin_write().await?;
        if !lock(&mut change, webhook).await? {
            return Ok(0);
        }
        let revived = sqlx::query(
            "update webhook_deliveries set state = 'pending', attempts = 0, next_at = $3 \
             where webhook_id = $1 and state = 'dead' and ($2 is null or id = $2)",
        )
        .bind(webhook.to_string())
        .bind(one.map(|id| id.to_string()))
        .bind(now.as_millisecond())
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(revived.rows_affected())
    }

    pub async fn delivery_counts(&self) -> Result<DeliveryCounts, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select state, count(*) from webhook_deliveries where state in ('pending', 'dead') group by state",
        )
        .fetch_all(&self.reader)
        .await?;
        let known = |(state, n): (String, i64)| Some((DeliveryState::parse(&state)?, count(n)));
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// Deletes delivered and dead deliveries and attacks of digests before a time, except ongoing
    /// attacks, which would be delivered again. All webhooks are locked first, as by their deletion.
    pub async fn delete_deliveries(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut change = self.begin_write().await?;
        let mut webhooks = Statement::new("select 1 from webhooks order by id");
        webhooks.push(Dialect::of(&change).lock_row());
        webhooks.fetch_rows(&mut *change).await?;
        sqlx::query(
            "delete from webhook_deliveries where created_at < $1 and state <> 'pending' and not exists \
             (select 1 from attacks a where a.id = webhook_deliveries.attack_id and a.last_seen >= $1)",
        )
        .bind(before.as_millisecond())
        .execute(&mut *change)
        .await?;
        digests::delete(&mut change, before).await?;
        Ok(change.commit().await?)
    }
}

/// The number of pending deliveries of a webhook.
pub(super) async fn pending(connection: &mut Connection, webhook: Uuid) -> Result<i64, StoreError> {
    let pending = "select count(*) from webhook_deliveries where webhook_id = $1 and state = 'pending'";
    let (pending,): (i64,) = sqlx::query_as(pending).bind(webhook.to_string()).fetch_one(connection).await?;
    Ok(pending)
}

/// Queues deliveries of a webhook, which is locked. Those that it has no room for are counted.
pub(super) async fn queue(
    connection: &mut Connection,
    webhook: Uuid,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> Result<(), StoreError> {
    let pending = pending(connection, webhook).await?;
    let room = usize::try_from(MAX_PENDING - pending).unwrap_or_default();
    let (queued, dropped) = deliveries.split_at(room.min(deliveries.len()));
    for delivery in queued {
        insert(connection, Uuid::now_v7(), delivery, now).await?;
    }
    if !dropped.is_empty() {
        sqlx::query("update webhooks set dropped = dropped + $2 where id = $1")
            .bind(webhook.to_string())
            .bind(i64::try_from(dropped.len()).unwrap_or(i64::MAX))
            .execute(connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn insert(
    connection: &mut Connection,
    id: Uuid,
    delivery: &NewDelivery,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (attack, event) = match delivery.about {
        About::Attack(attack) => (Some(attack.to_string()), None),
        About::Event(event) => (None, Some(event)),
    };
    sqlx::query(
        "insert into webhook_deliveries (id, webhook_id, attack_id, event, created_at, state, attempts, next_at, body) \
         values ($1, $2, $3, $4, $5, 'pending', 0, $5, $6) on conflict (webhook_id, attack_id) do nothing",
    )
    .bind(id.to_string())
    .bind(delivery.webhook.to_string())
    .bind(attack)
    .bind(event)
    .bind(now.as_millisecond())
    .bind(Text::from(delivery.body.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of the attacks that have a delivery of their own to a webhook, or wait for its digest.
pub(super) async fn notified(
    connection: &mut Connection,
    webhook: Uuid,
    attacks: &[String],
) -> Result<BTreeSet<String>, StoreError> {
    let dialect = Dialect::of(connection);
    let mut notified = BTreeSet::new();
    for query in [
        "select attack_id from webhook_deliveries where webhook_id = $2 and attack_id",
        "select attack_id from digest_attacks where webhook_id = $2 and attack_id",
    ] {
        let rows: Vec<(String,)> =
            among(dialect, query, attacks).bind(webhook.to_string()).fetch_all(&mut *connection).await?;
        notified.extend(rows.into_iter().map(|(id,)| id));
    }
    Ok(notified)
}

/// Locks a webhook until the end of the transaction, so that other consoles queue nothing for it
/// meanwhile. `false`: it was deleted.
pub(super) async fn lock(connection: &mut Connection, webhook: Uuid) -> Result<bool, StoreError> {
    let mut statement = Statement::new("select 1 from webhooks where id = ");
    statement.bind(webhook.to_string()).push(Dialect::of(connection).lock_row());
    Ok(!statement.fetch_rows(connection).await?.is_empty())
}
