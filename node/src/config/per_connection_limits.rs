//! `connector.per_connection_limits`: recycling of connections.

use super::section::{Part, Section};
use listener::Recycle;

impl Part for Recycle {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self {
            max_requests: section.optional("max_requests"),
            max_received_bytes: section.optional("max_received_bytes"),
            max_duration: section.optional("max_duration"),
        })
    }
}
