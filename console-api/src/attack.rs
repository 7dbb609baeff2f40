//! Attacks: groups of hits of one type, point, host and path.

pub(crate) mod cef;
mod digest;
mod group;
mod mark;
mod order;
mod stats;

pub use digest::{AttackDigest, CountryHits, HostCount, TypeCount};
pub use group::{AttackGroup, GroupField, Grouping};
pub use mark::{Mark, MarkDraft, Marking, Marks};
pub use order::{Order, SortKey};
pub(crate) use stats::BUCKET;
pub use stats::{AttackStats, Previous, Series, SeriesPoint, Top};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{AttackType, Point};
use std::{collections::BTreeMap, net::IpAddr};
use uuid::Uuid;

/// Hits of one type at one point of one host and path, with gaps of at most an hour. In the result of
/// a search with conditions on hits, numbers and payload are those of the hits that match.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Attack {
    pub id: Uuid,
    #[serde(rename = "type")]
    pub attack_type: AttackType,
    pub title: String,
    pub point: Point,
    /// The point in readable form.
    pub parameter: String,
    pub host: String,
    pub path: String,
    pub status: AttackStatus,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub hits: u64,
    /// The number of blocked hits.
    pub blocked: u64,
    /// The number of suspicious hits: requests with findings whose score is too low for an attack.
    pub suspicious: u64,
    /// The number of source addresses.
    pub sources: u64,
    /// What saw the requests of its hits: `edge` (functions), `log` (only access logs), or both.
    pub seen_by: Vec<String>,
    /// Of the latest hit.
    pub payload: Option<String>,
    pub mark: Option<Marking>,
    /// Counts the changes of its mark.
    pub revision: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttackStatus {
    Blocked,
    PartiallyBlocked,
    Monitoring,
    /// All hits are suspicious. Hidden by default.
    Suspicious,
}

impl AttackStatus {
    pub const ALL: [Self; 4] = [Self::Blocked, Self::PartiallyBlocked, Self::Monitoring, Self::Suspicious];

    /// The status of an attack by its numbers of hits: those that are not suspicious, and those of
    /// them that were blocked.
    pub fn of(not_suspicious: u64, blocked: u64) -> Self {
        match blocked {
            _ if not_suspicious == 0 => Self::Suspicious,
            0 => Self::Monitoring,
            blocked if blocked < not_suspicious => Self::PartiallyBlocked,
            _ => Self::Blocked,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::PartiallyBlocked => "partially_blocked",
            Self::Monitoring => "monitoring",
            Self::Suspicious => "suspicious",
        }
    }

    /// The name on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Blocked => "Blocked",
            Self::PartiallyBlocked => "Partially blocked",
            Self::Monitoring => "Monitoring",
            Self::Suspicious => "Suspicious",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// An attack with statistics of its hits.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AttackDetail {
    #[serde(flatten)]
    pub attack: Attack,
    /// The addresses with the most hits.
    pub top_sources: Vec<Source>,
    /// Counts of response statuses; requests without a response report are left out.
    pub response_statuses: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AttackSource)]
pub struct Source {
    #[schema(value_type = String)]
    pub ip: IpAddr,
    pub hits: u64,
}
