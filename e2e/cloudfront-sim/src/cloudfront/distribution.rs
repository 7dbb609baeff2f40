//! The model of a distribution.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;

use super::path_pattern::{PathPattern, normalized};
use super::policy::{CachePolicy, OriginRequestPolicy, ResponseHeadersPolicy};
use super::request::EdgeRequest;
use crate::faults::Faults;
use crate::lambda::Function;

/// A distribution: origins, and the behaviors that route requests to them.
#[derive(Debug, Clone)]
pub struct DistributionConfig {
    pub distribution_id: String,
    pub domain_name: String,
    pub default_root_object: Option<String>,
    /// Never empty.
    pub origins: Vec<Origin>,
    pub origin_groups: Vec<OriginGroup>,
    /// In order of precedence.
    pub behaviors: Vec<(PathPattern, Behavior)>,
    pub default_behavior: Behavior,
    pub error_responses: Vec<ErrorResponse>,
    pub error_caching: ErrorCaching,
    /// Faults injected at the origins.
    pub faults: Faults,
}

#[derive(Debug, Clone)]
pub struct Origin {
    pub id: String,
    /// The origin's `Host`, unless the viewer's is forwarded.
    pub domain_name: String,
    /// Its address on this machine.
    pub address: SocketAddr,
    /// Prefix of the path of every request.
    pub path: String,
    pub custom_headers: Vec<(String, String)>,
    pub kind: OriginKind,
    /// CloudFront's origin response timeout.
    pub read_timeout: Duration,
}

/// Settings that only appear in events.
#[derive(Debug, Clone)]
pub enum OriginKind {
    Custom { port: u16, protocol: String, keepalive_timeout: u64, ssl_protocols: Vec<String> },
    S3 { region: String },
}

/// A primary origin, and a secondary one for failover.
#[derive(Debug, Clone)]
pub struct OriginGroup {
    pub id: String,
    pub primary: String,
    pub secondary: String,
    /// Statuses of the primary that cause a failover.
    pub status_codes: Vec<u16>,
}

/// The settings for requests of one path pattern.
#[derive(Debug, Clone)]
pub struct Behavior {
    /// The id of an origin or origin group.
    pub target: String,
    pub viewer_protocol: ViewerProtocol,
    pub allowed_methods: Vec<String>,
    /// `GET` and `HEAD` are always cached.
    pub caches_options: bool,
    pub cache: CachePolicy,
    pub origin_request: OriginRequestPolicy,
    pub response_headers: ResponseHeadersPolicy,
    pub functions: Functions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewerProtocol {
    AllowAll,
    RedirectToHttps,
    HttpsOnly,
}

/// How long an error is cached, and its custom page.
#[derive(Debug, Clone)]
pub struct ErrorResponse {
    pub error_code: u16,
    pub caching_min_ttl: Duration,
    pub page: Option<ErrorPage>,
}

#[derive(Debug, Clone)]
pub struct ErrorPage {
    pub path: String,
    pub response_code: u16,
}

/// The rules for caching errors. AWS's pages disagree, and do not cover generated errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ErrorCaching {
    /// The longest time any page allows ("Control how long CloudFront caches errors")
    #[default]
    Pessimistic,
    /// The table of status codes ("How CloudFront processes HTTP 4xx and 5xx status codes from your
    /// origin")
    Documented,
}

/// At most one function per trigger.
#[derive(Debug, Clone, Default)]
pub struct Functions {
    pub viewer_request: Option<Association>,
    pub origin_request: Option<Association>,
    pub origin_response: Option<Association>,
    pub viewer_response: Option<Association>,
}

/// A function at a trigger.
#[derive(Debug, Clone)]
pub struct Association {
    pub function: Arc<Function>,
    /// The "Include body" box; only request triggers have it.
    pub include_body: bool,
}

/// The four events a function can be associated with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    ViewerRequest,
    OriginRequest,
    OriginResponse,
    ViewerResponse,
}

impl DistributionConfig {
    /// One origin and one behavior without caching that forwards everything except the `Host`: the
    /// managed policies `CachingDisabled` and `AllViewerExceptHostHeader`.
    pub fn new(origin: SocketAddr) -> Self {
        let origin = Origin::new("origin", "origin.example.com", origin);
        Self {
            distribution_id: "EDFDVBD6EXAMPLE".to_owned(),
            domain_name: "d111111abcdef8.cloudfront.net".to_owned(),
            default_root_object: None,
            default_behavior: Behavior::new(&origin.id),
            origins: vec![origin],
            origin_groups: Vec::new(),
            behaviors: Vec::new(),
            error_responses: Vec::new(),
            error_caching: ErrorCaching::default(),
            faults: Faults::default(),
        }
    }

    #[must_use]
    pub fn with_functions(mut self, functions: Functions) -> Self {
        self.default_behavior.functions = functions;
        self
    }

