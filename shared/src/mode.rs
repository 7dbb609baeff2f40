//! Filtration modes.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How the node treats attacks, from the most permissive to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is analyzed or recorded.
    Off,
    /// Attacks are recorded, not blocked.
    Monitoring,
    /// Attacks from graylisted sources are blocked.
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
