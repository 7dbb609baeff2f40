//! `connector.per_connection_limits`: recycling of connections.

use super::section::{Part, Section};
use std::time::Duration;

/// When a kept-alive connection is closed, so that the client reconnects through its load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recycle {
    pub max_requests: Option<u64>,
    pub max_received_bytes: Option<u64>,
    pub max_duration: Option<Duration>,
}

impl Part for Recycle {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self {
            max_requests: section.optional("max_requests"),
            max_received_bytes: section.optional("max_received_bytes"),
            max_duration: section.optional("max_duration"),
        })
    }
}
