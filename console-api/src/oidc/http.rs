//! Calls of the provider: bounded in time and size; redirects are not followed.

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Response, body::Bytes};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::{error::Error, pin::Pin, sync::Arc, time::Duration};

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
    /// Without authorities: the public ones.
    pub(super) fn new(authorities: Option<RootCertStore>) -> Result<Self, rustls::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let builder = HttpsConnectorBuilder::new();
        let builder = match authorities {
            None => builder.with_webpki_roots(),
            Some(roots) => {
                let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
                let tls = tls.with_safe_default_protocol_versions()?.with_root_certificates(roots);
                builder.with_tls_config(tls.with_no_client_auth())
            }
        };
        let tls = builder.https_or_http().enable_http1().wrap_connector(tcp);
        Ok(Self(Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(tls)))
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
