//! `connector`: where connectors call, and what is taken from them.

use super::section::{Part, Section};
use crate::routes::{bare, glob::Glob};
use shared::ruleset::Network;
use std::net::{IpAddr, SocketAddr};

#[derive(Debug, Clone)]
pub struct ConnectorConfig {
    pub address: SocketAddr,
    /// The master switch: without it no request is blocked, whatever the mode.
    pub blocking: bool,
    /// Connections from elsewhere are refused. None: all are taken.
    pub allowed_networks: Vec<Network>,
    /// Requests for other hosts are refused. None: all are taken.
    pub allowed_hosts: Vec<Glob>,
    /// Routes are chosen by the path as an origin will take it, not as it is spelled.
    pub url_normalize: bool,
    /// A path that answers 200 as long as the node runs.
    pub health_path: Option<String>,
}

impl ConnectorConfig {
    pub fn allows_network(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.allowed_networks.is_empty() || self.allowed_networks.iter().any(|it| it.contains(peer))
    }

    pub fn allows_host(&self, host: &str) -> bool {
        self.allowed_hosts.is_empty() || self.allowed_hosts.iter().any(|glob| glob.fits(&bare(host)))
    }
}

impl Part for ConnectorConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let address = section.required("address");
        let blocking = section.or("blocking", true);
        let allowed_networks = section.list("allowed_networks", Vec::new());
        let allowed_hosts = section.list("allowed_hosts", Vec::new());
        let url_normalize = section.or("url_normalize", true);
        let ExternalHealthCheck(health_path) = section.section("external_health_check")?;
        section.ignored("mesh", "a request and its response may reach different nodes, the console joins them");
        Some(Self { address: address?, blocking, allowed_networks, allowed_hosts, url_normalize, health_path })
    }
}

struct ExternalHealthCheck(Option<String>);

impl Part for ExternalHealthCheck {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let enabled = section.or("enabled", false);
        let endpoint = section.or("endpoint", "/wallarm-external-health".to_owned());
        if !endpoint.starts_with('/') {
            section.wrong("endpoint", "must start with /");
        }
        Some(Self(enabled.then_some(endpoint)))
    }
}
