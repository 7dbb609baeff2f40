//! `spool`: storage of records until their delivery.

use super::section::{Part, Section};
use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolConfig {
    pub directory: PathBuf,
    /// Size limit. Beyond it the oldest undelivered records are dropped and counted.
    pub max_bytes: u64,
    /// The time of records that a power loss may cost. A crash of the process costs none.
    pub sync_interval: Duration,
}

/// The minimum holds a few segments of the largest records.
const BYTES: RangeInclusive<u64> = 16 * 1024 * 1024..=1 << 50;

impl Part for SpoolConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self {
            directory: section.or("directory", "/var/lib/wallarm-node/spool".into()),
            max_bytes: section.within("max_bytes", 1024 * 1024 * 1024, BYTES),
            sync_interval: Duration::from_millis(section.within("sync_ms", 200, 1..=60_000)),
        })
    }
}
