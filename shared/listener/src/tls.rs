//! TLS of a listener. Changed files apply to new connections; established ones continue.

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpStream, sync::watch};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{key}: {path} cannot be read: {cause}")]
    Read { key: &'static str, path: PathBuf, cause: io::Error },
    #[error("{key}: {path} contains no {expected} in PEM")]
    Pem { key: &'static str, path: PathBuf, expected: &'static str },
    #[error("{certificate}, {key}: {cause}")]
    Pair { certificate: &'static str, key: &'static str, cause: rustls::Error },
    #[error("{key}: {path}: {cause}")]
    Authorities { key: &'static str, path: PathBuf, cause: String },
}

/// The files of a TLS listener, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate, then its intermediates.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
    /// Clients must present a certificate of one of these authorities.
    pub client_authorities: Option<PathBuf>,
    pub settings: Settings,
}

/// The names of the settings, for errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub certificate: &'static str,
    pub key: &'static str,
    pub client_authorities: &'static str,
}

/// The TLS configuration in use.
#[derive(Clone)]
pub struct Tls(watch::Receiver<Arc<ServerConfig>>);

/// Reloads a [`Tls`] when its files change.
pub struct Reload {
    config: TlsConfig,
    files: Files,
    current: watch::Sender<Arc<ServerConfig>>,
}

/// The contents of the files: times and sizes may not change when a link is switched.
#[derive(PartialEq, Eq)]
struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_authorities: Option<Vec<u8>>,
}

impl Tls {
    pub fn open(config: &TlsConfig) -> Result<(Self, Reload), TlsError> {
        let files = config.read()?;
        let (current, tls) = watch::channel(config.parse(&files)?);
        Ok((Self(tls), Reload { config: config.clone(), files, current }))
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = self.0.borrow().clone();
        TlsAcceptor::from(config).accept(stream).await
    }
}

impl Reload {
    const INTERVAL: Duration = Duration::from_secs(1);

    /// Polls the files. An error is logged once, and the certificate in use stays.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut last_error = None;
        while stop.run_until_cancelled(tokio::time::sleep(Self::INTERVAL)).await.is_some() {
            let failure = match self.reload() {
                Ok(false) => None,
                Ok(true) => {
                    info!("reloaded the certificate {}", self.config.certificate.display());
                    None
                }
                Err(cause) => Some(cause.to_string()),
            };
            if let Some(cause) = failure.as_ref().filter(|_| failure != last_error) {
                error!("cannot reload the certificate, the one in use stays: {cause}");
            }
            last_error = failure;
        }
    }

    /// Whether the files have changed.
    fn reload(&mut self) -> Result<bool, TlsError> {
        let files = self.config.read()?;
        if files == self.files {
            return Ok(false);
        }
        self.current.send_replace(self.config.parse(&files)?);
        self.files = files;
        Ok(true)
    }
}

impl TlsConfig {
    fn read(&self) -> Result<Files, TlsError> {
        Ok(Files {
            certificate: read(self.settings.certificate, &self.certificate)?,
            key: read(self.settings.key, &self.key)?,
            client_authorities: self
                .client_authorities
                .as_deref()
                .map(|path| read(self.settings.client_authorities, path))
                .transpose()?,
        })
    }

    fn parse(&self, files: &Files) -> Result<Arc<ServerConfig>, TlsError> {
        let names = self.settings;
        let pair = |cause| TlsError::Pair { certificate: names.certificate, key: names.key, cause };
        let chain = certificates(names.certificate, &self.certificate, &files.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&files.key).map_err(|_| TlsError::Pem {
            key: names.key,
            path: self.key.clone(),
            expected: "private key",
        })?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(pair)?;
        let builder = match (&self.client_authorities, &files.client_authorities) {
            (Some(path), Some(bytes)) => {
                let wrong = |cause: String| TlsError::Authorities {
                    key: names.client_authorities,
                    path: path.clone(),
                    cause,
                };
                let mut roots = RootCertStore::empty();
                for authority in certificates(names.client_authorities, path, bytes)? {
                    roots.add(authority).map_err(|cause| wrong(cause.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
                builder.with_client_cert_verifier(verifier.map_err(|cause| wrong(cause.to_string()))?)
            }
            _ => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config.into())
    }
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|cause| TlsError::Read { key, path: path.to_owned(), cause })
}

fn certificates(
    key: &'static str,
    path: &Path,
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    read.ok().filter(|certificates| !certificates.is_empty()).ok_or_else(|| TlsError::Pem {
        key,
        path: path.to_owned(),
        expected: "certificate",
    })
}

#[cfg(test)]
mod tests;
