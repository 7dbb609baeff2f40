//! Limits of the connections of a listener.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Further connections take the place of unverified ones, or are closed on arrival.
    pub max_connections: usize,
    /// Connections of one network (IPv4: an address, IPv6: a /64) without an accepted call; a further
    /// one takes the place of the oldest.
    pub max_unverified: usize,
    /// Memory of the calls in progress of connections without an accepted call: their heads, and 4 KiB
    /// for each. One network has a quarter. Beyond it, the connection that holds the most is closed.
    pub max_unverified_bytes: usize,
    /// For the TLS handshake, and for each request head from its first byte to its last.
    pub header_timeout: Duration,
    pub max_header_bytes: usize,
    /// Between two requests; before the first accepted call at most `header_timeout`.
    pub keep_alive_timeout: Duration,
    /// How long a client may leave sent bytes unread.
    pub write_timeout: Duration,
    /// For requests in progress at shutdown.
    pub drain_timeout: Duration,
    pub recycle: Recycle,
    /// Whether a client that has shut down its sending side still gets its response. If not, its calls
    /// end when it disconnects.
    pub half_close: bool,
}

/// When a kept-alive connection is closed, so that the client reconnects through its load balancer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recycle {
    pub max_requests: Option<u64>,
    pub max_received_bytes: Option<u64>,
    pub max_duration: Option<Duration>,
}

impl ConnectionLimits {
    /// For listeners that few clients use.
    pub fn of_operators() -> Self {
        Self { max_connections: 512, ..Self::default() }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: 16_000,
            max_unverified: 1_000,
            max_unverified_bytes: 64 << 20,
            header_timeout: Duration::from_secs(10),
            max_header_bytes: 32 << 10,
            keep_alive_timeout: Duration::from_secs(90),
            write_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
            recycle: Recycle::default(),
            half_close: true,
        }
    }
}
