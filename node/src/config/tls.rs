//! `connector.tls_cert`, `.tls_key` and `.tls_client_ca`: PEM files.

use super::section::Section;
use std::path::PathBuf;

/// The files of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// `tls_cert`: the certificate, then its intermediates.
    pub certificate: PathBuf,
    /// `tls_key`: the private key of the certificate.
    pub key: PathBuf,
    /// `tls_client_ca`: clients must present a certificate of one of these authorities.
    pub client_authorities: Option<PathBuf>,
}

/// Absent without a certificate: plain HTTP.
pub(super) fn read(section: &mut Section<'_>) -> Option<TlsConfig> {
    let certificate: Option<PathBuf> = section.optional("tls_cert");
    let key: Option<PathBuf> = section.optional("tls_key");
    let client_authorities = section.optional("tls_client_ca");
    match (certificate, key, &client_authorities) {
        (Some(certificate), Some(key), _) => return Some(TlsConfig { certificate, key, client_authorities }),
        (Some(_), None, _) => section.wrong("tls_cert", "requires connector.tls_key"),
        (None, Some(_), _) => section.wrong("tls_key", "requires connector.tls_cert"),
        (None, None, Some(_)) => {
            section.wrong("tls_client_ca", "requires connector.tls_cert and connector.tls_key");
        }
        (None, None, None) => {}
    }
    None
}
