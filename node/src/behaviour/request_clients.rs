//! Request id → client address, for responses that controls count. Bounded like
//! [`RecentRequests`](crate::recent::RecentRequests).

use shared::RequestId;
use std::{collections::HashMap, mem, net::IpAddr};

/// Positions of controls.
type Controls = Vec<usize>;

#[derive(Debug, Default)]
pub(super) struct RequestClients {
    young: HashMap<RequestId, (IpAddr, Controls)>,
    old: HashMap<RequestId, (IpAddr, Controls)>,
}

impl RequestClients {
    const GENERATION: usize = 100_000;

    pub(super) fn record(&mut self, request_id: RequestId, source: IpAddr, controls: Controls) {
        if self.young.len() >= Self::GENERATION {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(request_id, (source, controls));
    }

    pub(super) fn find(&self, request_id: RequestId) -> Option<(IpAddr, Controls)> {
        self.young.get(&request_id).or_else(|| self.old.get(&request_id)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    #[test]
    fn remembers_the_latest_requests_in_bounded_memory() {
        let mut clients = RequestClients::default();
        let id = |n: usize| RequestId::derive("E1", &n.to_string());
        let source = |n: usize| Ipv6Addr::from_bits(n as u128).into();
        for n in 0..=2 * RequestClients::GENERATION {
            clients.record(id(n), source(n), vec![0]);
        }
        assert!(clients.young.len() + clients.old.len() <= 2 * RequestClients::GENERATION);
        let last = 2 * RequestClients::GENERATION;
        assert_eq!(clients.find(id(last)), Some((source(last), vec![0])));
        assert_eq!(clients.find(id(0)), None);
    }
}
