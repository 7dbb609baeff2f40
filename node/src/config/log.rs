//! `log`: what the node says of itself.

use super::{
    scalar::{Scalar, word},
    section::{Part, Section},
};
use tracing::Level;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    pub level: Level,
    /// Text for people instead of JSON.
    pub pretty: bool,
}

impl Part for LogConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self { level: section.or("level", Level::INFO), pretty: section.or("pretty", true) })
    }
}

const LEVELS: [(&str, Level); 6] = [
    ("trace", Level::TRACE),
    ("debug", Level::DEBUG),
    ("info", Level::INFO),
    ("warn", Level::WARN),
    ("error", Level::ERROR),
    // The original's; this node has nothing to say at it that is not an error.
    ("fatal", Level::ERROR),
];

impl Scalar for Level {
    fn parse(text: &str) -> Result<Self, String> {
        word(text, &LEVELS, |(name, _)| *name).map(|(_, level)| level)
    }

    fn shown(&self) -> String {
        self.as_str().to_lowercase()
    }
}
