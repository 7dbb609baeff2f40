//! Connect timeout: a limit for name resolution, TCP and TLS handshake together.

use hyper::Uri;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tower::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Wraps a connector and limits its duration.
#[derive(Clone)]
pub(super) struct ConnectTimeout<C> {
    pub(super) connector: C,
    pub(super) limit: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("no connection within {} ms", .0.as_millis())]
struct Elapsed(Duration);

impl<C> Service<Uri> for ConnectTimeout<C>
where
    C: Service<Uri, Error: Into<BoxError>, Future: Send + 'static>,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, address: Uri) -> Self::Future {
        let (limit, connecting) = (self.limit, self.connector.call(address));
        Box::pin(async move {
            let connected = tokio::time::timeout(limit, connecting).await;
            connected.map_err(|_| Elapsed(limit))?.map_err(Into::into)
        })
    }
}
