//! `limits`: memory and time that callers may use.

use super::section::{Part, Section};
use listener::ConnectionLimits;
use std::{ops::RangeInclusive, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Limits of each connection; `connector.per_connection_limits` configures recycling.
    pub connections: ConnectionLimits,
    pub max_message_bytes: usize,
    pub body_timeout: Duration,
    /// Of all messages being received or analyzed.
    pub max_bytes_in_flight: usize,
    pub queue: QueueTimeouts,
}

/// How long a message may wait for its analysis to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueTimeouts {
    /// During a burst.
    pub burst_timeout: Duration,
    /// Under sustained overload.
    pub overloaded_timeout: Duration,
}

const TIMES: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_hours(1);
const WAITS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_mins(1);
/// From the smallest buffer for HTTP/1.1 to the largest head in practice.
const HEADER_BYTES: RangeInclusive<usize> = 8 << 10..=1 << 20;
const MESSAGE_BYTES: RangeInclusive<usize> = 64 << 10..=64 << 20;
const BYTES_IN_FLIGHT: RangeInclusive<usize> = 1 << 20..=1 << 32;

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections: ConnectionLimits::default(),
            // CloudFront passes at most 1 MB of body to a function; a message with it is smaller.
            max_message_bytes: 4 << 20,
            body_timeout: Duration::from_secs(10),
            max_bytes_in_flight: 256 << 20,
            queue: QueueTimeouts {
                burst_timeout: Duration::from_millis(100),
                overloaded_timeout: Duration::from_millis(5),
            },
        }
    }
}

impl Part for LimitsConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let Self { connections, max_message_bytes, body_timeout, max_bytes_in_flight, queue } =
            Self::default();
        let config = Self {
            connections: ConnectionLimits {
                max_connections: section.within(
                    "max_connections",
                    connections.max_connections,
                    1..=1_000_000,
                ),
                max_unverified: section.within(
                    "max_unverified_connections",
                    connections.max_unverified,
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
                ..connections
            },
            max_message_bytes: section.within("max_message_bytes", max_message_bytes, MESSAGE_BYTES),
            body_timeout: section.within("body_timeout", body_timeout, TIMES),
            max_bytes_in_flight: section.within("max_bytes_in_flight", max_bytes_in_flight, BYTES_IN_FLIGHT),
            queue: QueueTimeouts {
                burst_timeout: section.within("burst_wait", queue.burst_timeout, WAITS),
                overloaded_timeout: section.within("standing_wait", queue.overloaded_timeout, WAITS),
            },
        };
        if config.max_bytes_in_flight < config.max_message_bytes {
            section.wrong("max_bytes_in_flight", "must not be less than limits.max_message_bytes");
        }
        Some(config)
    }
}
