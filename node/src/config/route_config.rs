//! `route_config`: what is done about attacks.

use super::{
    scalar::{Scalar, word},
    section::{Part, Section},
};
use crate::decision::ModeAllowOverride;
use shared::Mode;

#[derive(Debug, Clone)]
pub struct RouteConfig {
    pub mode: Mode,
    /// How far the console may set the mode.
    pub mode_allow_override: ModeAllowOverride,
}

impl Part for RouteConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self {
            mode: section.or("wallarm_mode", Mode::Monitoring),
            mode_allow_override: section.or("wallarm_mode_allow_override", ModeAllowOverride::On),
        })
    }
}

impl ModeAllowOverride {
    fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Strict => "strict",
            Self::Off => "off",
        }
    }
}

impl Scalar for ModeAllowOverride {
    fn parse(text: &str) -> Result<Self, String> {
        word(text, &[Self::On, Self::Strict, Self::Off], |allowed| allowed.as_str())
    }

    fn shown(&self) -> String {
        self.as_str().to_owned()
    }
}
