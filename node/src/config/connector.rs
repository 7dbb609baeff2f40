//! `connector`: where connectors call.

use super::{
    section::{Part, Section},
    tls,
};
use crate::doors::{limits::Recycle, tls::TlsConfig};
use std::net::SocketAddr;

#[derive(Debug, Clone)]
pub struct ConnectorConfig {
    pub address: SocketAddr,
    /// Absent: plain HTTP.
    pub tls: Option<TlsConfig>,
    pub recycle: Recycle,
}

impl Part for ConnectorConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        section
            .ignored("mesh", "a request and its response may reach different nodes, the console joins them");
        let address = section.required("address");
        let tls = tls::read(section);
        let recycle = section.section("per_connection_limits");
        Some(Self { address: address?, tls, recycle: recycle? })
    }
}
