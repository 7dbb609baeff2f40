//! Webhook deliveries: queue, attempts and results.

use crate::store::{
    Connection, Store, StoreError,
    delivery::{
        digests::{self, Collected},
        webhooks::{self, Grown},
    },
    sql::{
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::{Text, count},
    },
};
use crate::{
    paging::{Page, Slice},
    webhook::{DeliveryState, Webhook, WebhookDelivery},
};
use jiff::{SignedDuration, Timestamp};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Maximum number of pending deliveries of a webhook. Further ones are counted and dropped.
pub(super) const MAX_PENDING: i64 = 10_000;
/// An attempt without a result after this time is repeated.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);

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

/// The result of claiming a delivery.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The number of the attempt that starts.
    Attempt(u32),
    /// Another process started it, or it is not due.
    Taken,
    /// The rate limit of the webhook is reached for this minute.
    LimitReached,
}

/// Numbers of pending and dead deliveries.
pub type DeliveryCounts = BTreeMap<DeliveryState, u64>;

/// The result of an attempt.
#[derive(Debug)]
pub struct AttemptResult {
    pub status: Option<u16>,
    /// `None`: delivered.
    pub error: Option<String>,
}

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

/// A delivery and its body.
impl ReadRow for (WebhookDelivery, String) {
    const TABLE: &'static str = WebhookDelivery::TABLE;

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok((WebhookDelivery::read(row)?, row.text("body")?))
    }
}

const COLUMNS: &str = "id, attack_id, event, created_at, state, attempts, next_at, status, error, body";

