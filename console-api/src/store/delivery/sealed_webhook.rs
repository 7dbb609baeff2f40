//! Webhooks as stored, with a sealed URL: in their rows and in the audit log.

use crate::{
    audit::ObjectKind,
    paging::{Cursor, Listed},
    sealing::{Keyring, Location, Sealed},
    store::{
        StoreError,
        change::Stored,
        sql::row::{ReadRow, Row},
    },
    webhook::{Digest, Format, Subject, Webhook, WebhookDraft, WebhookUrl},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct SealedWebhook {
    pub(super) id: Uuid,
    pub(super) revision: u32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    #[serde(flatten)]
    pub(super) draft: SealedDraft,
    pub(super) dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) previous_secret_until: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SealedDraft {
    name: String,
    url: Sealed,
    query: String,
    format: Format,
    /// Absent in rows of older versions.
    #[serde(default = "crate::webhook::default_events")]
    events: Vec<Subject>,
    #[serde(default)]
    digest: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_limit: Option<u32>,
    pub(super) enabled: bool,
}

impl SealedDraft {
    pub(super) fn seal(draft: WebhookDraft, webhook: Uuid, keys: &Keyring) -> Self {
        let WebhookDraft { name, url, query, format, events, digest, rate_limit, enabled } = draft;
        let url = keys.seal(&Location::webhook_url(&webhook), url.reveal());
        Self { name, url, query, format, events, digest, rate_limit, enabled }
    }
}

impl SealedWebhook {
    /// The webhook. An unreadable URL is replaced, so that the webhook can be changed or deleted.
    pub(super) fn open(self, keys: &Keyring) -> Webhook {
        let Self { id, revision, created_at, updated_at, draft, dropped, previous_secret_until } = self;
        let SealedDraft { name, url, query, format, events, digest, rate_limit, enabled } = draft;
        let url = open_url(keys, &id, &url);
        let draft = WebhookDraft { name, url, query, format, events, digest, rate_limit, enabled };
        Webhook { id, revision, created_at, updated_at, draft, dropped, previous_secret_until }
    }
}

impl ReadRow for SealedWebhook {
    const TABLE: &'static str = "webhooks";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            revision: row.number("revision")?,
            created_at: row.time("created_at")?,
            updated_at: row.time("updated_at")?,
            draft: row.json("draft")?,
            dropped: row.count("dropped")?,
            previous_secret_until: row.optional("previous_secret_until", Row::time)?,
        })
    }
}

impl Listed for SealedWebhook {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.id)
    }
}

impl Stored for SealedWebhook {
    const KIND: ObjectKind = ObjectKind::Webhook;
    const NAMES: (&'static str, &'static str) = ("webhook", "webhooks");
    const MAX: Option<i64> = Some(100);
    const SELECT: &'static str = "select id, revision, created_at, updated_at, draft, secret, dropped, \
        previous_secret, previous_secret_until from webhooks";

    fn id(&self) -> Uuid {
        self.id
    }

    fn revision(&self) -> u32 {
        self.revision
    }
}

/// Opens the URL in a webhook of the audit log.
pub(crate) fn open_logged(keys: &Keyring, webhook: &str, logged: &mut Value) {
    if let Some(Value::String(url)) = logged.get_mut("url")
        && let Some(sealed) = Sealed::parse(url)
    {
        open_url(keys, &webhook, &sealed).reveal().clone_into(url);
    }
}

fn open_url(keys: &Keyring, webhook: &impl ToString, sealed: &Sealed) -> WebhookUrl {
    keys.open(&Location::webhook_url(webhook), sealed).map_or_else(
        |error| {
            tracing::error!(%error, "the URL of a webhook is unreadable");
            WebhookUrl::unreadable()
        },
        WebhookUrl::from,
    )
}
