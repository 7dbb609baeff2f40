//! Certificate authorities of other servers, receivers of webhooks and the OpenID provider: the public
//! ones, or those of a file.

use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{
        CertificateDer,
        pem::{self, PemObject as _},
    },
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The authorities that may certify a server.
#[derive(Debug, Clone, Default)]
pub struct Authorities(Option<Arc<RootCertStore>>);

#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    #[error("cannot read certificates from {}", file.display())]
    Read {
        file: PathBuf,
        #[source]
        cause: pem::Error,
    },
    #[error("{} contains a certificate that is not valid", file.display())]
    Certificate {
        file: PathBuf,
        #[source]
        cause: rustls::Error,
    },
    #[error("{} contains no certificate in PEM", file.display())]
    Empty { file: PathBuf },
}

impl Authorities {
    /// Those of a file instead of the public ones.
    pub fn of_file(file: &Path) -> Result<Self, AuthoritiesError> {
        let read = |cause| AuthoritiesError::Read { file: file.to_owned(), cause };
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(file).map_err(read)? {
            let added = roots.add(certificate.map_err(read)?);
            added.map_err(|cause| AuthoritiesError::Certificate { file: file.to_owned(), cause })?;
        }
        if roots.is_empty() {
            return Err(AuthoritiesError::Empty { file: file.to_owned() });
        }
        Ok(Self(Some(Arc::new(roots))))
    }

    /// # Panics
    /// Never: ring supports TLS 1.2 and 1.3.
    pub fn client_config(&self) -> ClientConfig {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports TLS 1.2 and 1.3");
        match &self.0 {
            Some(roots) => builder.with_root_certificates(Arc::clone(roots)).with_no_client_auth(),
            None => builder.with_webpki_roots().with_no_client_auth(),
        }
    }

    /// TLS over these connections for `https` URLs, and none for `http` URLs.
    pub fn connector<R>(&self, mut tcp: HttpConnector<R>) -> HttpsConnector<HttpConnector<R>> {
        tcp.enforce_http(false);
        HttpsConnectorBuilder::new()
            .with_tls_config(self.client_config())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        assert!(matches!(Authorities::of_file(&file), Err(AuthoritiesError::Read { .. })));
        std::fs::write(&file, "no PEM").unwrap();
        assert!(matches!(Authorities::of_file(&file), Err(AuthoritiesError::Empty { .. })));
    }
}
