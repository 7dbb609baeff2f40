//! What a function at origin-request sees: only what the behavior's policies let through.

use super::{
    document::{Behavior, Documents, PolicyParts},
    managed,
    report::{HazardKind, Report},
};
use std::fmt;

/// What of a kind of values CloudFront passes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    All,
    AllBut(Vec<String>),
    Only(Vec<String>),
}

/// What a behavior passes on, by its cache policy and its origin request policy together.
#[derive(Debug)]
pub(super) struct Forwarded {
    pub(super) cached: bool,
    query: Part,
    headers: Part,
    cookies: Part,
}

impl Forwarded {
    /// Policies that were not given count as passing everything on, and are listed as not checked.
    pub(super) fn of(behavior: &Behavior, documents: &Documents, report: &mut Report) -> Self {
        let mut forwarded = Self {
            cached: behavior.max_ttl != Some(0),
            query: Part::Only(Vec::new()),
            headers: Part::Only(Vec::new()),
            cookies: Part::Only(Vec::new()),
        };
        if let Some(legacy) = &behavior.forwarded_values {
            let names = |names: &[String]| names.to_vec();
            forwarded.query = if legacy.query_string { Part::All } else { Part::Only(Vec::new()) };
            forwarded.headers = match &legacy.headers.items[..] {
                [all] if all == "*" => Part::All,
                headers => Part::Only(names(headers)),
            };
            if let Some(cookies) = &legacy.cookies {
                forwarded.cookies = Part::read(&cookies.forward, &cookies.whitelisted_names.items);
            }
        }
        let mut missing = |command: &str, id: &str| {
            report.not_checked(format!(
                "what its policies hide from the function at {}; add the output of: aws cloudfront {command} --id {id}",
                behavior.pattern(),
            ));
        };
        if let Some(id) = behavior.cache_policy_id.as_deref().filter(|id| !id.is_empty()) {
            if let Some(policy) = documents.cache_policies.iter().find(|policy| policy.id == id) {
                forwarded.cached = policy.cache_policy_config.max_ttl != Some(0);
                if let Some(parts) =
                    &policy.cache_policy_config.parameters_in_cache_key_and_forwarded_to_origin
                {
                    forwarded = forwarded.and(Self::by(parts));
                }
            } else if let Some(policy) = managed::cache_policy(id) {
                forwarded.cached = policy.cached;
                forwarded = forwarded.and(policy);
            } else {
                missing("get-cache-policy", id);
                forwarded = forwarded.and(Self::everything());
            }
        }
        if let Some(id) = behavior.origin_request_policy_id.as_deref().filter(|id| !id.is_empty()) {
            if let Some(policy) = documents.origin_request_policies.iter().find(|policy| policy.id == id) {
                forwarded = forwarded.and(Self::by(&policy.origin_request_policy_config));
            } else if let Some(policy) = managed::origin_request_policy(id) {
                forwarded = forwarded.and(policy);
            } else {
                missing("get-origin-request-policy", id);
                forwarded = forwarded.and(Self::everything());
            }
        }
        forwarded
    }

    pub(super) fn new(cached: bool, query: Part, headers: Part, cookies: Part) -> Self {
        Self { cached, query, headers, cookies }
    }

    fn everything() -> Self {
        Self::new(true, Part::All, Part::All, Part::All)
    }

    fn by(parts: &PolicyParts) -> Self {
        let PolicyParts { headers, cookies, query_strings } = parts;
        Self::new(
            true,
            Part::read(&query_strings.query_string_behavior, &query_strings.query_strings.items),
            Part::read(&headers.header_behavior, &headers.headers.items),
            Part::read(&cookies.cookie_behavior, &cookies.cookies.items),
        )
    }

    fn and(self, other: Self) -> Self {
        Self {
            cached: self.cached,
            query: self.query.and(other.query),
            headers: self.headers.and(other.headers),
            cookies: self.cookies.and(other.cookies),
        }
    }
}

impl Part {
    /// The words of policies (`allViewer`, `whitelist` …) and of the older settings.
    fn read(word: &str, names: &[String]) -> Self {
        match word {
            "all" | "allViewer" | "allViewerAndWhitelistCloudFront" => Self::All,
            "allExcept" => Self::AllBut(names.to_vec()),
            "whitelist" => Self::Only(names.to_vec()),
            _ => Self::Only(Vec::new()),
        }
    }

    pub(super) fn only(names: &[&str]) -> Self {
        Self::Only(names.iter().map(|&name| name.to_owned()).collect())
    }

    /// What either lets through.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::AllBut(hidden), it) | (it, Self::AllBut(hidden)) => {
                Self::AllBut(hidden.into_iter().filter(|name| !it.shows(name)).collect())
            }
            (Self::Only(mut some), Self::Only(others)) => {
                some.extend(others);
                Self::Only(some)
            }
        }
    }

    fn shows(&self, name: &str) -> bool {
        let lists = |names: &[String]| names.iter().any(|it| it.eq_ignore_ascii_case(name));
        match self {
            Self::All => true,
            Self::AllBut(hidden) => !lists(hidden),
            Self::Only(shown) => lists(shown),
        }
    }

    /// Whether nothing of interest is hidden. The host has a hazard of its own.
    fn complete(&self) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(hidden) => hidden.iter().all(|name| name.eq_ignore_ascii_case("host")),
            Self::Only(_) => false,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::AllBut(hidden) => write!(f, "all but {}", hidden.join(", ")),
            Self::Only(shown) if shown.is_empty() => f.write_str("none"),
            Self::Only(shown) => write!(f, "only {}", shown.join(", ")),
        }
    }
}

pub(super) fn examine(behavior: &Behavior, forwarded: &Forwarded, report: &mut Report) {
    let pattern = behavior.pattern();
    if forwarded.cached {
        let what = "Requests that the cache answers are not inspected: origin-request does not run for them.";
        report.hazard(HazardKind::CacheHitsNotInspected, pattern, what.to_owned());
    }
    for (kind, what, part) in [
        (HazardKind::QueryNotSeen, "query parameters", &forwarded.query),
        (HazardKind::HeadersNotSeen, "headers", &forwarded.headers),
        (HazardKind::CookiesNotSeen, "cookies", &forwarded.cookies),
    ] {
        if !part.complete() {
            report.hazard(kind, pattern, format!(
                "Of the viewer's {what}, the function at origin-request sees {part}: attacks in the hidden ones are missed.",
            ));
        }
    }
    if !forwarded.headers.shows("host") {
        let what = "The function at origin-request sees the origin's host instead of the viewer's: attacks are recorded for the \
                    wrong host.";
        report.hazard(HazardKind::HostNotSeen, pattern, what.to_owned());
    }
}
