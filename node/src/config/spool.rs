//! `spool`: what is kept until the console has it.

use super::section::{Part, Section};
use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolConfig {
    pub directory: PathBuf,
    /// On disk at most; beyond it the oldest undelivered records go, counted.
    pub max_bytes: u64,
    /// How much a power loss may cost. A crash of the process costs nothing.
    pub sync_interval: Duration,
}

/// From the smallest spool that still holds a few segments of the largest records, to a disk larger than any.
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
