//! An optional listener for operators.

use super::section::Section;
use std::net::{Ipv4Addr, SocketAddr};

/// `enabled` and `listen_address`, on loopback by default.
pub(super) fn read(section: &mut Section<'_>, port: u16) -> Option<SocketAddr> {
    let enabled = section.or("enabled", true);
    let address = section.or("listen_address", SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    enabled.then_some(address)
}
