//! CloudFront as far as a Lambda@Edge function can see it: one distribution, one behavior, one custom origin.
//!
//! There is no cache yet: every request is a miss. Neither are there TLS, HTTP/2, compression, custom error pages,
//! origin groups, or functions that send a request to another origin (that is refused aloud, not ignored).
//!
//! Every list and number here was read from AWS's Developer Guide for this crate alone, and is not shared with the
//! connector it tests. The names in quotes are the titles of the pages.

mod behavior;
mod distribution;
mod event;
mod failure;
mod headers;
mod limits;
mod outcome;
mod request;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use crate::http1::{Limits, Server};
use behavior::Behavior;

pub use distribution::{Association, DistributionConfig, Functions, Trigger};

/// A running distribution. Dropping it closes the listener; the functions belong to whoever started them.
#[derive(Debug)]
pub struct CloudFront {
    server: Server,
}

impl CloudFront {
    pub fn start(listener: TcpListener, config: DistributionConfig) -> io::Result<Self> {
        let behavior = Arc::new(Behavior::new(config));
        let server = Server::start(listener, Limits::default(), move |request, peer| {
            let behavior = Arc::clone(&behavior);
            async move { behavior.serve(request, peer.address).await }
        })?;
        Ok(Self { server })
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }
}
