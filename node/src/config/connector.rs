//! `connector`: where connectors call.

use super::{
    section::{Part, Section},
    tls,
};
use crate::doors::{limits::Recycle, tls::TlsConfig};
use crate::routes::{bare, glob::Glob};
use std::net::SocketAddr;

#[derive(Debug, Clone)]
pub struct ConnectorConfig {
    pub address: SocketAddr,
    /// Absent: plain HTTP.
    pub tls: Option<TlsConfig>,
    pub recycle: Recycle,
    /// Requests for other hosts are refused. None: all are taken.
    pub allowed_hosts: Vec<Glob>,
    /// Routes are chosen by the path as an origin will take it, not as it is spelled.
    pub url_normalize: bool,
}

impl ConnectorConfig {
    pub fn allows_host(&self, host: &str) -> bool {
        self.allowed_hosts.is_empty() || self.allowed_hosts.iter().any(|glob| glob.fits(&bare(host)))
    }
}

impl Part for ConnectorConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        section
            .ignored("mesh", "a request and its response may reach different nodes, the console joins them");
        let address = section.required("address");
        let tls = tls::read(section);
        let recycle = section.section("per_connection_limits");
        let allowed_hosts = section.list("allowed_hosts", Vec::new());
        let url_normalize = section.or("url_normalize", true);
        Some(Self { address: address?, tls, recycle: recycle?, allowed_hosts, url_normalize })
    }
}
