//! Call memory: what calls of unverified peers hold, in total and for each network.
//!
//! HTTP/2 carries many calls on one connection, so limits of connections do not bound their heads. When
//! the memory is full, the connection that holds the most is closed, of the own network if that has its
//! share: a flood refuses no small call of others.

use crate::shares::network;
use axum::http::Request;
use prometheus_client::metrics::counter::Counter;
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio_util::sync::CancellationToken;

/// Of a header, in addition to its name and value: its places in the map of headers.
const HEADER_OVERHEAD: usize = 128;

/// Of a call, in addition to its head: its task, its buffers, and the form of a sign-in.
const OVERHEAD: usize = 4 << 10;

#[derive(Debug, Clone)]
pub(super) struct CallMemory(Arc<Mutex<Accounts>>);

/// The memory of the calls of one connection, until it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionMemory {
    number: u64,
    memory: CallMemory,
}

/// The memory of one call, until it is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    bytes: usize,
    number: u64,
    memory: CallMemory,
}

#[derive(Debug)]
struct Accounts {
    limit: usize,
    next: u64,
    all: Pool,
    networks: HashMap<IpAddr, Pool>,
    connections: HashMap<u64, Account>,
    /// Counts connections that were closed, and calls that were refused.
    refused: Counter,
}

#[derive(Debug)]
struct Account {
    bytes: usize,
    network: IpAddr,
    close: CancellationToken,
}

/// Connections by the bytes that they hold.
#[derive(Debug, Default)]
struct Pool {
    bytes: usize,
    by_size: BTreeSet<(usize, u64)>,
}

impl Pool {
    fn replace(&mut self, number: u64, before: usize, after: usize) {
        self.by_size.remove(&(before, number));
        if after > 0 {
            self.by_size.insert((after, number));
        }
        self.bytes = self.bytes + after - before;
    }
}

impl CallMemory {
    /// A network has a quarter of the limit.
    pub(super) fn of(limit: usize, refused: Counter) -> Self {
        let (all, networks, connections) = (Pool::default(), HashMap::new(), HashMap::new());
        Self(Arc::new(Mutex::new(Accounts { limit, next: 0, all, networks, connections, refused })))
    }

    /// For a connection from this address, which the token closes.
    pub(super) fn connection(&self, address: IpAddr, close: CancellationToken) -> ConnectionMemory {
        let mut accounts = self.lock();
        let number = accounts.next;
        accounts.next += 1;
        accounts.connections.insert(number, Account { bytes: 0, network: network(address), close });
        ConnectionMemory { number, memory: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionMemory {
    /// Reserves the memory of a call; `None` if a limit is reached and no connection holds more.
    pub(super) fn reserve<B>(&self, request: &Request<B>) -> Option<Reserved> {
        let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        let headers =
            request.headers().iter().map(|(name, value)| HEADER_OVERHEAD + name.as_str().len() + value.len());
        let bytes = OVERHEAD + path + headers.sum::<usize>();
        let mut accounts = self.memory.lock();
        if accounts.make_room(self.number, bytes).is_none() {
            accounts.refused.inc();
            return None;
        }
        accounts.add(self.number, bytes);
        Some(Reserved { bytes, number: self.number, memory: self.memory.clone() })
    }
}

impl Drop for ConnectionMemory {
    fn drop(&mut self) {
        self.memory.lock().remove(self.number);
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.memory.lock().subtract(self.number, self.bytes);
    }
}

impl Accounts {
    /// Closes connections until a call fits; `None` if it does not, or its connection was closed.
    fn make_room(&mut self, number: u64, bytes: usize) -> Option<()> {
        loop {
            let own = self.connections.get(&number)?;
            let wanted = own.bytes + bytes;
            let share = self.networks.get(&own.network).map_or(0, |pool| pool.bytes);
            let full = if share + bytes > self.limit / 4 {
                self.networks.get(&own.network)?
            } else if self.all.bytes + bytes > self.limit {
                &self.all
            } else {
                return Some(());
            };
            let &(largest, other) = full.by_size.last()?;
            if other == number || largest <= wanted {
                return None;
            }
            self.refused.inc();
            if let Some(account) = self.remove(other) {
                account.close.cancel();
            }
        }
    }

    fn add(&mut self, number: u64, bytes: usize) {
        let held = self.connections.get(&number).map_or(0, |account| account.bytes);
        self.set(number, held + bytes);
    }

    /// Nothing for a connection that was closed.
    fn subtract(&mut self, number: u64, bytes: usize) {
        let held = self.connections.get(&number).map_or(0, |account| account.bytes);
        self.set(number, held.saturating_sub(bytes));
    }

    fn set(&mut self, number: u64, bytes: usize) {
        let Some(account) = self.connections.get_mut(&number) else { return };
        let before = std::mem::replace(&mut account.bytes, bytes);
        self.all.replace(number, before, bytes);
        let pool = self.networks.entry(account.network).or_default();
        pool.replace(number, before, bytes);
        if pool.bytes == 0 {
            self.networks.remove(&account.network);
        }
    }

    fn remove(&mut self, number: u64) -> Option<Account> {
        self.set(number, 0);
        self.connections.remove(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn request(headers: u16) -> Request<()> {
        let mut request = Request::get("/x").body(()).unwrap();
        for n in 0..headers {
            let name = HeaderName::try_from(format!("x{n}")).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_static("1"));
        }
        request
    }

    fn connection(memory: &CallMemory, network: u8) -> (ConnectionMemory, CancellationToken) {
        let close = CancellationToken::new();
        (memory.connection(IpAddr::from([192, 0, 2, network]), close.clone()), close)
    }

    #[test]
    fn calls_of_one_connection_are_refused_beyond_the_share_of_its_network() {
        let refused = Counter::default();
        let memory = CallMemory::of(8 * (OVERHEAD + 2), refused.clone());
        let (one, close) = connection(&memory, 1);
        let held = (one.reserve(&request(0)), one.reserve(&request(0)));
        assert!(held.0.is_some() && held.1.is_some() && one.reserve(&request(0)).is_none());
        assert!(!close.is_cancelled() && refused.get() == 1);
        drop(held);
        assert!(one.reserve(&request(0)).is_some());
        drop(one);
        let accounts = memory.lock();
        assert!(accounts.all.bytes == 0 && accounts.networks.is_empty() && accounts.connections.is_empty());
    }

    #[test]
    fn small_calls_find_room_in_a_flood_of_the_own_network_and_of_others() {
        let memory = CallMemory::of(1 << 20, Counter::default());
        let mut flood = Vec::new();
        for network in [1, 1, 2, 2, 3, 3, 4, 4] {
            let (connection, close) = connection(&memory, network);
            let held: Vec<_> = (0..100).map_while(|_| connection.reserve(&request(10))).collect();
            flood.push((connection, close, held));
        }
        let closed = || flood.iter().filter(|(_, close, _)| close.is_cancelled()).count();
        let before = closed();
        for network in [1, 9] {
            let (small, close) = connection(&memory, network);
            let held = small.reserve(&request(0));
            assert!(held.is_some() && !close.is_cancelled(), "{network}");
        }
        assert!(closed() > before, "the largest were closed");
    }

    #[test]
    fn many_small_headers_count_as_much_as_they_take() {
        let memory = CallMemory::of(4 * (200 << 10), Counter::default());
        let (one, _) = connection(&memory, 1);
        let first = one.reserve(&request(900));
        assert!(first.is_some() && one.reserve(&request(900)).is_none());
    }
}
