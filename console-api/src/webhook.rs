//! Webhooks: signed notifications (Standard Webhooks), retried until acknowledged.
//! [`crate::notification`] sends them.

mod secret;
mod target;
mod url;

pub use secret::Secret;
pub use target::{InvalidTarget, Protocol, Target, Targets};
pub use url::WebhookUrl;

use crate::{
    coverage::Fall,
    paging::{Cursor, Listed},
    query::Filter,
    ruleset::Version,
    validation::ValidationError,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A webhook to add or replace. Absent fields have the defaults shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookDraft {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// `https://`, `http://`, `syslog+tls://`, `syslog+tcp://` or `syslog+udp://`, on an address of
    /// the public internet unless the console allows its network.
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
    /// Whether attacks are sent one by one, or together.
    #[serde(default)]
    pub digest: Digest,
    /// Maximum number of messages per minute; none, when absent. Attacks beyond it are sent
    /// together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1000)]
    pub rate_limit: Option<u32>,
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
    /// `rules.changed`: new versions of the ruleset.
    Rules,
    /// `coverage.fell`: a smaller share of the requests in access logs is inspected.
    Coverage,
}

/// When attacks are sent. Minutes and hours are those of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookDigest)]
pub enum Digest {
    /// A message for each attack, at once.
    #[default]
    Attack,
    /// A message for the attacks of a minute.
    Minute,
    /// A message for the attacks of an hour.
    Hour,
}

impl Digest {
    pub const ALL: [Self; 3] = [Self::Attack, Self::Minute, Self::Hour];
    /// The type of a message with several attacks, as bodies have it.
    pub const EVENT: &str = "attacks.digest";

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attack => "attack",
            Self::Minute => "minute",
            Self::Hour => "hour",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Attack => "Each attack",
            Self::Minute => "Digest per minute",
            Self::Hour => "Digest per hour",
        }
    }

    /// The start and the end of the period that a time is in. Attacks beyond a rate limit are
    /// collected for a minute.
    pub fn period(self, at: Timestamp) -> (Timestamp, Timestamp) {
        let seconds = if self == Self::Hour { 3600 } else { 60 };
        let start = at - SignedDuration::new(at.as_second().rem_euclid(seconds), at.subsec_nanosecond());
        (start, start + SignedDuration::from_secs(seconds))
    }
}

/// An event other than a matched attack.
#[derive(Debug, Clone, PartialEq)]
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
    RulesChanged {
        version: Version,
        /// The kinds of the rules that changed, `allow`, `deny` or `gray` for entries of this list.
        kinds: BTreeSet<String>,
    },
    CoverageFell {
        distribution: String,
        /// The day of UTC, to date.
        day: String,
        fall: Fall,
        /// Of the day to date.
        requests: u64,
    },
}

impl Event {
    pub fn subject(&self) -> Subject {
        match self {
            Self::NodeUnreachable { .. } | Self::NodeRecovered { .. } => Subject::Nodes,
            Self::NotInspected { .. } => Subject::NotInspected,
            Self::RulesChanged { .. } => Subject::Rules,
            Self::CoverageFell { .. } => Subject::Coverage,
        }
    }

    /// The type, as bodies have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NodeUnreachable { .. } => "node.unreachable",
            Self::NodeRecovered { .. } => "node.recovered",
            Self::NotInspected { .. } => "not_inspected",
            Self::RulesChanged { .. } => "rules.changed",
            Self::CoverageFell { .. } => "coverage.fell",
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
    /// The end of the time in which the secret before the last rotation also signs deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_secret_until: Option<Timestamp>,
}

/// A rotation of the secret of a webhook.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookSecretRotation)]
pub struct SecretRotation {
    /// Hours in which the previous secret also signs deliveries; 0: it ends at once.
    #[serde(default = "default_overlap")]
    #[schema(default = 24, maximum = 720)]
    pub overlap_hours: u32,
}

fn default_overlap() -> u32 {
    SecretRotation::DEFAULT_HOURS
}

impl SecretRotation {
    pub const DEFAULT_HOURS: u32 = 24;
    const MAX_HOURS: u32 = 720;

    /// The time until which the previous secret signs.
    pub fn end(self, now: Timestamp) -> Result<Timestamp, ValidationError> {
        if self.overlap_hours > Self::MAX_HOURS {
            let detail = format!("`overlap_hours` must be at most {}", Self::MAX_HOURS);
            return Err(ValidationError::new("overlap_hours", detail));
        }
        Ok(now + SignedDuration::from_hours(self.overlap_hours.into()))
    }
}

/// A webhook with its new secret, which is shown once.
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
    const MAX_RATE: u32 = 1000;

    /// The draft, if its URL, format, rate limit and query are valid.
    pub fn validated(self, targets: &Targets, now: Timestamp) -> Result<Self, ValidationError> {
        let target =
            Target::parse(self.url.reveal()).and_then(|target| targets.check(&target).map(|()| target));
        let target = target.map_err(|cause| ValidationError::new("url", format!("`url` {cause}")))?;
        if (self.format == Format::Cef) != (target.protocol() != Protocol::Http) {
            let message = "`format` must be `cef` where `url` is a server of syslog, and only there";
            return Err(ValidationError::new("format", message.to_owned()));
        }
        if self.rate_limit.is_some_and(|limit| !(1..=Self::MAX_RATE).contains(&limit)) {
            let message = format!("`rate_limit` must be 1 to {} messages per minute", Self::MAX_RATE);
            return Err(ValidationError::new("rate_limit", message));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_minute_or_an_hour_of_utc() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let at = time("2026-01-01T12:34:56.789012345Z");
        let minute = (time("2026-01-01T12:34:00Z"), time("2026-01-01T12:35:00Z"));
        assert_eq!([Digest::Attack, Digest::Minute].map(|digest| digest.period(at)), [minute, minute]);
        assert_eq!(Digest::Hour.period(at), (time("2026-01-01T12:00:00Z"), time("2026-01-01T13:00:00Z")));
        assert_eq!(Digest::Minute.period(minute.1).0, minute.1);
    }
}