/// A query of deliveries. The conditions follow.
fn select() -> Statement {
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
            if !webhooks::lock(&mut change, webhook).await? {
                continue;
            }
            let notified = webhooks::notified(&mut change, webhook, &ids).await?;
            deliveries.retain(|delivery| match delivery.about {
                About::Attack(attack) => !notified.contains(&attack.to_string()),
                About::Event(_) => true,
            });
            collected.retain(|attack| !notified.contains(&attack.attack.to_string()));
            queue(&mut change, &deliveries, now).await?;
            digests::collect(&mut change, &collected, now).await?;
        }
        webhooks::delete_grown(&mut change, grown).await?;
        Ok(change.commit().await?)
    }

    /// Due deliveries with their bodies, the longest due first.
    pub async fn due_deliveries(
        &self,
        webhook: Uuid,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(WebhookDelivery, String)>, StoreError> {
        let mut statement = select();
        statement.push("webhook_id = ").bind(webhook.to_string());
        statement.push(" and state = 'pending' and next_at <= ").bind(now.as_millisecond());
        statement.push(" order by next_at, id limit ").bind(i64::from(limit));
        statement.fetch_all(&self.reader).await
    }

    /// Starts an attempt. The delivery is claimed and the message counted in one transaction: a claim
    /// that fails takes no message of the rate limit.
    pub async fn claim_delivery(
        &self,
        (webhook, delivery): (&Webhook, &WebhookDelivery),
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let attempt = delivery.attempts + 1;
        let mut change = self.begin_write().await?;
        let claimed = sqlx::query(
            "update webhook_deliveries set attempts = $3, next_at = $4 \
             where id = $1 and attempts = $2 and state = 'pending' and next_at <= $5",
        )
        .bind(delivery.id.to_string())
        .bind(i64::from(delivery.attempts))
        .bind(i64::from(attempt))
        .bind((now + CLAIM).as_millisecond())
        .bind(now.as_millisecond())
        .execute(&mut *change)
        .await?;
        if claimed.rows_affected() == 0 {
            return Ok(Claim::Taken);
        }
        if let Some(limit) = webhook.draft.rate_limit
            && !digests::permit_message(&mut change, webhook.id, limit, now).await?
        {
            return Ok(Claim::LimitReached);
        }
        change.commit().await?;
        Ok(Claim::Attempt(attempt))
    }

    /// Stores the result of an attempt. A failed delivery is due again at `next`; without it, it is
    /// dead. `None`: the delivery was deleted, or a later attempt replaced this one, whose result
    /// holds.
    pub async fn settle_delivery(
        &self,
        (id, attempt): (Uuid, u32),
        outcome: &AttemptResult,
        next: Option<Timestamp>,
    ) -> Result<Option<WebhookDelivery>, StoreError> {
        let state = match (&outcome.error, next) {
            (None, _) => DeliveryState::Delivered,
            (Some(_), Some(_)) => DeliveryState::Pending,
            (Some(_), None) => DeliveryState::Dead,
        };
        let next = next.filter(|_| state == DeliveryState::Pending);
        let update = format!(
            "update webhook_deliveries set state = $2, next_at = $3, status = $4, error = $5 \
             where id = $1 and attempts = $6 returning {COLUMNS}"
        );
        let row = sqlx::query(AssertSqlSafe(update))
            .bind(id.to_string())
            .bind(state.as_str())
            .bind(next.map(Timestamp::as_millisecond))
            .bind(outcome.status.map(i64::from))
            .bind(outcome.error.as_deref().map(Text::from))
            .bind(i64::from(attempt))
            .fetch_optional(&self.writer)
            .await?;
        row.map(|row| WebhookDelivery::read(&Row { table: WebhookDelivery::TABLE, row: &row })).transpose()
    }

    /// Stores a test delivery that is being sent; an interrupted test is not repeated.
    pub async fn begin_test(&self, webhook: Uuid, body: &str, now: Timestamp) -> Result<Uuid, StoreError> {
        let id = Uuid::now_v7();
        sqlx::query(
            "insert into webhook_deliveries (id, webhook_id, created_at, state, attempts, error, body) \
             values ($1, $2, $3, 'dead', 1, 'the console ended', $4)",
        )
        .bind(id.to_string())
        .bind(webhook.to_string())
        .bind(now.as_millisecond())
        .bind(Text::from(body))
        .execute(&self.writer)
        .await?;
        Ok(id)
    }

    /// Makes dead deliveries of a webhook due again, one or all, and returns their number.
    pub async fn revive_deliveries(
        &self,
        webhook: Uuid,
        one: Option<Uuid>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let revived = sqlx::query(
            "update webhook_deliveries set state = 'pending', attempts = 0, next_at = $3 \
             where webhook_id = $1 and state = 'dead' and ($2 is null or id = $2)",
        )
        .bind(webhook.to_string())
        .bind(one.map(|id| id.to_string()))
        .bind(now.as_millisecond())
        .execute(&self.writer)
        .await?;
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
    /// attacks, which would be delivered again.
    pub async fn delete_deliveries(&self, before: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "delete from webhook_deliveries where created_at < $1 and state <> 'pending' and not exists \
             (select 1 from attacks a where a.id = webhook_deliveries.attack_id and a.last_seen >= $1)",
        )
        .bind(before.as_millisecond())
        .execute(&self.writer)
        .await?;
        digests::delete(&mut *self.writer.acquire().await?, before).await
    }
}

/// The number of pending deliveries of a webhook.
pub(super) async fn pending(connection: &mut Connection, webhook: Uuid) -> Result<i64, StoreError> {
    let pending = "select count(*) from webhook_deliveries where webhook_id = $1 and state = 'pending'";
    let (pending,): (i64,) = sqlx::query_as(pending).bind(webhook.to_string()).fetch_one(connection).await?;
    Ok(pending)
}

/// Queues deliveries. Those that a webhook has no room for are counted.
pub(crate) async fn queue(
    connection: &mut Connection,
    deliveries: &[NewDelivery],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut by_webhook: BTreeMap<Uuid, Vec<&NewDelivery>> = BTreeMap::new();
    for delivery in deliveries {
        by_webhook.entry(delivery.webhook).or_default().push(delivery);
    }
    for (webhook, mut deliveries) in by_webhook {
        let pending = pending(connection, webhook).await?;
        let room = usize::try_from(MAX_PENDING - pending).unwrap_or_default();
        let dropped = deliveries.split_off(room.min(deliveries.len())).len();
        for delivery in deliveries {
            insert(connection, Uuid::now_v7(), delivery, now).await?;
        }
        if dropped > 0 {
            sqlx::query("update webhooks set dropped = dropped + $2 where id = $1")
                .bind(webhook.to_string())
                .bind(i64::try_from(dropped).unwrap_or(i64::MAX))
                .execute(&mut *connection)
                .await?;
        }
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
