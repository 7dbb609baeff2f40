//! Webhooks, and the attacks to match against them.

use crate::store::{
    Connection, Store, StoreError,
    change::{ChangeError, Stored},
    sql::{
        bulk::{Insert, Query, among},
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::json,
    },
};
use crate::{
    audit::{Author, ObjectKind},
    webhook::{Secret, Webhook, WebhookDraft},
};
use jiff::Timestamp;
use sqlx::FromRow;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A webhook with due deliveries.
#[derive(Debug)]
pub struct Due {
    pub webhook: Webhook,
    pub secret: Secret,
}

/// An attack that began or grew, and how often that was recorded.
#[derive(Debug, FromRow)]
pub struct Grown {
    attack_id: String,
    #[sqlx(rename = "times")]
    growth_count: i64,
}

impl ReadRow for Due {
    const TABLE: &'static str = "webhooks";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let webhook = Webhook {
            id: row.parse("id")?,
            revision: row.number("revision")?,
            created_at: row.time("created_at")?,
            updated_at: row.time("updated_at")?,
            draft: row.json("draft")?,
            dropped: row.count("dropped")?,
        };
        let secret = Secret::parse(&row.get::<String>("secret")?).ok_or_else(|| row.bad("secret"))?;
        Ok(Self { webhook, secret })
    }
}

impl ReadRow for Webhook {
    const TABLE: &'static str = "webhooks";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Due::read(row).map(|due| due.webhook)
    }
}

impl Stored for Webhook {
    const KIND: ObjectKind = ObjectKind::Webhook;
    const NAMES: (&'static str, &'static str) = ("webhook", "webhooks");
    const MAX: Option<i64> = Some(100);
    const SELECT: &'static str =
        "select id, revision, created_at, updated_at, draft, secret, dropped from webhooks";

    fn id(&self) -> Uuid {
        self.id
    }

    fn revision(&self) -> u32 {
        self.revision
    }
}

/// Records new and grown attacks in the transaction of their hits, if a webhook is enabled.
pub(crate) async fn record_growth(connection: &mut Connection, attacks: &[&str]) -> Result<(), StoreError> {
    let enabled = sqlx::query("select 1 from webhooks where enabled = 'yes' limit 1");
    if enabled.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(());
    }
    let insert = Insert {
        into: "insert into grown_attacks (attack_id, times)",
        columns: 2,
        after: "on conflict (attack_id) do update set times = grown_attacks.times + 1",
    };
    let bind = |query: Query, attack: &&str| query.bind((*attack).to_owned()).bind(1_i64);
    Ok(insert.rows(connection, attacks, bind).await?)
}

/// Removes attacks that did not grow again in the meantime.
pub(crate) async fn delete_grown(connection: &mut Connection, grown: &[Grown]) -> Result<(), StoreError> {
    for attack in grown {
        sqlx::query("delete from grown_attacks where attack_id = $1 and times = $2")
            .bind(attack.attack_id.clone())
            .bind(attack.growth_count)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

impl Store {
    /// A webhook with its secret.
    pub async fn webhook(&self, id: Uuid) -> Result<Option<Due>, StoreError> {
        let mut statement = Statement::new(Webhook::SELECT);
        statement.push(" where id = ").bind(id.to_string());
        statement.fetch_optional(&self.reader).await
    }

    pub async fn enabled_webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let mut statement = Statement::new(Webhook::SELECT);
        statement.push(" where enabled = 'yes' order by id");
        statement.fetch_all(&self.reader).await
    }

    /// Webhooks with due deliveries.
    pub async fn due_webhooks(&self, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        let mut statement = Statement::new(Webhook::SELECT);
        statement.push(
            " where enabled = 'yes' and exists (select 1 from webhook_deliveries d where d.webhook_id = webhooks.id \
             and d.state = 'pending' and d.next_at <= ",
        );
        statement.bind(now.as_millisecond()).push(") order by id");
        statement.fetch_all(&self.reader).await
    }

    pub async fn add_webhook(
        &self,
        draft: WebhookDraft,
        secret: &Secret,
        author: &Author,
    ) -> Result<Webhook, ChangeError> {
        let (id, at) = (Uuid::now_v7(), author.at);
        let webhook = Webhook { id, revision: 1, created_at: at, updated_at: at, draft, dropped: 0 };
        let insert = sqlx::query(
            "insert into webhooks (id, revision, created_at, updated_at, draft, enabled, secret, dropped) \
             values ($1, $2, $3, $3, $4, $5, $6, 0)",
        )
        .bind(id.to_string())
        .bind(i64::from(webhook.revision))
        .bind(at.as_millisecond())
        .bind(json(&webhook.draft))
        .bind(enabled(&webhook))
        .bind(secret.reveal());
        self.begin_change(author).await?.add(webhook, insert).await
    }

    /// Replaces a webhook that still has this revision.
    pub async fn replace_webhook(
        &self,
        known: (Uuid, u32),
        draft: WebhookDraft,
        author: &Author,
    ) -> Result<Webhook, ChangeError> {
        let mut change = self.begin_change(author).await?;
        let before: Webhook = change.current(known).await?;
        let after = Webhook { revision: before.revision + 1, updated_at: author.at, draft, ..before.clone() };
        let update = sqlx::query(
            "update webhooks set revision = $2, updated_at = $3, draft = $4, enabled = $5 where id = $1",
        )
        .bind(after.id.to_string())
        .bind(i64::from(after.revision))
        .bind(after.updated_at.as_millisecond())
        .bind(json(&after.draft))
        .bind(enabled(&after));
        change.replace(&before, after, update).await
    }

    /// Deletes a webhook with its deliveries, if it still has this revision.
    pub async fn delete_webhook(&self, known: (Uuid, u32), author: &Author) -> Result<(), ChangeError> {
        let mut change = self.begin_change(author).await?;
        let webhook: Webhook = change.current(known).await?;
        change.delete(&webhook).await
    }

    /// Attacks to match against webhooks, up to a limit.
    pub async fn grown_attacks(&self, limit: u32) -> Result<Vec<Grown>, StoreError> {
        let rows = sqlx::query_as("select attack_id, times from grown_attacks order by attack_id limit $1");
        Ok(rows.bind(i64::from(limit)).fetch_all(&self.reader).await?)
    }

    /// The ids of the attacks that a webhook was not notified of.
    pub async fn not_notified(&self, webhook: Uuid, grown: &[Grown]) -> Result<Vec<String>, StoreError> {
        let ids: Vec<String> = grown.iter().map(|attack| attack.attack_id.clone()).collect();
        let query = "select attack_id from webhook_deliveries where webhook_id = $2 and attack_id";
        let notified: Vec<(String,)> =
            among(self.dialect, query, &ids).bind(webhook.to_string()).fetch_all(&self.reader).await?;
        let notified: BTreeSet<String> = notified.into_iter().map(|(id,)| id).collect();
        Ok(ids.into_iter().filter(|id| !notified.contains(id)).collect())
    }
}

fn enabled(webhook: &Webhook) -> &'static str {
    if webhook.draft.enabled { "yes" } else { "no" }
}
