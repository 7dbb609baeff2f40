//! Digests of attacks: the attacks of a period, summed up.

use super::{Attack, Source};
use jiff::Timestamp;
use serde::Serialize;
use shared::AttackType;

/// The attacks that a webhook collected in a period. The numbers are those of the attacks up to now.
#[derive(Debug, Clone, Serialize)]
pub struct AttackDigest {
    pub from: Timestamp,
    pub to: Timestamp,
    pub attacks: u64,
    pub hits: u64,
    /// The number of blocked hits.
    pub blocked: u64,
    /// The earliest of their last hits: the search for the period starts there at the latest.
    #[serde(skip)]
    pub first_last_seen: Timestamp,
    /// The most frequent first, as the following ones.
    pub types: Vec<TypeCount>,
    pub hosts: Vec<HostCount>,
    pub sources: Vec<Source>,
    pub countries: Vec<CountryHits>,
    /// The attacks with the most hits, with their countries.
    #[serde(skip)]
    pub largest: Vec<(Attack, Vec<CountryHits>)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TypeCount {
    #[serde(rename = "type")]
    pub attack_type: AttackType,
    pub title: String,
    pub attacks: u64,
    pub hits: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostCount {
    pub host: String,
    pub attacks: u64,
    pub hits: u64,
}

/// Hits from a country, by its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CountryHits {
    pub country: String,
    pub hits: u64,
}
