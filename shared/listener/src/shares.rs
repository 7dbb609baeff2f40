//! Shares of a limited good, by the network of its users.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Bounds what one network has at a time.
#[derive(Debug, Clone)]
pub struct Shares {
    limit: usize,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// What a network has taken, until it is dropped.
#[derive(Debug)]
pub struct Share {
    network: IpAddr,
    amount: usize,
    shares: Shares,
}

impl Shares {
    pub fn of(limit: usize) -> Self {
        Self { limit, taken: Arc::default() }
    }

    /// An empty share for the network of an address.
    pub fn of_network(&self, address: IpAddr) -> Share {
        Share { network: network(address), amount: 0, shares: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes more; `false` if its network would exceed the limit.
    pub fn take(&mut self, amount: usize) -> bool {
        let mut taken = self.shares.lock();
        let now = taken.get(&self.network).copied().unwrap_or_default();
        let fits = now.checked_add(amount).filter(|sum| *sum <= self.shares.limit);
        if let Some(sum) = fits {
            taken.insert(self.network, sum);
            self.amount += amount;
        }
        fits.is_some()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.shares.lock();
        let rest = taken.get(&self.network).copied().unwrap_or_default().saturating_sub(self.amount);
        if rest == 0 {
            taken.remove(&self.network);
        } else {
            taken.insert(self.network, rest);
        }
    }
}

/// The address of IPv4; the /64 of IPv6, of which one subscriber has all addresses.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_each_network_and_gives_back() {
        let shares = Shares::of(3);
        let of = |address: &str| shares.of_network(address.parse().unwrap());
        let (mut first, mut second) = (of("2001:db8::1"), of("2001:db8::2"));
        assert!(first.take(2) && second.take(1));
        assert!(!second.take(1), "both are in one /64");
        assert!(of("2001:db8:0:1::1").take(3) && of("192.0.2.7").take(3));
        drop(first);
        assert!(second.take(2) && !second.take(1));
        drop(second);
        assert!(shares.lock().is_empty());
    }

    #[test]
    fn addresses_of_ipv4_in_ipv6_are_those_of_ipv4() {
        assert_eq!(network("::ffff:192.0.2.7".parse().unwrap()), IpAddr::from([192, 0, 2, 7]));
    }
}
