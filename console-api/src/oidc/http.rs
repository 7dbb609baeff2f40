//! Calls of the provider: bounded in time and size; redirects are not followed.

use crate::authorities::Authorities;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Response, body::Bytes};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use std::{error::Error, pin::Pin, time::Duration};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Metadata, keys, tokens and claims are much smaller.
const MAX_BYTES: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("no response within {} s", TIMEOUT.as_secs())]
    Timeout,
    #[error("cannot send the request")]
    Send(#[source] legacy::Error),
    #[error("cannot read the response")]
    Read(#[source] Box<dyn Error + Send + Sync>),
}

#[derive(Clone)]
pub(super) struct HttpClient(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl HttpClient {
    pub(super) fn new(authorities: &Authorities) -> Self {
        let https = authorities.connector(HttpConnector::new());
        Self(Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https))
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let exchange = async {
            let (head, body) =
                self.0.request(request.map(Full::from)).await.map_err(HttpError::Send)?.into_parts();
            let body = Limited::new(body, MAX_BYTES).collect().await.map_err(HttpError::Read)?;
            Ok(Response::from_parts(head, body.to_bytes().into()))
        };
        tokio::time::timeout(TIMEOUT, exchange).await.map_err(|_| HttpError::Timeout)?
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
