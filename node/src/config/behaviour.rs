//! `behaviour`: what sources do over time.

use super::{
    Secret,
    scalar::{Scalar, word},
    section::{Part, Section},
};
use crate::{
    behaviour::{BehaviourConfig, Control, Counted, Payloads, Reaction},
    routes::glob::Glob,
};
use shared::AttackType;
use std::{ops::RangeInclusive, time::Duration};

const SOURCES: RangeInclusive<usize> = 1_000..=10_000_000;
/// Counting is linear in the threshold.
const THRESHOLD: RangeInclusive<usize> = 1..=10_000;
const TIME: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24 * 365);
const HOUR: Duration = Duration::from_hours(1);

impl Part for BehaviourConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let max_sources = section.within("max_sources", 100_000, SOURCES);
        let payloads = section.section::<PayloadsSection>("payloads");
        let controls = section.sections("controls");
        let Shared(shared_url) = section.section("shared")?;
        Some(Self { max_sources, payloads: payloads?.0, controls, shared_url })
    }
}

/// Where nodes share their counts.
struct Shared(Option<String>);

impl Part for Shared {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let url = section.optional::<Secret>("url_file");
        let url = url.map(|url| url.expose().to_owned());
        if url.as_deref().is_some_and(|url| redis::Client::open(url).is_err()) {
            section.wrong("url_file", "must hold an address such as redis://:password@127.0.0.1:6379/0");
            return None;
        }
        Some(Self(url))
    }
}

struct PayloadsSection(Option<Payloads>);

impl Part for PayloadsSection {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let enabled = section.or("enabled", true);
        let payloads = Payloads {
            threshold: section.within("more_than", 3, THRESHOLD),
            within: section.within("within", HOUR, TIME),
            duration: section.within("for", HOUR, TIME),
        };
        Some(Self(enabled.then_some(payloads)))
    }
}

impl Part for Control {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let kind = section.required::<Kind>("type");
        let host = section.optional::<Glob>("host");
        let path = section.optional::<String>("path");
        let counted = section.optional::<Counted>("count");
        let threshold = section.required::<usize>("more_than");
        if threshold.is_some_and(|threshold| !THRESHOLD.contains(&threshold)) {
            section.wrong("more_than", "must be from 1 to 10000");
        }
        let within = section.within("within", Duration::from_mins(1), TIME);
        let reaction = section.or("reaction", Reaction::Record);
        let duration = section.within("for", HOUR, TIME);
        let Kind(attack_type) = kind?;
        let counted = counted.unwrap_or_else(|| default_count(&attack_type));
        if reaction == Reaction::Limit && matches!(counted, Counted::Responses(_)) {
            section.wrong("reaction", "must not be limit: an answer that was given cannot be turned away");
        }
        Some(Self { attack_type, host, path, counted, threshold: threshold?, within, reaction, duration })
    }
}

fn default_count(attack_type: &AttackType) -> Counted {
    match attack_type {
        AttackType::ForcedBrowsing => Counted::Responses(404),
        _ => Counted::Requests,
    }
}

/// What a control tells.
struct Kind(AttackType);

impl Scalar for Kind {
    fn parse(text: &str) -> Result<Self, String> {
        let kinds = [AttackType::Brute, AttackType::ForcedBrowsing, AttackType::Bola, AttackType::RateLimit];
        word(text, &kinds, AttackType::as_str).map(Self)
    }

    fn shown(&self) -> String {
        self.0.to_string()
    }
}

impl Scalar for Counted {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = "must be requests, paths, status:CODE, get:NAME or path:NUMBER";
        Self::parse(text).ok_or_else(|| expected.to_owned())
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

const REACTIONS: [(Reaction, &str); 4] = [
    (Reaction::Record, "record"),
    (Reaction::Gray, "gray"),
    (Reaction::Deny, "deny"),
    (Reaction::Limit, "limit"),
];

impl Scalar for Reaction {
    fn parse(text: &str) -> Result<Self, String> {
        word(text, &REACTIONS, |(_, name)| name).map(|(reaction, _)| reaction)
    }

    fn shown(&self) -> String {
        let name = REACTIONS.into_iter().find(|(reaction, _)| reaction == self);
        name.map_or_else(String::new, |(_, name)| name.to_owned())
    }
}
