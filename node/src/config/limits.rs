//! `limits`: what those who call may take up, of memory and of time.

use super::section::{Part, Section};
use crate::{admission::Patience, doors::limits::Limits};
use std::{ops::RangeInclusive, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Of each connection. When one has served its time is said in `connector.per_connection_limits`.
    pub connections: Limits,
    pub max_message_bytes: usize,
    pub body_timeout: Duration,
    /// Of all messages that are being received or analysed.
    pub max_bytes_in_flight: usize,
    /// For a turn at the analysis.
    pub patience: Patience,
}

const TIMES: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_hours(1);
const WAITS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_mins(1);
/// The least that HTTP/1.1 is read with, and the most that anybody sends.
const HEADER_BYTES: RangeInclusive<usize> = 8 << 10..=1 << 20;
const MESSAGE_BYTES: RangeInclusive<usize> = 64 << 10..=64 << 20;
const BYTES_IN_FLIGHT: RangeInclusive<usize> = 1 << 20..=1 << 32;

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections: Limits::default(),
            // CloudFront hands a function at most 1 MB of body; as base64 in JSON, with headers and URL, that is less.
            max_message_bytes: 4 << 20,
            body_timeout: Duration::from_secs(10),
            max_bytes_in_flight: 256 << 20,
            patience: Patience { burst: Duration::from_millis(100), standing: Duration::from_millis(5) },
        }
    }
}

impl Part for LimitsConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let Self { connections, max_message_bytes, body_timeout, max_bytes_in_flight, patience } =
            Self::default();
        let config = Self {
            connections: Limits {
                max_connections: section.within(
                    "max_connections",
                    connections.max_connections,
                    1..=1_000_000,
                ),
                header_timeout: section.within("header_timeout", connections.header_timeout, TIMES),
                max_header_bytes: section.within(
                    "max_header_bytes",
                    connections.max_header_bytes,
                    HEADER_BYTES,
                ),
                keep_alive_timeout: section.within(
                    "keep_alive_timeout",
                    connections.keep_alive_timeout,
                    TIMES,
                ),
                write_timeout: section.within("write_timeout", connections.write_timeout, TIMES),
                drain_timeout: section.within("drain_timeout", connections.drain_timeout, TIMES),
                recycle: connections.recycle,
            },
            max_message_bytes: section.within("max_message_bytes", max_message_bytes, MESSAGE_BYTES),
            body_timeout: section.within("body_timeout", body_timeout, TIMES),
            max_bytes_in_flight: section.within("max_bytes_in_flight", max_bytes_in_flight, BYTES_IN_FLIGHT),
            patience: Patience {
                burst: section.within("burst_wait", patience.burst, WAITS),
                standing: section.within("standing_wait", patience.standing, WAITS),
            },
        };
        if config.max_bytes_in_flight < config.max_message_bytes {
            section.wrong("max_bytes_in_flight", "must not be less than limits.max_message_bytes");
        }
        Some(config)
    }
}
