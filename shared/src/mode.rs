//! The filtration modes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What the node does about attacks, from the mildest to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is analysed or recorded.
    Off,
    /// Attacks are recorded and let through.
    Monitoring,
    /// Attacks are blocked when they come from gray-listed sources.
    SafeBlocking,
    /// Attacks are blocked.
    Block,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Monitoring => "monitoring",
            Self::SafeBlocking => "safe_blocking",
            Self::Block => "block",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
