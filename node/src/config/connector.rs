//! `connector`: the listener for connectors, and the calls it accepts.

use super::{
    scalar::Scalar,
    section::{Part, Section},
    tls,
};
use crate::routes::{glob::Glob, normalize_host};
use axum::http::StatusCode;
use listener::{Recycle, tls::TlsConfig};
use shared::ruleset::Network;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

#[derive(Debug, Clone)]
pub struct ConnectorConfig {
    pub address: SocketAddr,
    /// False: no request is blocked in any mode.
    pub blocking: bool,
    /// Networks that may connect. Empty: all.
    pub allowed_networks: Vec<Network>,
    /// Absent: plain HTTP.
    pub tls: Option<TlsConfig>,
    pub recycle: Recycle,
    /// Hosts of accepted requests. Empty: all.
    pub allowed_hosts: Vec<Glob>,
    /// Routes match the normalized path.
    pub url_normalize: bool,
    /// Path of the external health check.
    pub health_path: Option<String>,
    /// Deadline of a call, and the status of late responses.
    pub reply_timeout: Option<(Duration, StatusCode)>,
}

impl ConnectorConfig {
    pub fn allows_network(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.allowed_networks.is_empty() || self.allowed_networks.iter().any(|it| it.contains(peer))
    }

    pub fn allows_host(&self, host: &str) -> bool {
        self.allowed_hosts.is_empty()
            || self.allowed_hosts.iter().any(|glob| glob.matches(&normalize_host(host)))
    }
}

impl Part for ConnectorConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let address = section.required("address");
        let tls = tls::read(section);
        let recycle = section.section("per_connection_limits");
        let blocking = section.or("blocking", true);
        let allowed_networks = section.list("allowed_networks", Vec::new());
        let allowed_hosts = section.list("allowed_hosts", Vec::new());
        let url_normalize = section.or("url_normalize", true);
        let reply_timeout = section.optional("app_reply_timeout");
        let reply_timeout_code = section.or("app_reply_timeout_code", StatusCode::INTERNAL_SERVER_ERROR);
        let health_path = section.nested("external_health_check", read_health_path)?;
        section.ignored("mesh", "the console joins requests and responses of different nodes");
        Some(Self {
            address: address?,
            tls,
            recycle: recycle?,
            blocking,
            allowed_networks,
            allowed_hosts,
            url_normalize,
            health_path,
            reply_timeout: reply_timeout.map(|limit| (limit, reply_timeout_code)),
        })
    }
}

fn read_health_path(section: &mut Section<'_>) -> Option<String> {
    let enabled = section.or("enabled", true);
    let endpoint = section.or("endpoint", "/wallarm-external-health".to_owned());
    if !endpoint.starts_with('/') {
        section.wrong("endpoint", "must start with /");
    }
    enabled.then_some(endpoint)
}

/// An error status, which a connector treats as "not inspected".
impl Scalar for StatusCode {
    fn parse(text: &str) -> Result<Self, String> {
        let status = text.parse().ok().filter(|it: &Self| it.is_client_error() || it.is_server_error());
        status.ok_or_else(|| "must be an error status from 400 to 599".to_owned())
    }

    fn shown(&self) -> String {
        self.as_str().to_owned()
    }
}
