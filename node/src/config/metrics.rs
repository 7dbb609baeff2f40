//! `metrics`: what can be counted, and where it is read.

use super::{
    listener,
    section::{Part, Section},
};
use std::net::SocketAddr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsConfig {
    /// `/metrics`
    pub address: Option<SocketAddr>,
    /// `/wallarm-status` and the admin calls.
    pub status_address: Option<SocketAddr>,
}

struct LegacyStatus(Option<SocketAddr>);

impl Part for MetricsConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let address = listener::read(section, 9000);
        let LegacyStatus(status_address) = section.section("legacy_status")?;
        Some(Self { address, status_address })
    }
}

impl Part for LegacyStatus {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self(listener::read(section, 10246)))
    }
}
