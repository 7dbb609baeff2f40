//! CloudFront as far as a Lambda@Edge function can see it: a distribution with its origins, behaviors and policies, the
//! functions at its four triggers, and its cache.
//!
//! What is not simulated is said aloud when a configuration asks for it; `docs/simulator.md` has the list.
//!
//! Every list and number here was read from AWS's Developer Guide for this crate alone, and is not shared with the
//! connector it tests. The names in quotes are the titles of the pages.

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
use crate::http1::{Options, Server};

pub use config::{ConfigError, Given, Loaded, OriginAt, load};
pub use distribution::{
    Association, Behavior, DistributionConfig, ErrorCaching, ErrorPage, ErrorResponse, Functions, Origin,
    OriginGroup, OriginKind, Trigger, ViewerProtocol,
};
pub use edge::Edge;
pub use path_pattern::PathPattern;
pub use policy::{CachePolicy, Cors, OriginRequestPolicy, PolicyHeader, ResponseHeadersPolicy, Selection};

/// A distribution on a listener. Dropping it closes the listener; the functions belong to whoever started them.
#[derive(Debug)]
pub struct CloudFront {
    server: Server,
    edge: Arc<Edge>,
}

impl CloudFront {
    pub fn start(listener: TcpListener, config: DistributionConfig) -> io::Result<Self> {
        Self::start_with(listener, Edge::new(config, Clock::real()), Options::default())
    }

    /// Serves this edge by these options, TLS among them.
    pub fn start_with(
        listener: TcpListener,
        edge: impl Into<Arc<Edge>>,
        options: Options,
    ) -> io::Result<Self> {
        let edge = edge.into();
        let serving = Arc::clone(&edge);
        let server = Server::start_with(listener, options, move |request, peer| {
            let edge = Arc::clone(&serving);
            async move { edge.serve(request, peer).await }
        })?;
        Ok(Self { server, edge })
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Ends the listener in order: what is under way has so long to be answered.
    pub async fn drain(self, patience: Duration) {
        self.server.drain(patience).await;
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// What serves behind the listener, for other listeners, and to look into.
    pub fn edge(&self) -> &Arc<Edge> {
        &self.edge
    }
}
