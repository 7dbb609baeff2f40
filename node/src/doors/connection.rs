//! One connection: HTTP/1.1 or HTTP/2, whichever its first bytes speak.

use super::{
    Peer,
    limits::Limits,
    timed::{Pulse, Timed},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Response, Version, header},
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use std::{io, pin::pin, sync::Arc, time::Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Calls under way at once in one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;
/// What an HTTP/2 client may send before somebody reads it: per call, and per connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Serves until the client leaves, a limit is reached, or after `stop` its calls are answered.
pub(super) async fn serve<IO: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    io: IO,
    peer: Peer,
    router: Router,
    limits: Arc<Limits>,
    stop: CancellationToken,
) -> io::Result<()> {
    let spent = CancellationToken::new();
    let pulse = Arc::new(Pulse::default());
    let life = Arc::new(Life {
        started: Instant::now(),
        pulse: pulse.clone(),
        limits: limits.clone(),
        spent: spent.clone(),
    });
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        answer(router.clone(), life.clone(), request)
    });
    let builder = builder(&limits);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(Timed::new(io, pulse, limits)), service));
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended.map_err(io::Error::other),
        () = spent.cancelled() => {}
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await.map_err(io::Error::other)
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // The head's deadline is `Timed`'s business: this one would also cut off connections at rest between requests.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
    // A client that has said all it has to say still gets its verdict.
    builder.http1().half_close(true).max_buf_size(limits.max_header_bytes);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS);
    builder
        .http2()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    builder.http2().max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX));
    builder
}

/// What a connection has behind it.
struct Life {
    started: Instant,
    pulse: Arc<Pulse>,
    limits: Arc<Limits>,
    /// Ends an HTTP/2 connection; HTTP/1.1 says so in a header.
    spent: CancellationToken,
}

async fn answer(
    router: Router,
    life: Arc<Life>,
    request: Request<Incoming>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let is_http2 = request.version() == Version::HTTP_2;
    let call = life.pulse.begin(is_http2);
    let mut response = router.oneshot(request.map(Body::new)).await?;
    drop(call);
    if life.is_spent() {
        if is_http2 {
            life.spent.cancel();
        } else {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
    Ok(response)
}

impl Life {
    fn is_spent(&self) -> bool {
        let recycle = &self.limits.recycle;
        recycle.max_requests.is_some_and(|most| self.pulse.answered() >= most)
            || recycle.max_received_bytes.is_some_and(|most| self.pulse.received() >= most)
            || recycle.max_duration.is_some_and(|longest| self.started.elapsed() >= longest)
    }
}
