//! Parts of viewer requests that CloudFront forwards to origin triggers.

use super::document::{ForwardedValues, PolicyParts};
use std::fmt;

/// The forwarded names of one kind: query parameters, headers or cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    All,
    AllBut(Vec<String>),
    Only(Vec<String>),
}

/// The parts that a behavior forwards, by its cache policy and its origin request policy together.
#[derive(Debug)]
pub(super) struct Forwarded {
    pub(super) cached: bool,
    pub(super) query: Part,
    pub(super) headers: Part,
    pub(super) cookies: Part,
}

impl Forwarded {
    pub(super) fn new(cached: bool, query: Part, headers: Part, cookies: Part) -> Self {
        Self { cached, query, headers, cookies }
    }

    pub(super) fn nothing(cached: bool) -> Self {
        Self::new(cached, Part::only(&[]), Part::only(&[]), Part::only(&[]))
    }

    pub(super) fn everything(cached: bool) -> Self {
        Self::new(cached, Part::All, Part::All, Part::All)
    }

    pub(super) fn by_policy(cached: bool, parts: &PolicyParts) -> Self {
        let PolicyParts { headers, cookies, query_strings } = parts;
        Self::new(
            cached,
            Part::parse(&query_strings.query_string_behavior, &query_strings.query_strings.items),
            Part::parse(&headers.header_behavior, &headers.headers.items),
            Part::parse(&cookies.cookie_behavior, &cookies.cookies.items),
        )
    }

    /// By the settings of behaviors without policies.
    pub(super) fn by_legacy_settings(cached: bool, settings: &ForwardedValues) -> Self {
        let headers = match &settings.headers.items[..] {
            [all] if all == "*" => Part::All,
            headers => Part::Only(headers.to_vec()),
        };
        let cookies = settings.cookies.as_ref().map_or(Part::only(&[]), |cookies| {
            Part::parse(&cookies.forward, &cookies.whitelisted_names.items)
        });
        let query = if settings.query_string { Part::All } else { Part::only(&[]) };
        Self::new(cached, query, headers, cookies)
    }

    /// The union: parts that either of them forwards.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            cached: self.cached,
            query: self.query.or(other.query),
            headers: self.headers.or(other.headers),
            cookies: self.cookies.or(other.cookies),
        }
    }
}

impl Part {
    /// Parses a keyword of policies (`allViewer`, `whitelist` …) or of the legacy settings.
    fn parse(word: &str, names: &[String]) -> Self {
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

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::AllBut(hidden), it) | (it, Self::AllBut(hidden)) => {
                Self::AllBut(hidden.into_iter().filter(|name| !it.includes(name)).collect())
            }
            (Self::Only(mut some), Self::Only(others)) => {
                some.extend(others);
                Self::Only(some)
            }
        }
    }

    pub(super) fn includes(&self, name: &str) -> bool {
        let lists = |names: &[String]| names.iter().any(|it| it.eq_ignore_ascii_case(name));
        match self {
            Self::All => true,
            Self::AllBut(hidden) => !lists(hidden),
            Self::Only(shown) => lists(shown),
        }
    }

    /// Whether nothing relevant is hidden. The host has a hazard of its own.
    pub(super) fn is_complete(&self) -> bool {
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
            Self::AllBut(hidden) => write!(f, "all except {}", hidden.join(", ")),
            Self::Only(shown) if shown.is_empty() => f.write_str("none"),
            Self::Only(shown) => write!(f, "only {}", shown.join(", ")),
        }
    }
}
