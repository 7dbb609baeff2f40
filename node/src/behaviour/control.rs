//! What the operator wants counted: for which requests, what of them, and what follows.

use super::counters::Span;
use crate::routes::glob::Glob;
use shared::{AttackType, RequestId};
use std::time::Duration;

/// One control of the configuration.
#[derive(Debug, Clone)]
pub struct Control {
    pub attack_type: AttackType,
    /// Absent: all.
    pub host: Option<Glob>,
    /// A trailing `*` means all that begin so. Absent: all.
    pub path: Option<String>,
    pub counted: Counted,
    /// So many are fine.
    pub threshold: usize,
    pub within: Duration,
    pub reaction: Reaction,
    /// How long the source is on a list.
    pub duration: Duration,
}

/// What is counted, for each source by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    Requests,
    /// Different paths.
    Paths,
    /// Different values of a parameter of the query.
    Parameter(String),
    /// Different values of a segment of the path; the first is 1.
    Segment(usize),
    /// Answers with this status, as response reports tell.
    Responses(u16),
}

/// What follows when there were more than the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// The request is recorded.
    Record,
    /// And its source goes on the gray list.
    Gray,
    /// And its source goes on the denylist.
    Deny,
    /// The request is turned away with 429, until there were fewer.
    Limit,
}

impl Control {
    pub(super) fn span(&self) -> Span {
        let millis = i64::try_from(self.within.as_millis()).unwrap_or(i64::MAX);
        let over = usize::from(self.reaction != Reaction::Limit);
        Span { millis, most: self.threshold + over }
    }

    /// For a request to this bare host and normalized path.
    pub(super) fn holds_for(&self, host: &str, path: &str) -> bool {
        self.host.as_ref().is_none_or(|wanted| wanted.fits(host))
            && self.path.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => path == wanted,
            })
    }

    /// Requests with other signs of attacks are those detectors' business; rates are everybody's.
    pub(super) fn counts_attacks(&self) -> bool {
        self.attack_type == AttackType::RateLimit
    }

    /// What of a request is counted: the same twice counts once. Nothing when it has no such value.
    pub(super) fn member(&self, path: &str, query: &str, request_id: RequestId) -> Option<String> {
        match &self.counted {
            Counted::Requests | Counted::Responses(_) => Some(request_id.to_string()),
            Counted::Paths => Some(path.to_owned()),
            Counted::Parameter(name) => {
                let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.to_owned())
            }
            Counted::Segment(number) => path.split('/').nth(*number).map(str::to_owned),
        }
    }
}

impl Counted {
    /// As the configuration says it.
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

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Requests => f.write_str("requests"),
            Self::Paths => f.write_str("paths"),
            Self::Parameter(name) => write!(f, "get:{name}"),
            Self::Segment(number) => write!(f, "path:{number}"),
            Self::Responses(status) => write!(f, "status:{status}"),
        }
    }
}
