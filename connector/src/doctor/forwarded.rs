//! Parts of viewer requests that CloudFront forwards to origin triggers.

use super::document::{ForwardedValues, PolicyParts};
use std::fmt;

/// The forwarded names of one kind: query parameters, headers or cookies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ForwardedNames {
    All,
    AllExcept(Vec<String>),
    Only(Vec<String>),
}

/// The parts that a behavior forwards, by its cache policy and its origin request policy together.
#[derive(Debug)]
pub(super) struct Forwarded {
    pub(super) cached: bool,
    pub(super) query: ForwardedNames,
    pub(super) headers: ForwardedNames,
    pub(super) cookies: ForwardedNames,
    /// The header with the mark of two stages is in the cache key.
    pub(super) is_mark_in_key: bool,
}

impl Forwarded {
    pub(super) fn new(
        cached: bool,
        query: ForwardedNames,
        headers: ForwardedNames,
        cookies: ForwardedNames,
    ) -> Self {
        Self { cached, query, headers, cookies, is_mark_in_key: false }
    }

    pub(super) fn nothing(cached: bool) -> Self {
        Self::new(cached, ForwardedNames::only(&[]), ForwardedNames::only(&[]), ForwardedNames::only(&[]))
    }

    pub(super) fn everything(cached: bool) -> Self {
        Self::new(cached, ForwardedNames::All, ForwardedNames::All, ForwardedNames::All)
    }

    pub(super) fn by_policy(cached: bool, parts: &PolicyParts) -> Self {
        let PolicyParts { headers, cookies, query_strings } = parts;
        Self::new(
            cached,
            ForwardedNames::parse(&query_strings.query_string_behavior, &query_strings.query_strings.items),
            ForwardedNames::parse(&headers.header_behavior, &headers.headers.items),
            ForwardedNames::parse(&cookies.cookie_behavior, &cookies.cookies.items),
        )
    }

    /// By the settings of behaviors without policies.
    pub(super) fn by_legacy_settings(cached: bool, settings: &ForwardedValues) -> Self {
        let headers = match &settings.headers.items[..] {
            [all] if all == "*" => ForwardedNames::All,
            headers => ForwardedNames::Only(headers.to_vec()),
        };
        let cookies = settings.cookies.as_ref().map_or(ForwardedNames::only(&[]), |cookies| {
            ForwardedNames::parse(&cookies.forward, &cookies.whitelisted_names.items)
        });
        let query = if settings.query_string { ForwardedNames::All } else { ForwardedNames::only(&[]) };
        Self::new(cached, query, headers, cookies)
    }

    /// The union: parts that either of them forwards.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            cached: self.cached,
            query: self.query.or(other.query),
            headers: self.headers.or(other.headers),
            cookies: self.cookies.or(other.cookies),
            is_mark_in_key: self.is_mark_in_key,
        }
    }
}

impl ForwardedNames {
    /// Parses a keyword of policies (`allViewer`, `whitelist` …) or of the legacy settings.
    fn parse(word: &str, names: &[String]) -> Self {
        match word {
            "all" | "allViewer" | "allViewerAndWhitelistCloudFront" => Self::All,
            "allExcept" => Self::AllExcept(names.to_vec()),
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
            (Self::AllExcept(hidden), it) | (it, Self::AllExcept(hidden)) => {
                Self::AllExcept(hidden.into_iter().filter(|name| !it.includes(name)).collect())
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
            Self::AllExcept(hidden) => !lists(hidden),
            Self::Only(shown) => lists(shown),
        }
    }

    /// Whether nothing relevant is hidden. The host has a hazard of its own.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::All => true,
            Self::AllExcept(hidden) => hidden.iter().all(|name| name.eq_ignore_ascii_case("host")),
            Self::Only(_) => false,
        }
    }
}

impl fmt::Display for ForwardedNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::AllExcept(hidden) => write!(f, "all except {}", hidden.join(", ")),
            Self::Only(shown) if shown.is_empty() => f.write_str("none"),
            Self::Only(shown) => write!(f, "only {}", shown.join(", ")),
        }
    }
}
