//! The three policies of a behavior.

mod managed;
mod response_headers;

use std::time::Duration;

pub(super) use response_headers::CorsRequest;
pub use response_headers::{Cors, PolicyHeader, ResponseHeadersPolicy};

/// A selection of headers, cookies or query parameters by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Selection {
    #[default]
    None,
    All,
    Only(Vec<String>),
    AllBut(Vec<String>),
}

/// The contents of the cache key, and the TTLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePolicy {
    pub min_ttl: Duration,
    pub default_ttl: Duration,
    pub max_ttl: Duration,
    /// `None` or `Only`.
    pub headers: Selection,
    pub cookies: Selection,
    pub query: Selection,
    pub gzip: bool,
    pub brotli: bool,
}

/// The parts of a request sent to the origin besides the cache key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OriginRequestPolicy {
    pub headers: Selection,
    /// CloudFront's own headers, in addition to all viewer headers.
    pub cloudfront_headers: Vec<String>,
    pub cookies: Selection,
    pub query: Selection,
}

impl Selection {
    pub fn only(names: &[&str]) -> Self {
        Self::Only(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Header names are case-insensitive; names of cookies and parameters are not.
    pub(super) fn takes_header(&self, name: &str) -> bool {
        self.takes_by(|listed| listed.eq_ignore_ascii_case(name))
    }

    pub(super) fn selects(&self, name: &str) -> bool {
        self.takes_by(|listed| listed == name)
    }

    fn takes_by(&self, is: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Only(names) => names.iter().any(|name| is(name)),
            Self::AllBut(names) => !names.iter().any(|name| is(name)),
        }
    }

    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Only(names) => names,
            Self::None | Self::All | Self::AllBut(_) => &[],
        }
    }
}

impl CachePolicy {
    /// The managed policy `CachingDisabled`.
    pub fn disabled() -> Self {
        Self {
            min_ttl: Duration::ZERO,
            default_ttl: Duration::ZERO,
            max_ttl: Duration::ZERO,
            headers: Selection::None,
            cookies: Selection::None,
            query: Selection::None,
            gzip: false,
            brotli: false,
        }
    }

    /// Only the path in the key, and these TTLs in seconds.
    pub fn with_ttls(min: u64, default: u64, max: u64) -> Self {
        let [min_ttl, default_ttl, max_ttl] = [min, default, max].map(Duration::from_secs);
        Self { min_ttl, default_ttl, max_ttl, ..Self::disabled() }
    }

    /// "Understand cache policies": three TTLs of 0 disable caching.
    pub(super) fn is_disabled(&self) -> bool {
        [self.min_ttl, self.default_ttl, self.max_ttl] == [Duration::ZERO; 3]
    }

    /// AWS's managed policy of this id.
    pub fn managed(id: &str) -> Option<Self> {
        managed::cache_policy(id)
    }
}

impl OriginRequestPolicy {
    /// The managed policy `AllViewer`.
    pub fn all_viewer() -> Self {
        let all = Selection::All;
        Self { headers: all.clone(), cloudfront_headers: Vec::new(), cookies: all.clone(), query: all }
    }

    /// The managed policy `AllViewerExceptHostHeader`.
    pub fn all_viewer_except_host() -> Self {
        Self { headers: Selection::AllBut(vec!["Host".to_owned()]), ..Self::all_viewer() }
    }

    /// AWS's managed policy of this id.
    pub fn managed(id: &str) -> Option<Self> {
        managed::origin_request_policy(id)
    }
}

impl ResponseHeadersPolicy {
    /// AWS's managed policy of this id.
    pub fn managed(id: &str) -> Option<Self> {
        managed::response_headers_policy(id)
    }
}
