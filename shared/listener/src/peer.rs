//! Peers: the other ends of connections, and whether they have made an accepted call.
//!
//! A connection without one is unverified. The oldest unverified one is closed for a new connection:
//! that of the same network when it has too many, any when all connections are in use.

use crate::shares::network;
use std::{
    collections::{BTreeMap, HashMap},
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio_util::sync::CancellationToken;

/// The other end of a connection, an extension of each of its requests.
#[derive(Debug, Clone)]
pub struct Peer(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    address: SocketAddr,
    is_verified: AtomicBool,
    /// Its place among the unverified connections.
    place: Option<(u64, Unverified)>,
}

impl Peer {
    /// The peer of a connection that no listener counts.
    pub fn new(address: SocketAddr) -> Self {
        Self(Arc::new(Connection { address, is_verified: AtomicBool::new(false), place: None }))
    }

    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Whether it has made an accepted call.
    pub fn is_verified(&self) -> bool {
        self.0.is_verified.load(Relaxed)
    }

    /// Remembers that a call was accepted.
    pub fn verify(&self) {
        if !self.0.is_verified.swap(true, Relaxed) {
            self.0.leave();
        }
    }
}

impl Connection {
    fn leave(&self) {
        if let Some((number, unverified)) = &self.place {
            unverified.lock().remove(*number);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The unverified connections of a listener.
#[derive(Debug, Clone)]
pub(super) struct Unverified {
    max_per_network: usize,
    places: Arc<Mutex<Places>>,
}

/// Numbers of connections are in the order of their arrival.
#[derive(Debug, Default)]
struct Places {
    next: u64,
    all: BTreeMap<u64, IpAddr>,
    /// With the tokens that close the connections.
    by_network: HashMap<IpAddr, BTreeMap<u64, CancellationToken>>,
}

impl Unverified {
    pub(super) fn of(max_per_network: usize) -> Self {
        Self { max_per_network, places: Arc::default() }
    }

    /// The peer of a new connection, which this token closes.
    pub(super) fn enter(&self, address: SocketAddr, close: CancellationToken) -> Peer {
        let network = network(address.ip());
        let mut places = self.lock();
        if places.by_network.get(&network).is_some_and(|known| known.len() >= self.max_per_network) {
            places.close_oldest_of(network);
        }
        let number = places.next;
        places.next += 1;
        places.all.insert(number, network);
        places.by_network.entry(network).or_default().insert(number, close);
        let place = Some((number, self.clone()));
        Peer(Arc::new(Connection { address, is_verified: AtomicBool::new(false), place }))
    }

    /// Closes the oldest, other than the newest; `false` if there is none.
    pub(super) fn close_oldest(&self) -> bool {
        let mut places = self.lock();
        let oldest = places.all.values().next().copied().filter(|_| places.all.len() > 1);
        oldest.inspect(|network| places.close_oldest_of(*network)).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Places {
    fn close_oldest_of(&mut self, network: IpAddr) {
        let oldest = self.by_network.get(&network).and_then(|known| known.keys().next().copied());
        if let Some(close) = oldest.and_then(|number| self.remove(number)) {
            close.cancel();
        }
    }

    fn remove(&mut self, number: u64) -> Option<CancellationToken> {
        let network = self.all.remove(&number)?;
        let known = self.by_network.get_mut(&network)?;
        let close = known.remove(&number);
        if known.is_empty() {
            self.by_network.remove(&network);
        }
        close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_unverified_connection_is_closed_first() {
        let unverified = Unverified::of(10);
        let enter = |port| {
            let close = CancellationToken::new();
            (unverified.enter(([192, 0, 2, 7], port).into(), close.clone()), close)
        };
        let (verified, first, second, third) = (enter(1), enter(2), enter(3), enter(4));
        verified.0.verify();
        assert!(unverified.close_oldest());
        assert!(first.1.is_cancelled() && !second.1.is_cancelled() && !verified.1.is_cancelled());
        drop(second);
        assert!(!unverified.close_oldest(), "the newest stays");
        assert!(!third.1.is_cancelled());
    }

    #[test]
    fn a_network_with_too_many_loses_its_oldest() {
        let unverified = Unverified::of(2);
        let enter = |last| {
            let close = CancellationToken::new();
            (unverified.enter(([192, 0, 2, last], 1).into(), close.clone()), close)
        };
        let (other, first, second, third) = (enter(8), enter(7), enter(7), enter(7));
        assert!(first.1.is_cancelled());
        assert!(![&other, &second, &third].iter().any(|(_, close)| close.is_cancelled()));
        drop((other, first, second, third));
        let places = unverified.lock();
        assert!(places.all.is_empty() && places.by_network.is_empty());
    }
}
