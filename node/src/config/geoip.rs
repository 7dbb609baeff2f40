//! `geoip`: databases of countries and autonomous systems.

use super::section::{Part, Section};
use std::path::PathBuf;

/// `.mmdb` files; without one, list entries of its kind are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GeoIpConfig {
    pub country_file: Option<PathBuf>,
    pub asn_file: Option<PathBuf>,
}

impl Part for GeoIpConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self { country_file: section.optional("country_file"), asn_file: section.optional("asn_file") })
    }
}
