//! Work after the reply: a `tower` layer between posting a reply and polling the next event.
//!
//! Lambda returns a reply when the runtime posts it, and freezes the environment when the runtime
//! polls the next event. Work between the two adds no latency; later work would wait for the next
//! event.

use crate::handler::Connector;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{Layer, Service};

/// Wraps the runtime's service, whose future completes when the reply is posted.
#[derive(Clone)]
pub struct AfterReply(pub Arc<Connector>);

impl<S> Layer<S> for AfterReply {
    type Service = AfterReplyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AfterReplyService { inner, connector: self.0.clone() }
    }
}

#[derive(Clone)]
pub struct AfterReplyService<S> {
    inner: S,
    connector: Arc<Connector>,
}

impl<S, Invocation> Service<Invocation> for AfterReplyService<S>
where
    S: Service<Invocation, Future: Send + 'static, Response: Send, Error: Send>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: Invocation) -> Self::Future {
        let posted = self.inner.call(invocation);
        let connector = self.connector.clone();
        Box::pin(async move {
            let result = posted.await;
            // A separate task, as a panic here would end the runtime loop.
            let _ = tokio::spawn(async move { connector.after_reply().await }).await;
            result
        })
    }
}
