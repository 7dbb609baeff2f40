//! The parts of CloudFront that a Lambda@Edge function can observe: a distribution with its
//! origins, behaviors and policies, the functions at its four triggers, and its cache.
//!
//! Settings that are not simulated are reported when a configuration uses them; `docs/simulator.md`
//! lists them.
//!
//! All lists and numbers were read from AWS's Developer Guide for this crate alone. Quoted names
//! are titles of its pages.

mod cache;
mod config;
mod distribution;
mod edge;
mod event;
mod failure;
mod forward;
mod headers;
mod limits;
mod outcome;
mod path_pattern;
mod policy;
mod request;
mod warnings;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::http1::{Limits, Options, Server};

pub use config::{ConfigError, Given, Loaded, OriginAt, load};
pub use distribution::{
    Association, Behavior, DistributionConfig, ErrorCaching, ErrorPage, ErrorResponse, Functions, Origin,
    OriginGroup, OriginKind, Trigger, ViewerProtocol,
};
pub use edge::Edge;
pub use path_pattern::PathPattern;
pub use policy::{CachePolicy, Cors, OriginRequestPolicy, PolicyHeader, ResponseHeadersPolicy, Selection};

/// A distribution on a listener. Dropping it closes the listener, and leaves the functions running.
#[derive(Debug)]
pub struct CloudFront {
    server: Server,
    edge: Arc<Edge>,
}

impl CloudFront {
    pub fn start(listener: TcpListener, config: DistributionConfig) -> io::Result<Self> {
        Self::start_with(listener, Edge::new(config, Clock::real()), Options::default())
    }

    /// Serves this edge with these options, such as TLS; the size of bodies has CloudFront's limit.
    pub fn start_with(
        listener: TcpListener,
        edge: impl Into<Arc<Edge>>,
        options: Options,
    ) -> io::Result<Self> {
        let edge = edge.into();
        let serving = Arc::clone(&edge);
        let limits = Limits { body: limits::REQUEST_BODY, ..options.limits };
        let options = Options { limits, ..options };
        let server = Server::start_streaming(listener, options, move |request, peer| {
            let edge = Arc::clone(&serving);
            async move { edge.serve(request, peer).await }
        })?;
        Ok(Self { server, edge })
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Shuts the listener down gracefully: requests in progress have this long to be answered.
    pub async fn drain(self, limit: Duration) {
        self.server.drain(limit).await;
    }

    /// Number of open connections.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// The edge behind the listener, for other listeners and for inspection.
    pub fn edge(&self) -> &Arc<Edge> {
        &self.edge
    }
}
