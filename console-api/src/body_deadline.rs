//! Body deadline: a client that sends its body slowly is refused with 408, on every route. Without
//! it, such a client holds a connection as long as it likes, also before it signs in.

use crate::error::ApiError;
use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use hyper::body::{Frame, SizeHint};
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// Of the whole body; as long as a node waits for the response.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// Refuses a request whose body does not arrive within the timeout.
pub(crate) async fn enforce(State(timeout): State<Duration>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let expired: Arc<AtomicBool> = Arc::default();
    let timed = |body| Body::new(Timed { body, timeout, deadline: None, expired: expired.clone() });
    let response = next.run(request.map(timed)).await;
    // Extractors report a body that ended early in their own way.
    if expired.load(Ordering::Relaxed) { ApiError::BodyTimeout(timeout).into_response() } else { response }
}

/// A body that fails at its deadline.
struct Timed {
    body: Body,
    timeout: Duration,
    /// Set when the body is first read: a client does not account for the authentication before it.
    deadline: Option<Pin<Box<Sleep>>>,
    expired: Arc<AtomicBool>,
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let deadline = this.deadline.get_or_insert_with(|| Box::pin(sleep(this.timeout)));
        if deadline.as_mut().poll(context).is_ready() {
            this.expired.store(true, Ordering::Relaxed);
            return Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))));
        }
        Pin::new(&mut this.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
