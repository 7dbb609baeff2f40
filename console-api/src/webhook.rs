//! Webhooks: signed attack notifications (Standard Webhooks), retried until acknowledged.
//! [`crate::notification`] sends them.

mod secret;
mod target;
mod url;

pub use secret::Secret;
pub use target::{InvalidTarget, Protocol, Target, Targets};
pub use url::WebhookUrl;

use crate::{
    paging::{Cursor, Listed},
    query::Filter,
    validation::ValidationError,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A webhook to add or replace. Absent fields have the defaults shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookDraft {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// `https://`, `http://`, `syslog+tcp://` or `syslog+udp://`, on an address of the public
    /// internet unless the console allows its network.
    #[schema(value_type = String, max_length = 2000)]
    pub url: WebhookUrl,
    /// The attacks to notify of, in the search language; empty: all.
    #[serde(default)]
    pub query: String,
    #[serde(default)]
    pub format: Format,
    /// What it is notified of.
    #[serde(default = "default_events")]
    pub events: Vec<Subject>,
    /// Whether deliveries are sent. Pending deliveries of a disabled webhook stay in the queue.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

pub(crate) fn default_events() -> Vec<Subject> {
    vec![Subject::Attacks]
}

/// What a webhook is notified of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookSubject)]
pub enum Subject {
    /// `attack.matched`: attacks that match the query.
    Attacks,
    /// `node.unreachable` and `node.recovered`.
    Nodes,
    /// `not_inspected`: requests that were not inspected.
    NotInspected,
}

/// An event other than a matched attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    NodeUnreachable {
        node: Uuid,
        /// When it was last seen.
        since: Timestamp,
    },
    NodeRecovered {
        node: Uuid,
        /// When it was reported as unreachable.
        since: Timestamp,
    },
    NotInspected {
        /// The number of requests since the last event.
        requests: u64,
    },
}

impl Event {
    pub fn subject(&self) -> Subject {
        match self {
            Self::NodeUnreachable { .. } | Self::NodeRecovered { .. } => Subject::Nodes,
            Self::NotInspected { .. } => Subject::NotInspected,
        }
    }

    /// The type, as bodies have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NodeUnreachable { .. } => "node.unreachable",
            Self::NodeRecovered { .. } => "node.recovered",
            Self::NotInspected { .. } => "not_inspected",
        }
    }
}

/// The format of the bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookFormat)]
pub enum Format {
    /// `{"type", "timestamp", "data"}`, with the attack as the API shows it.
    #[default]
    Standard,
    /// A message for Slack or a compatible service.
    Slack,
    /// A Common Event Format event; required for syslog servers, and only for these.
    Cef,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Standard, Self::Slack, Self::Cef];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Slack => "slack",
            Self::Cef => "cef",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Standard => "Standard Webhooks, JSON",
            Self::Slack => "Slack",
            Self::Cef => "CEF, for syslog",
        }
    }
}

/// A stored webhook.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Webhook {
    pub id: Uuid,
    /// Incremented by each change.
    pub revision: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    #[serde(flatten)]
    pub draft: WebhookDraft,
    /// Attacks without a delivery, because the queue was full.
    pub dropped: u64,
}

/// A new webhook with its secret, which is shown once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NewWebhook {
    #[serde(flatten)]
    pub webhook: Webhook,
    /// `whsec_`, and the key in base64.
    pub secret: String,
}

/// A delivery, pending or finished.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WebhookDelivery {
    /// The `webhook-id` of its calls: the same for all attempts.
    pub id: Uuid,
    /// Absent: another event or a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attack_id: Option<Uuid>,
    /// The type of another event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    pub created_at: Timestamp,
    pub state: DeliveryState,
    /// The number of attempts.
    pub attempts: u32,
    /// The time of the next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// The response status of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The error of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Pending,
    Delivered,
    /// All attempts failed.
    Dead,
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Dead];
    /// Completes "must be …".
    pub const EXPECTED: &str = "pending, delivered or dead";

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Listed for WebhookDelivery {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.id)
    }
}

impl WebhookDraft {
    /// The draft, if its URL, format and query are valid.
    pub fn validated(self, targets: &Targets, now: Timestamp) -> Result<Self, ValidationError> {
        let target =
            Target::parse(self.url.reveal()).and_then(|target| targets.check(&target).map(|()| target));
        let target = target.map_err(|cause| ValidationError::new("url", format!("`url` {cause}")))?;
        if (self.format == Format::Cef) != (target.protocol() != Protocol::Http) {
            let message = "`format` must be `cef` where `url` is a server of syslog, and only there";
            return Err(ValidationError::new("format", message.to_owned()));
        }
        if let Err(error) = Filter::parse(&self.query, now) {
            return Err(ValidationError::new("query", format!("`query`: {error}")));
        }
        Ok(self)
    }

    /// The filter of its query. `None` if the stored query is no longer valid.
    pub fn filter(&self, now: Timestamp) -> Option<Filter> {
        Some(Filter::parse(&self.query, now).ok()?.without_hidden())
    }
}
