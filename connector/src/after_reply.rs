//! Work the visitor need not wait for: done after the reply was posted and before the next event is asked for.
//!
//! Lambda hands a reply to its caller when the runtime posts it, and freezes the environment only when the runtime asks
//! for the next event. Between the two there is time that costs the visitor nothing; work left over after it would sit
//! frozen until the next visitor comes.

use crate::Connector;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{Layer, Service};

/// Wraps the runtime's service, whose future ends once the reply is posted.
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
            // In a task of its own: a panic here would end the runtime loop.
            let _ = tokio::spawn(async move { connector.after_reply().await }).await;
            result
        })
    }
}
