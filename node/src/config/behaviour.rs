//! `behaviour`: controls on the behavior of request sources over time.

use super::{
    Secret,
    scalar::{Scalar, words},
    section::{Part, Section},
};
use crate::routes::glob::Glob;
use shared::AttackType;
use std::{fmt, ops::RangeInclusive, time::Duration};

/// `behaviour`: controls, and the memory they may use.
#[derive(Debug, Clone)]
pub struct BehaviourConfig {
    /// Remembered sources, counted once per control; beyond it the least recently seen is evicted.
    pub max_sources: usize,
    pub payloads: Option<Payloads>,
    pub controls: Vec<Control>,
    /// URL of the server through which nodes share their counts.
    pub shared_url: Option<String>,
}

/// Grays a source that sends many different payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payloads {
    /// More than this many trigger it.
    pub threshold: usize,
    pub within: Duration,
    pub duration: Duration,
}

/// A behavioral control: what is counted per source, and the reaction above the threshold.
#[derive(Debug, Clone)]
pub struct Control {
    pub attack_type: AttackType,
    /// Absent: every host.
    pub host: Option<Glob>,
    /// A trailing `*` matches any suffix. Absent: every path.
    pub path: Option<String>,
    pub counted: Counted,
    /// More than this many trigger the reaction.
    pub threshold: usize,
    pub within: Duration,
    pub reaction: Reaction,
    /// How long the source stays on a list.
    pub duration: Duration,
}

/// What is counted per source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    Requests,
    /// Distinct paths.
    Paths,
    /// Distinct values of a query parameter.
    Parameter(String),
    /// Distinct values of a path segment; the first is 1.
    Segment(usize),
    /// Responses with this status, from response reports.
    Responses(u16),
}

/// The reaction above the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Record the request.
    Record,
    /// Also put its source on the graylist.
    Gray,
    /// Also put its source on the denylist.
    Deny,
    /// Block the request with 429 until the rate falls below the threshold.
    Limit,
}

const SOURCES: RangeInclusive<usize> = 1_000..=10_000_000;
/// Counting is linear in the threshold.
const THRESHOLD: RangeInclusive<usize> = 1..=10_000;
const TIME: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24 * 365);
const HOUR: Duration = Duration::from_hours(1);

impl Part for BehaviourConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let max_sources = section.within("max_sources", 100_000, SOURCES);
        let payloads = section.nested("payloads", read_payloads);
        let controls = section.sections("controls");
        let shared_url = section.nested("shared", read_shared_url)?;
        Some(Self { max_sources, payloads: payloads?, controls, shared_url })
    }
}

fn read_shared_url(section: &mut Section<'_>) -> Option<String> {
    let url = section.optional::<Secret>("url_file")?.expose().to_owned();
    if redis::Client::open(url.as_str()).is_err() {
        section.wrong("url_file", "must contain a URL such as redis://:password@127.0.0.1:6379/0");
    }
    Some(url)
}

fn read_payloads(section: &mut Section<'_>) -> Option<Payloads> {
    let enabled = section.or("enabled", true);
    let payloads = Payloads {
        threshold: section.within("more_than", 3, THRESHOLD),
        within: section.within("within", HOUR, TIME),
        duration: section.within("for", HOUR, TIME),
    };
    enabled.then_some(payloads)
}

impl Part for Control {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let kind = section.required::<ControlType>("type");
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
        let ControlType(attack_type) = kind?;
        let counted = counted.unwrap_or_else(|| default_count(&attack_type));
        if reaction == Reaction::Limit && matches!(counted, Counted::Responses(_)) {
            section
                .wrong("reaction", "must not be limit: responses are counted after the request was served");
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

/// The attack type of a control.
#[derive(PartialEq)]
struct ControlType(AttackType);

words! { ControlType:
    "brute" => ControlType(AttackType::Brute),
    "dirbust" => ControlType(AttackType::ForcedBrowsing),
    "bola" => ControlType(AttackType::Bola),
    "rate_limit" => ControlType(AttackType::RateLimit),
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

words! { Reaction:
    "record" => Reaction::Record,
    "gray" => Reaction::Gray,
    "deny" => Reaction::Deny,
    "limit" => Reaction::Limit,
}

impl Counted {
    /// Parses the value of the key `count`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "requests" => Some(Self::Requests),
            None if text == "paths" => Some(Self::Paths),
            Some(("get", name)) if !name.is_empty() => Some(Self::Parameter(name.to_owned())),
            Some(("path", number)) => number.parse().ok().filter(|number| *number > 0).map(Self::Segment),
            Some(("status", code)) => {
                code.parse().ok().filter(|code| (100..600).contains(code)).map(Self::Responses)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requests => f.write_str("requests"),
            Self::Paths => f.write_str("paths"),
            Self::Parameter(name) => write!(f, "get:{name}"),
            Self::Segment(number) => write!(f, "path:{number}"),
            Self::Responses(status) => write!(f, "status:{status}"),
        }
    }
}