    /// The first behavior whose pattern matches. It does not change when a function changes the
    /// URI.
    pub(super) fn behavior(&self, path: &str) -> &Behavior {
        let path = normalized(path);
        let matching = self.behaviors.iter().find(|(pattern, _)| pattern.matches(&path));
        matching.map_or(&self.default_behavior, |(_, behavior)| behavior)
    }

    /// The pattern of that behavior; `*` for the default one.
    pub fn path_pattern(&self, path: &str) -> String {
        let path = normalized(path);
        let matching = self.behaviors.iter().find(|(pattern, _)| pattern.matches(&path));
        matching.map_or_else(|| "*".to_owned(), |(pattern, _)| pattern.to_string())
    }

    /// The origin of a behavior, and the failover origin. `None` only if the configuration names
    /// neither.
    pub(super) fn target(&self, behavior: &Behavior) -> Option<(&Origin, Option<(&Origin, &OriginGroup)>)> {
        let origin = |id: &str| self.origins.iter().find(|origin| origin.id == id);
        if let Some(group) = self.origin_groups.iter().find(|group| group.id == behavior.target) {
            return Some((origin(&group.primary)?, origin(&group.secondary).map(|second| (second, group))));
        }
        origin(&behavior.target).map(|origin| (origin, None))
    }

    pub(super) fn error_response(&self, status: u16) -> Option<&ErrorResponse> {
        self.error_responses.iter().find(|response| response.error_code == status)
    }
}

impl Origin {
    /// A custom origin with CloudFront's default settings.
    pub fn new(id: &str, domain_name: &str, address: SocketAddr) -> Self {
        Self {
            id: id.to_owned(),
            domain_name: domain_name.to_owned(),
            address,
            path: String::new(),
            custom_headers: Vec::new(),
            kind: OriginKind::Custom {
                port: address.port(),
                protocol: "http".to_owned(),
                keepalive_timeout: 5,
                ssl_protocols: vec!["TLSv1.2".to_owned()],
            },
            read_timeout: Duration::from_secs(30),
        }
    }
}

impl Behavior {
    /// With all methods, no functions, and the policies of [`DistributionConfig::new`].
    pub fn new(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            viewer_protocol: ViewerProtocol::AllowAll,
            allowed_methods: super::limits::METHODS.map(str::to_owned).to_vec(),
            caches_options: false,
            cache: CachePolicy::disabled(),
            origin_request: OriginRequestPolicy::all_viewer_except_host(),
            response_headers: ResponseHeadersPolicy::default(),
            functions: Functions::default(),
        }
    }

    /// Whether responses to this method are cacheable.
    pub(super) fn caches(&self, method: &str) -> bool {
        matches!(method, "GET" | "HEAD") || (method == "OPTIONS" && self.caches_options)
    }
}

impl ErrorResponse {
    /// "The default duration" of every error.
    pub(super) const DEFAULT_TTL: Duration = Duration::from_secs(10);
}

impl Association {
    pub fn new(function: Arc<Function>) -> Self {
        Self { function, include_body: false }
    }

    pub fn with_body(function: Arc<Function>) -> Self {
        Self { function, include_body: true }
    }

    pub(super) fn shows_body_of(&self, request: &EdgeRequest) -> bool {
        self.include_body && request.may_carry_a_body()
    }
}

impl Functions {
    pub fn at(&self, trigger: Trigger) -> Option<&Association> {
        match trigger {
            Trigger::ViewerRequest => self.viewer_request.as_ref(),
            Trigger::OriginRequest => self.origin_request.as_ref(),
            Trigger::OriginResponse => self.origin_response.as_ref(),
            Trigger::ViewerResponse => self.viewer_response.as_ref(),
        }
    }

    pub fn at_mut(&mut self, trigger: Trigger) -> &mut Option<Association> {
        match trigger {
            Trigger::ViewerRequest => &mut self.viewer_request,
            Trigger::OriginRequest => &mut self.origin_request,
            Trigger::OriginResponse => &mut self.origin_response,
            Trigger::ViewerResponse => &mut self.viewer_response,
        }
    }
}

impl Trigger {
    pub const ALL: [Self; 4] =
        [Self::ViewerRequest, Self::OriginRequest, Self::OriginResponse, Self::ViewerResponse];

    pub fn is_viewer(self) -> bool {
        matches!(self, Self::ViewerRequest | Self::ViewerResponse)
    }

    pub fn is_request(self) -> bool {
        matches!(self, Self::ViewerRequest | Self::OriginRequest)
    }
}

/// As in `eventType`.
impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ViewerRequest => "viewer-request",
            Self::OriginRequest => "origin-request",
            Self::OriginResponse => "origin-response",
            Self::ViewerResponse => "viewer-response",
        })
    }
}
