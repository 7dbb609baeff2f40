//! The client of the console: HTTP/1.1 with the node's token, and backoff after failures.

use crate::config::ConsoleConfig;
use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response, Uri,
    body::Bytes,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{error::Error, path::Path, sync::Arc, time::Duration};

/// An endpoint of the console.
pub(crate) struct ConsoleClient {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    endpoint: Uri,
    authorization: String,
}

/// Why there is no usable response.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach the console: {0}")]
pub(crate) struct Unreachable(pub(crate) Box<dyn Error + Send + Sync>);

/// Growing pauses between failed attempts.
pub(crate) struct Backoff(Duration);

impl ConsoleClient {
    pub(crate) fn new(config: &ConsoleConfig, path: &str) -> anyhow::Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let builder = HttpsConnectorBuilder::new();
        let builder = match &config.authorities {
            None => builder.with_webpki_roots(),
            Some(path) => {
                let roots =
                    authorities(path).with_context(|| format!("console.ca_file: {}", path.display()))?;
                let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
                let tls = tls.with_safe_default_protocol_versions()?.with_root_certificates(roots);
                builder.with_tls_config(tls.with_no_client_auth())
            }
        };
        let tls = builder.https_or_http().enable_http1().wrap_connector(tcp);
        let http = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(tls);
        Ok(Self {
            http,
            endpoint: format!("{}{path}", config.url)
                .parse()
                .with_context(|| format!("console.url {:?} is not a URL", config.url))?,
            authorization: format!("Bearer {}", config.token.expose()),
        })
    }

    /// Sends a request and reads the response, within a time and up to a size.
    pub(crate) async fn send(
        &self,
        method: Method,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        body: Bytes,
        (timeout, max_bytes): (Duration, usize),
    ) -> Result<Response<Bytes>, Unreachable> {
        let request = Request::builder().method(method).uri(&self.endpoint);
        let mut request = request.header(AUTHORIZATION, &self.authorization);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let exchange = async {
            let (head, body) = self.http.request(request.body(Full::from(body))?).await?.into_parts();
            let body = Limited::new(body, max_bytes).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        };
        let exchange = tokio::time::timeout(timeout, exchange).await;
        exchange
            .unwrap_or_else(|_| Err(format!("no response within {timeout:?}").into()))
            .map_err(Unreachable)
    }
}

fn authorities(path: &Path) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path)? {
        roots.add(certificate?)?;
    }
    anyhow::ensure!(!roots.is_empty(), "the file contains no certificate in PEM");
    Ok(roots)
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    /// A recovered console is noticed within this time.
    pub(crate) const LONGEST: Duration = Duration::from_secs(1);

    /// Whether an attempt has failed since the last success.
    pub(crate) fn has_failed(&self) -> bool {
        self.0 > Self::FIRST
    }

    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = Self::LONGEST.min(self.0 * 2);
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self(Self::FIRST)
    }
}
