//! Webhooks, and the attacks to match against them.

use crate::store::{
    Connection, Store, StoreError,
    change::{ChangeError, Stored},
    delivery::{
        deliveries,
        sealed_webhook::{SealedDraft, SealedWebhook},
    },
    sql::{
        bulk::{Insert, Query},
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::json,
    },
};
use crate::{
    audit::Author,
    paging::{Page, Slice},
    sealing::{Keyring, Location, Sealed},
    webhook::{Secret, Webhook, WebhookDraft},
};
use jiff::Timestamp;
use sqlx::FromRow;
use uuid::Uuid;

/// A webhook with due deliveries.
#[derive(Debug)]
pub struct Due {
    pub webhook: Webhook,
    /// An unreadable secret fails the deliveries of this webhook only.
    pub secret: Result<Secret, StoreError>,
    /// The secret before a rotation, which also signs while `previous_secret_until` is to come.
    pub previous_secret: Option<Secret>,
}

/// An attack that began or grew, and how often that was recorded.
#[derive(Debug, FromRow)]
pub struct Grown {
    attack_id: String,
    #[sqlx(rename = "times")]
    growth_count: i64,
}

impl Grown {
    pub(super) fn id(&self) -> &str {
        &self.attack_id
    }
}

/// A row, with its secrets sealed.
struct SealedDue {
    webhook: SealedWebhook,
    secret: Sealed,
    previous: Option<Sealed>,
}

impl ReadRow for SealedDue {
    const TABLE: &'static str = SealedWebhook::TABLE;

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            webhook: SealedWebhook::read(row)?,
            secret: row.sealed("secret")?,
            previous: row.optional("previous_secret", Row::sealed)?,
        })
    }
}

impl SealedDue {
    fn open(self, keys: &Keyring) -> Due {
        let id = self.webhook.id;
        let secret = open_secret(keys, &Location::webhook_secret(&id), &self.secret);
        let previous_secret = self.previous.and_then(|sealed| {
            let opened = open_secret(keys, &Location::previous_webhook_secret(&id), &sealed);
            opened
                .inspect_err(
                    |error| tracing::error!(%error, "the previous secret of a webhook is unreadable"),
                )
                .ok()
        });
        Due { webhook: self.webhook.open(keys), secret, previous_secret }
    }
}

