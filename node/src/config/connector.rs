//! `connector`: where connectors call.

use super::section::{Part, Section};
use std::net::SocketAddr;

#[derive(Debug, Clone)]
pub struct ConnectorConfig {
    pub address: SocketAddr,
}

impl Part for ConnectorConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        section
            .ignored("mesh", "a request and its response may reach different nodes, the console joins them");
        Some(Self { address: section.required("address")? })
    }
}
