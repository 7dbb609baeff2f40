//! `route_config`: what is done about attacks.

use super::section::{Part, Section};
use shared::Mode;

#[derive(Debug, Clone)]
pub struct RouteConfig {
    pub mode: Mode,
}

impl Part for RouteConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self { mode: section.or("wallarm_mode", Mode::Monitoring) })
    }
}
