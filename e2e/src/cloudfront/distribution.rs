use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::lambda::Function;

/// A distribution with its only behavior.
#[derive(Debug, Clone)]
pub struct DistributionConfig {
    pub distribution_id: String,
    pub domain_name: String,
    /// Where the origin listens.
    pub origin: SocketAddr,
    /// What the distribution calls the origin: its `Host`, unless the viewer's is forwarded.
    pub origin_domain: String,
    pub functions: Functions,
    /// Whether the origin gets the viewer's `Host`, as with the origin request policy `AllViewer`.
    pub forward_host: bool,
    /// Whether the origin gets the viewer's headers at all, as with `AllViewerExceptHostHeader`.
    pub forward_viewer_headers: bool,
    /// CloudFront's origin response timeout.
    pub origin_timeout: Duration,
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
    /// A distribution without functions, its other settings as AWS's documentation recommends for a custom origin.
    pub fn new(origin: SocketAddr) -> Self {
        Self {
            distribution_id: "EDFDVBD6EXAMPLE".to_owned(),
            domain_name: "d111111abcdef8.cloudfront.net".to_owned(),
            origin,
            origin_domain: "origin.example.com".to_owned(),
            functions: Functions::default(),
            forward_host: false,
            forward_viewer_headers: true,
            origin_timeout: Duration::from_secs(30),
        }
    }
}

impl Association {
    pub fn new(function: Arc<Function>) -> Self {
        Self { function, include_body: false }
    }

    pub fn with_body(function: Arc<Function>) -> Self {
        Self { function, include_body: true }
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
}

impl Trigger {
    pub fn is_viewer(self) -> bool {
        matches!(self, Self::ViewerRequest | Self::ViewerResponse)
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
