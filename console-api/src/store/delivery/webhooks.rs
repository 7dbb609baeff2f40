//! Webhooks, and the attacks to match against them.

use crate::store::{
    Change, Connection, Store, StoreError,
    access::audit,
    sql::{
        bulk::{Insert, Query, among},
        statement::Statement,
        text_codec::{Columns, Text, count, json},
    },
};
use crate::{
    audit::{Author, Deed, Kind},
    paging::{Page, Slice},
    webhook::{Secret, Webhook, WebhookDraft},
};
use jiff::Timestamp;
use sqlx::FromRow;
use std::collections::BTreeSet;
use uuid::Uuid;

const MAX_WEBHOOKS: i64 = 100;

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
    times: i64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    revision: i64,
    created_at: i64,
    updated_at: i64,
    draft: Text,
    secret: String,
    dropped: i64,
}

impl TryFrom<Row> for Due {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "webhooks", id: &row.id };
        let webhook = Webhook {
            id: columns.parse("id", &row.id)?,
            revision: u32::try_from(row.revision).map_err(|_| columns.bad("revision"))?,
            created_at: columns.time("created_at", row.created_at)?,
            updated_at: columns.time("updated_at", row.updated_at)?,
            draft: columns.json("draft", &String::from(row.draft))?,
            dropped: count(row.dropped),
        };
        let secret = Secret::parse(&row.secret).ok_or_else(|| columns.bad("secret"))?;
        Ok(Self { webhook, secret })
    }
}

impl TryFrom<Row> for Webhook {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Due::try_from(row).map(|due| due.webhook)
    }
}

/// A query of webhooks: the columns of [`Row`], and the rest of the statement.
macro_rules! webhooks {
    ($rest:literal) => {
        concat!("select id, revision, created_at, updated_at, draft, secret, dropped from webhooks ", $rest)
    };
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
pub(crate) async fn forget(connection: &mut Connection, grown: &[Grown]) -> Result<(), StoreError> {
    for attack in grown {
        sqlx::query("delete from grown_attacks where attack_id = $1 and times = $2")
            .bind(attack.attack_id.clone())
            .bind(attack.times)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

impl Store {
    /// The newest first.
    pub async fn webhooks(&self, slice: &Slice) -> Result<Page<Webhook>, StoreError> {
        let mut statement = Statement::new(webhooks!("where "));
        statement.push_newest(slice);
        statement.fetch_page::<Row, _>(&self.reader, slice).await
    }

    /// A webhook with its secret.
    pub async fn webhook(&self, id: Uuid) -> Result<Option<Due>, StoreError> {
        webhook(&mut *self.reader.acquire().await?, id).await
    }

    pub async fn enabled_webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let rows: Vec<Row> =
            sqlx::query_as(webhooks!("where enabled = 'yes' order by id")).fetch_all(&self.reader).await?;
        rows.into_iter().map(Webhook::try_from).collect()
    }

    /// Webhooks with due deliveries.
    pub async fn due_webhooks(&self, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(webhooks!(
            "where enabled = 'yes' and exists (select 1 from webhook_deliveries d where d.webhook_id = webhooks.id \
             and d.state = 'pending' and d.next_at <= $1) order by id"
        ))
        .bind(now.as_millisecond())
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter().map(Due::try_from).collect()
    }

    pub async fn add_webhook(
        &self,
        draft: WebhookDraft,
        secret: &Secret,
        author: &Author,
    ) -> Result<Change<Webhook>, StoreError> {
        let mut change = self.writer.begin().await?;
        let (existing,): (i64,) =
            sqlx::query_as("select count(*) from webhooks").fetch_one(&mut *change).await?;
        if existing >= MAX_WEBHOOKS {
            return Ok(Change::Full(MAX_WEBHOOKS));
        }
        let (id, at) = (Uuid::now_v7(), author.at);
        let webhook = Webhook { id, revision: 1, created_at: at, updated_at: at, draft, dropped: 0 };
        sqlx::query(
            "insert into webhooks (id, revision, created_at, updated_at, draft, enabled, secret, dropped) \
             values ($1, $2, $3, $4, $5, $6, $7, 0)",
        )
        .bind(id.to_string())
        .bind(i64::from(webhook.revision))
        .bind(at.as_millisecond())
        .bind(at.as_millisecond())
        .bind(Text::from(json(&webhook.draft).as_str()))
        .bind(enabled(&webhook))
        .bind(secret.reveal())
        .execute(&mut *change)
        .await?;
        audit::record(&mut change, author, &Deed::created(Kind::Webhook, &id, &webhook)).await?;
        change.commit().await?;
        Ok(Change::Made(webhook))
    }

    /// Replaces a webhook, or deletes it with its deliveries, if it still has this revision.
    pub async fn change_webhook(
        &self,
        id: Uuid,
        revision: u32,
        draft: Option<WebhookDraft>,
        author: &Author,
    ) -> Result<Change<Webhook>, StoreError> {
        let mut change = self.begin_ingest().await?;
        let Some(Due { webhook: before, .. }) = webhook(&mut change, id).await? else {
            return Ok(Change::Unknown);
        };
        if before.revision != revision {
            return Ok(Change::Stale(before.revision));
        }
        let (deed, webhook) = if let Some(draft) = draft {
            let after = Webhook { revision: revision + 1, updated_at: author.at, draft, ..before.clone() };
            update(&mut change, &after).await?;
            (Deed::changed(Kind::Webhook, &id, &before, &after), after)
        } else {
            sqlx::query("delete from webhooks where id = $1")
                .bind(id.to_string())
                .execute(&mut *change)
                .await?;
            (Deed::deleted(Kind::Webhook, &id, &before), before)
        };
        audit::record(&mut change, author, &deed).await?;
        change.commit().await?;
        Ok(Change::Made(webhook))
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

async fn webhook(connection: &mut Connection, id: Uuid) -> Result<Option<Due>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as(webhooks!("where id = $1")).bind(id.to_string()).fetch_optional(connection).await?;
    row.map(Due::try_from).transpose()
}

async fn update(connection: &mut Connection, webhook: &Webhook) -> Result<(), StoreError> {
    sqlx::query("update webhooks set revision = $2, updated_at = $3, draft = $4, enabled = $5 where id = $1")
        .bind(webhook.id.to_string())
        .bind(i64::from(webhook.revision))
        .bind(webhook.updated_at.as_millisecond())
        .bind(Text::from(json(&webhook.draft).as_str()))
        .bind(enabled(webhook))
        .execute(connection)
        .await?;
    Ok(())
}

fn enabled(webhook: &Webhook) -> &'static str {
    if webhook.draft.enabled { "yes" } else { "no" }
}
