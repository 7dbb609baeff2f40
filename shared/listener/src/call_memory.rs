//! Call memory: what calls of unverified peers hold, in total and for each network.
//!
//! HTTP/2 carries many calls on one connection, so limits of connections do not bound their heads.

use crate::shares::{Share, Shares};
use axum::http::Request;
use std::{net::IpAddr, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Of a header, in addition to its name and value: its places in the map of headers.
const HEADER_OVERHEAD: usize = 128;

/// Of a call, in addition to its head: its task, its buffers, and the form of a sign-in.
const OVERHEAD: usize = 4 << 10;

#[derive(Debug, Clone)]
pub(super) struct CallMemory {
    total: Arc<Semaphore>,
    shares: Shares,
}

/// The memory of one call, until it is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    _total: OwnedSemaphorePermit,
    _share: Share,
}

impl CallMemory {
    /// A network has a quarter of the limit.
    pub(super) fn of(limit: usize) -> Self {
        Self { total: Arc::new(Semaphore::new(limit)), shares: Shares::of(limit / 4) }
    }

    /// Reserves the memory of a call from this address; `None` if a limit is reached.
    pub(super) fn reserve<B>(&self, address: IpAddr, request: &Request<B>) -> Option<Reserved> {
        let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        let headers =
            request.headers().iter().map(|(name, value)| HEADER_OVERHEAD + name.as_str().len() + value.len());
        let bytes = OVERHEAD + path + headers.sum::<usize>();
        let mut share = self.shares.of_network(address);
        let total = share.take(bytes).then(|| u32::try_from(bytes).ok()).flatten();
        let total = self.total.clone().try_acquire_many_owned(total?).ok()?;
        Some(Reserved { _total: total, _share: share })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_headers_count_as_much_as_they_take() {
        let memory = CallMemory::of(4 * (200 << 10));
        let mut request = Request::get("/x").body(()).unwrap();
        for n in 0..900_u16 {
            let name = axum::http::HeaderName::try_from(format!("x{n}")).unwrap();
            request.headers_mut().insert(name, axum::http::HeaderValue::from_static("1"));
        }
        let of_network = || memory.reserve(IpAddr::from([192, 0, 2, 1]), &request);
        let first = of_network();
        assert!(first.is_some() && of_network().is_none());
    }

    #[test]
    fn bounds_the_calls_of_a_network_and_of_all() {
        let memory = CallMemory::of(8 * (OVERHEAD + 2));
        let request = Request::get("/x").body(()).unwrap();
        let reserve = |network: u8| memory.reserve(IpAddr::from([192, 0, 2, network]), &request);
        let (first, second) = (reserve(1), reserve(1));
        assert!(first.is_some() && second.is_some() && reserve(1).is_none(), "a quarter each");
        let others: Vec<_> = (2..5).flat_map(|network| [reserve(network), reserve(network)]).collect();
        assert!(others.iter().all(Option::is_some) && reserve(6).is_none(), "all of it is reserved");
        drop(first);
        assert!(reserve(6).is_some());
    }
}
