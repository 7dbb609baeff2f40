//! What a listener grants those who connect.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Beyond it connections are closed as they come.
    pub max_connections: usize,
    /// For the TLS handshake, and again for each head of a request from its first byte to its last.
    pub header_timeout: Duration,
    pub max_header_bytes: usize,
    /// Between two requests.
    pub keep_alive_timeout: Duration,
    /// How long a client may refuse to take what it has been sent.
    pub write_timeout: Duration,
    /// For the requests under way when the node is told to stop.
    pub drain_timeout: Duration,
    pub recycle: Recycle,
}

/// When a kept connection has served its time. A client that has to connect anew meets a load balancer again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recycle {
    pub max_requests: Option<u64>,
    pub max_received_bytes: Option<u64>,
    pub max_duration: Option<Duration>,
}

impl Limits {
    /// For the listeners that only operators and their tools reach.
    pub fn of_operators() -> Self {
        Self { max_connections: 512, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 16_000,
            header_timeout: Duration::from_secs(10),
            max_header_bytes: 32 << 10,
            keep_alive_timeout: Duration::from_secs(90),
            write_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
            recycle: Recycle::default(),
        }
    }
}
