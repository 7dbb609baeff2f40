//! A connection: HTTP/1.1 or HTTP/2, detected from its first bytes.

use crate::{
    ConnectionLimits, Peer,
    call_memory::{ConnectionMemory, Reserved},
    timed::{Activity, Call, Timed},
};
use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, Request, Response, StatusCode, Version, header},
    response::IntoResponse as _,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use std::{
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Concurrent calls of one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;
/// Bytes that an HTTP/2 client may send unread: per call, and per connection.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Serves until the client disconnects, a recycle limit is reached, or `stop`; finishes calls in
/// progress.
pub(super) async fn serve<IO: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    io: IO,
    peer: Peer,
    router: Router,
    (limits, memory): (Arc<ConnectionLimits>, ConnectionMemory),
    stop: CancellationToken,
) -> io::Result<()> {
    let recycle = CancellationToken::new();
    let activity = Arc::new(Activity::default());
    let lifetime = Arc::new(Lifetime {
        started: Instant::now(),
        activity: activity.clone(),
        limits: limits.clone(),
        recycle: recycle.clone(),
    });
    let caller = peer.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let reserved =
            if caller.is_verified() { Ok(None) } else { memory.reserve(&request).map(Some).ok_or(()) };
        request.extensions_mut().insert(caller.clone());
        let (router, lifetime, caller) = (router.clone(), lifetime.clone(), caller.clone());
        async move {
            match reserved {
                Ok(reserved) => answer(router, lifetime, request, caller, reserved).await,
                Err(()) => Ok(overloaded()),
            }
        }
    });
    let builder = builder(&limits);
    let mut connection =
        pin!(builder.serve_connection(TokioIo::new(Timed::new(io, peer, activity, limits)), service));
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended.map_err(io::Error::other),
        () = recycle.cancelled() => {}
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await.map_err(io::Error::other)
}

fn builder(limits: &ConnectionLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // `Timed` limits the head: this timeout would also close connections idle between requests.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
    builder.http1().half_close(limits.half_close).max_buf_size(limits.max_header_bytes);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(MAX_STREAMS);
    builder
        .http2()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    builder.http2().max_header_list_size(u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX));
    builder
}

/// Age and load of a connection, for recycling.
struct Lifetime {
    started: Instant,
    activity: Arc<Activity>,
    limits: Arc<ConnectionLimits>,
    /// Ends an HTTP/2 connection; HTTP/1.1 uses a header.
    recycle: CancellationToken,
}

/// The response to a call of an unverified peer beyond the call memory.
fn overloaded() -> Response<Body> {
    let text = "too many calls of clients that have not signed in; retry in 1 s\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], text).into_response()
}

async fn answer(
    router: Router,
    lifetime: Arc<Lifetime>,
    request: Request<Incoming>,
    caller: Peer,
    reserved: Option<Reserved>,
) -> Result<Response<Body>, std::convert::Infallible> {
    let is_http2 = request.version() == Version::HTTP_2;
    let call = lifetime.activity.begin(is_http2);
    let mut response = router.oneshot(request.map(Body::new)).await?;
    lifetime.activity.responded_to_one();
    if lifetime.is_exhausted() {
        if is_http2 {
            lifetime.recycle.cancel();
        } else {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
    let reserved = reserved.filter(|_| !caller.is_verified());
    Ok(response.map(|body| Body::new(BusyBody { body, _call: call, _reserved: reserved })))
}

/// The body of a response: its call is in progress until it ends.
struct BusyBody {
    body: Body,
    _call: Call,
    _reserved: Option<Reserved>,
}

impl HttpBody for BusyBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Lifetime {
    fn is_exhausted(&self) -> bool {
        let recycle = &self.limits.recycle;
        recycle.max_requests.is_some_and(|limit| self.activity.responded() >= limit)
            || recycle.max_received_bytes.is_some_and(|limit| self.activity.received() >= limit)
            || recycle.max_duration.is_some_and(|longest| self.started.elapsed() >= longest)
    }
}
