//! `health_check`: `/live` and `/ready`.

use super::{
    listener,
    section::{Part, Section},
};
use std::net::SocketAddr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheckConfig {
    pub address: Option<SocketAddr>,
}

impl Part for HealthCheckConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self { address: listener::read(section, 8080) })
    }
}
