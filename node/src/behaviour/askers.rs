//! Who sent the latest requests whose answers count. Bounded like [`RecentRequests`](crate::recent::RecentRequests).

use shared::RequestId;
use std::{collections::HashMap, mem, net::IpAddr};

/// Positions of controls.
type Controls = Vec<usize>;

#[derive(Debug, Default)]
pub(super) struct Askers {
    young: HashMap<RequestId, (IpAddr, Controls)>,
    old: HashMap<RequestId, (IpAddr, Controls)>,
}

impl Askers {
    const GENERATION: usize = 100_000;

    pub(super) fn note(&mut self, request_id: RequestId, source: IpAddr, controls: Controls) {
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
    fn the_latest_are_known_and_the_memory_is_bounded() {
        let mut askers = Askers::default();
        let id = |n: usize| RequestId::derive("E1", &n.to_string());
        let source = |n: usize| Ipv6Addr::from_bits(n as u128).into();
        for n in 0..=2 * Askers::GENERATION {
            askers.note(id(n), source(n), vec![0]);
        }
        assert!(askers.young.len() + askers.old.len() <= 2 * Askers::GENERATION);
        let last = 2 * Askers::GENERATION;
        assert_eq!(askers.find(id(last)), Some((source(last), vec![0])));
        assert_eq!(askers.find(id(0)), None);
    }
}
