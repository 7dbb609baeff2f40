//! `metrics`: the listeners and the names of metrics.

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
    /// Prefix of all series.
    pub namespace: String,
    /// Series per host.
    pub per_host_stats: bool,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            address: None,
            status_address: None,
            namespace: "wallarm_gonode".to_owned(),
            per_host_stats: true,
        }
    }
}

impl Part for MetricsConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let address = listener::read(section, 9000);
        let namespace = section.or("namespace", Self::default().namespace);
        let is_name = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !text.starts_with(|first: char| first.is_ascii_digit())
        };
        if !is_name(&namespace) {
            section.wrong("namespace", "must consist of letters, digits and _, and not start with a digit");
        }
        let per_host_stats = section.or("per_host_stats", true);
        let status_address = section.nested("legacy_status", |section| listener::read(section, 10246))?;
        Some(Self { address, status_address, namespace, per_host_stats })
    }
}