fn open_secret(keys: &Keyring, location: &Location, sealed: &Sealed) -> Result<Secret, StoreError> {
    let Location { table, row, column } = location;
    let text = keys.open(location, sealed)?;
    Secret::parse(&text).ok_or_else(|| StoreError::bad_row(table, row, column))
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
        let mut statement = Statement::new(SealedWebhook::SELECT);
        statement.push(" where id = ").bind(id.to_string());
        let due: Option<SealedDue> = statement.fetch_optional(&self.reader).await?;
        Ok(due.map(|due| due.open(&self.keys)))
    }

    /// Webhooks, the newest first.
    pub async fn webhooks(&self, slice: &Slice) -> Result<Page<Webhook>, StoreError> {
        let Page { items, next_cursor } = self.list::<SealedWebhook>(slice).await?;
        Ok(Page { items: items.into_iter().map(|webhook| webhook.open(&self.keys)).collect(), next_cursor })
    }

    pub async fn enabled_webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let mut statement = Statement::new(SealedWebhook::SELECT);
        statement.push(" where enabled = 'yes' order by id");
        let webhooks: Vec<SealedWebhook> = statement.fetch_all(&self.reader).await?;
        Ok(webhooks.into_iter().map(|webhook| webhook.open(&self.keys)).collect())
    }

    /// Webhooks with due deliveries.
    pub async fn due_webhooks(&self, now: Timestamp) -> Result<Vec<Due>, StoreError> {
        let mut statement = Statement::new(SealedWebhook::SELECT);
        statement.push(
            " where enabled = 'yes' and exists (select 1 from webhook_deliveries d where d.webhook_id = webhooks.id \
             and d.state = 'pending' and d.next_at <= ",
        );
        statement.bind(now.as_millisecond()).push(") order by id");
        let due: Vec<SealedDue> = statement.fetch_all(&self.reader).await?;
        Ok(due.into_iter().map(|due| due.open(&self.keys)).collect())
    }

    pub async fn add_webhook(
        &self,
        draft: WebhookDraft,
        secret: &Secret,
        author: &Author,
    ) -> Result<Webhook, ChangeError> {
        let (id, at) = (Uuid::now_v7(), author.at);
        let draft = SealedDraft::seal(draft, id, &self.keys);
        let webhook = SealedWebhook {
            id,
            revision: 1,
            created_at: at,
            updated_at: at,
            draft,
            dropped: 0,
            previous_secret_until: None,
        };
        let secret = self.keys.seal(&Location::webhook_secret(&id), &secret.reveal());
        let insert = sqlx::query(
            "insert into webhooks (id, revision, created_at, updated_at, draft, enabled, secret, dropped) \
             values ($1, $2, $3, $3, $4, $5, $6, 0)",
        )
        .bind(id.to_string())
        .bind(i64::from(webhook.revision))
        .bind(at.as_millisecond())
        .bind(json(&webhook.draft))
        .bind(enabled(&webhook))
        .bind(secret.as_str().to_owned());
        Ok(self.begin_change(author).await?.add(webhook, insert).await?.open(&self.keys))
    }

    /// Replaces a webhook that still has this revision.
    pub async fn replace_webhook(
        &self,
        known: (Uuid, u32),
        draft: WebhookDraft,
        author: &Author,
    ) -> Result<Webhook, ChangeError> {
        let mut change = self.begin_change(author).await?;
        let before: SealedWebhook = change.current(known).await?;
        let draft = SealedDraft::seal(draft, before.id, &self.keys);
        let after =
            SealedWebhook { revision: before.revision + 1, updated_at: author.at, draft, ..before.clone() };
        let update = sqlx::query(
            "update webhooks set revision = $2, updated_at = $3, draft = $4, enabled = $5 where id = $1",
        )
        .bind(after.id.to_string())
        .bind(i64::from(after.revision))
        .bind(after.updated_at.as_millisecond())
        .bind(json(&after.draft))
        .bind(enabled(&after));
        Ok(change.replace(&before, after, update).await?.open(&self.keys))
    }

    /// Replaces the secret of a webhook that still has this revision. The previous one stays until
    /// `end`, unless it cannot be decrypted.
    pub async fn rotate_webhook_secret(
        &self,
        known: (Uuid, u32),
        secret: &Secret,
        end: Timestamp,
        author: &Author,
    ) -> Result<Webhook, ChangeError> {
        let mut change = self.begin_change(author).await?;
        let before: SealedWebhook = change.current(known).await?;
        let mut statement = Statement::new(SealedWebhook::SELECT);
        statement.push(" where id = ").bind(before.id.to_string());
        let row: Option<SealedDue> = statement.fetch_optional(change.connection()).await?;
        let replaced = row.and_then(|row| row.open(&self.keys).secret.ok()).filter(|_| end > author.at);
        // An unreadable secret signs nothing any more.
        let end = if replaced.is_some() { end } else { author.at };
        let previous = replaced.map(|secret| {
            self.keys.seal(&Location::previous_webhook_secret(&before.id), &secret.reveal()).into()
        });
        let after = SealedWebhook {
            revision: before.revision + 1,
            updated_at: author.at,
            previous_secret_until: Some(end),
            ..before.clone()
        };
        let sealed = self.keys.seal(&Location::webhook_secret(&after.id), &secret.reveal());
        let update = sqlx::query(
            "update webhooks set revision = $2, updated_at = $3, secret = $4, previous_secret = $5, \
             previous_secret_until = $6 where id = $1",
        )
        .bind(after.id.to_string())
        .bind(i64::from(after.revision))
        .bind(after.updated_at.as_millisecond())
        .bind(sealed.as_str().to_owned())
        .bind::<Option<String>>(previous)
        .bind(end.as_millisecond());
        Ok(change.replace(&before, after, update).await?.open(&self.keys))
    }

    /// Deletes previous secrets that no longer sign.
    pub async fn delete_previous_secrets(&self, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "update webhooks set previous_secret = null where previous_secret is not null \
             and previous_secret_until <= $1",
        )
        .bind(now.as_millisecond())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Deletes a webhook with its deliveries, if it still has this revision.
    pub async fn delete_webhook(&self, known: (Uuid, u32), author: &Author) -> Result<(), ChangeError> {
        let mut change = self.begin_change(author).await?;
        let webhook: SealedWebhook = change.current(known).await?;
        change.delete(&webhook).await
    }

    /// Attacks to match against webhooks, up to a limit.
    pub async fn grown_attacks(&self, limit: u32) -> Result<Vec<Grown>, StoreError> {
        let rows = sqlx::query_as("select attack_id, times from grown_attacks order by attack_id limit $1");
        Ok(rows.bind(i64::from(limit)).fetch_all(&self.reader).await?)
    }

    /// The ids of the attacks that a webhook was not notified of.
    pub async fn not_notified(&self, webhook: Uuid, grown: &[Grown]) -> Result<Vec<String>, StoreError> {
        let mut ids: Vec<String> = grown.iter().map(|attack| attack.attack_id.clone()).collect();
        let notified = deliveries::notified(&mut *self.reader.acquire().await?, webhook, &ids).await?;
        ids.retain(|id| !notified.contains(id));
        Ok(ids)
    }
}

fn enabled(webhook: &SealedWebhook) -> &'static str {
    if webhook.draft.enabled { "yes" } else { "no" }
}
