//! Attempts of webhook deliveries: due deliveries, claims within the rate limit, and results.

use crate::store::{
    Connection, Store, StoreError,
    delivery::deliveries::{self, COLUMNS},
    sql::{
        row::{ReadRow, Row},
        text_codec::Text,
    },
};
use crate::webhook::{DeliveryState, Webhook, WebhookDelivery};
use jiff::{SignedDuration, Timestamp};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// An attempt without a result after this time is repeated.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);

/// The result of claiming a delivery.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The number of the attempt that starts.
    Attempt(u32),
    /// Another process started the attempt, or the delivery was deleted.
    NotDue,
    /// The rate limit of the webhook is reached for this minute.
    LimitReached,
}

/// The result of an attempt.
#[derive(Debug)]
pub struct AttemptResult {
    pub status: Option<u16>,
    /// `None`: delivered.
    pub error: Option<String>,
}

/// A delivery and its body.
impl ReadRow for (WebhookDelivery, String) {
    const TABLE: &'static str = WebhookDelivery::TABLE;

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok((WebhookDelivery::read(row)?, row.text("body")?))
    }
}

impl Store {
    /// Due deliveries with their bodies, the longest due first.
    pub async fn due_deliveries(
        &self,
        webhook: Uuid,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(WebhookDelivery, String)>, StoreError> {
        let mut statement = deliveries::select();
        statement.push("webhook_id = ").bind(webhook.to_string());
        statement.push(" and state = 'pending' and next_at <= ").bind(now.as_millisecond());
        statement.push(" order by next_at, id limit ").bind(i64::from(limit));
        statement.fetch_all(&self.reader).await
    }

    /// Starts an attempt. The delivery is claimed and the message counted in one transaction: a
    /// claim that fails takes no message of the rate limit. The webhook is locked first, as its
    /// deletion locks it before its deliveries: the reverse order is a deadlock.
    pub async fn claim_delivery(
        &self,
        (webhook, delivery): (&Webhook, &WebhookDelivery),
        now: Timestamp,
    ) -> Result<Claim, StoreError> {
        let attempt = delivery.attempts + 1;
        let mut change = self.begin_write().await?;
        if !deliveries::lock(&mut change, webhook.id).await? {
            return Ok(Claim::NotDue);
        }
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
            return Ok(Claim::NotDue);
        }
        if let Some(limit) = webhook.draft.rate_limit
            && !permit_message(&mut change, webhook.id, limit, now).await?
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

    /// Stores a test delivery that is being sent; an interrupted test is not repeated. `None`: the
    /// webhook was deleted.
    pub async fn begin_test(
        &self,
        webhook: Uuid,
        body: &str,
        now: Timestamp,
    ) -> Result<Option<Uuid>, StoreError> {
        let id = Uuid::now_v7();
        let mut change = self.begin_write().await?;
        if !deliveries::lock(&mut change, webhook).await? {
            return Ok(None);
        }
        sqlx::query(
            "insert into webhook_deliveries (id, webhook_id, created_at, state, attempts, error, body) \
             values ($1, $2, $3, 'dead', 1, 'the console ended', $4)",
        )
        .bind(id.to_string())
        .bind(webhook.to_string())
        .bind(now.as_millisecond())
        .bind(Text::from(body))
        .execute(&mut *change)
        .await?;
        change.commit().await?;
        Ok(Some(id))
    }
}

/// Permits a message in this minute, unless the limit is reached. Holds for all consoles of the
/// database and across restarts.
async fn permit_message(
    connection: &mut Connection,
    webhook: Uuid,
    limit: u32,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let permitted = sqlx::query(
        "update webhooks set sent = case when sent_minute = $2 then sent + 1 else 1 end, sent_minute = $2 \
         where id = $1 and (sent_minute <> $2 or sent < $3)",
    )
    .bind(webhook.to_string())
    .bind(now.as_second().div_euclid(60))
    .bind(i64::from(limit))
    .execute(connection)
    .await?;
    Ok(permitted.rows_affected() > 0)
}
