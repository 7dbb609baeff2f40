//! Peers: the other ends of connections, and whether they have made an accepted call.
//!
//! A connection without one is unverified. When all connections are in use, the oldest unverified one
//! makes room, and a network has a limited number of them, so that strangers cannot keep callers out.

use crate::shares::{Share, Shares};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
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
            unverified.lock().by_age.remove(number);
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
    shares: Shares,
    places: Arc<Mutex<Places>>,
}

#[derive(Debug, Default)]
struct Places {
    next: u64,
    by_age: BTreeMap<u64, Place>,
}

#[derive(Debug)]
struct Place {
    /// Closes the connection.
    close: CancellationToken,
    _share: Share,
}

impl Unverified {
    pub(super) fn of(max_per_network: usize) -> Self {
        Self { shares: Shares::of(max_per_network), places: Arc::default() }
    }

    /// A peer with a place, closed with this token; none if its network has too many.
    pub(super) fn enter(&self, address: SocketAddr, close: CancellationToken) -> Option<Peer> {
        let mut share = self.shares.of_network(address.ip());
        if !share.take(1) {
            return None;
        }
        let mut places = self.lock();
        let number = places.next;
        places.next += 1;
        places.by_age.insert(number, Place { close, _share: share });
        let place = Some((number, self.clone()));
        Some(Peer(Arc::new(Connection { address, is_verified: AtomicBool::new(false), place })))
    }

    /// Closes the oldest, other than the newest; `false` if there is none.
    pub(super) fn close_oldest(&self) -> bool {
        let mut places = self.lock();
        let oldest = if places.by_age.len() > 1 { places.by_age.pop_first() } else { None };
        drop(places);
        oldest.inspect(|(_, place)| place.close.cancel()).is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
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
            (unverified.enter(([192, 0, 2, 7], port).into(), close.clone()).unwrap(), close)
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
    fn a_network_has_a_limited_number_of_unverified_connections() {
        let unverified = Unverified::of(1);
        let enter = |last| unverified.enter(([192, 0, 2, last], 1).into(), CancellationToken::new());
        let first = enter(7).unwrap();
        assert!(enter(7).is_none() && enter(8).is_some());
        first.verify();
        assert!(enter(7).is_some());
    }
}
