//! An HTTP proxy in front of the node that records calls.

use cloudfront_sim::http1::{Client, Limits, Request, Response, Server};
use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::TcpListener;

pub(super) struct Recorder {
    server: Server,
    calls: Arc<Mutex<Vec<Request>>>,
}

impl Recorder {
    pub(super) async fn start(node: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (calls, client) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::new(Client::default()));
        let recorded = Arc::clone(&calls);
        let server = Server::start(listener, Limits::default(), move |call, _| {
            recorded.lock().unwrap_or_else(PoisonError::into_inner).push(call.clone());
            let client = Arc::clone(&client);
            async move {
                let forwarded = client.send(node, &call).await;
                forwarded.unwrap_or_else(|error| Response::text(502, error.to_string()))
            }
        })?;
        Ok(Self { server, calls })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Takes the calls since the last `take`.
    pub(super) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
