//! Webhook calls over HTTP and syslog.

use super::syslog::{self, Transport};
use crate::{
    authorities::Authorities,
    webhook::{InvalidTarget, Protocol, Secret, Target, Targets},
};
use http_body_util::Full;
use hyper::{
    Request,
    body::Bytes,
    header::{CONTENT_TYPE, USER_AGENT},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use jiff::Timestamp;
use rustls::pki_types::ServerName;
use std::{error::Error, io, sync::Arc, time::Duration};
use tokio_rustls::TlsConnector;
use uuid::Uuid;

/// The time limit of a call, from name resolution to the headers of the response, or until a syslog
/// message is sent.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends deliveries. Redirects are not followed: they could lead to internal services.
#[derive(Clone)]
pub struct Sender {
    targets: Targets,
    tls: TlsConnector,
    http: Client<HttpsConnector<HttpConnector<Targets>>, Full<Bytes>>,
}

/// A failed call.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("the url {0}")]
    Target(#[from] InvalidTarget),
    #[error("no response within {} s", TIMEOUT.as_secs())]
    Timeout,
    #[error("{0}")]
    Failed(String),
    #[error("responded with {0}")]
    Status(u16),
}

impl Sender {
    pub fn new(targets: Targets, authorities: &Authorities) -> Self {
        let https = authorities.connector(HttpConnector::new_with_resolver(targets.clone()));
        let http = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https);
        Self { targets, tls: TlsConnector::from(Arc::new(authorities.client_config())), http }
    }

    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Sends a body once, signed with each secret. Returns the status of a 2xx response; syslog servers
    /// send none.
    pub async fn send(
        &self,
        url: &str,
        secrets: &[&Secret],
        (id, at, body): (Uuid, Timestamp, String),
    ) -> Result<Option<u16>, SendError> {
        let target = Target::parse(url)?;
        self.targets.check(&target)?;
        let sending = async {
            match target.protocol() {
                Protocol::Http => self.call(&target, secrets, (id, at, body)).await.map(Some),
                _ => self.log(&target, &syslog::message(id, at, &body)).await.map(|()| None),
            }
        };
        tokio::time::timeout(TIMEOUT, sending).await.map_err(|_| SendError::Timeout)?
    }

    async fn call(
        &self,
        target: &Target,
        secrets: &[&Secret],
        (id, at, body): (Uuid, Timestamp, String),
    ) -> Result<u16, SendError> {
        let request = Request::post(target.uri())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("wallarm-console/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id.to_string())
            .header("webhook-timestamp", at.as_second().to_string())
            .header("webhook-signature", Secret::sign_with_each(secrets, &id.to_string(), at, &body))
            .body(Full::from(body))
            .map_err(|error| SendError::Failed(error.to_string()))?;
        let response = self.http.request(request).await;
        let status = response.map_err(|error| SendError::Failed(causes(&error)))?.status();
        if status.is_success() { Ok(status.as_u16()) } else { Err(SendError::Status(status.as_u16())) }
    }

    async fn log(&self, target: &Target, message: &str) -> Result<(), SendError> {
        let sent = async {
            let addresses = self.targets.syslog_addresses(target).await?;
            let transport = match target.protocol() {
                Protocol::SyslogUdp => Transport::Udp,
                Protocol::SyslogTls => Transport::Tls(&self.tls, server_name(target)?),
                Protocol::SyslogTcp | Protocol::Http => Transport::Tcp,
            };
            transport.send(&addresses, message).await
        };
        sent.await.map_err(|error| SendError::Failed(causes(&error)))
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self::new(Targets::default(), &Authorities::default())
    }
}

impl SendError {
    pub fn status(&self) -> Option<u16> {
        if let Self::Status(status) = self { Some(*status) } else { None }
    }
}

/// The name that the certificate must have.
fn server_name(target: &Target) -> io::Result<ServerName<'static>> {
    ServerName::try_from(target.server_name().to_owned()).map_err(io::Error::other)
}

/// The chain of causes, from the outermost to the innermost.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
