//! `connector.tls_cert`, `.tls_key` and `.tls_client_ca`: PEM files.

use super::section::Section;
use listener::tls::{Settings, TlsConfig};
use std::path::PathBuf;

const SETTINGS: Settings = Settings {
    certificate: "connector.tls_cert",
    key: "connector.tls_key",
    client_authorities: "connector.tls_client_ca",
};

/// Absent without a certificate: plain HTTP.
pub(super) fn read(section: &mut Section<'_>) -> Option<TlsConfig> {
    let certificate: Option<PathBuf> = section.optional("tls_cert");
    let key: Option<PathBuf> = section.optional("tls_key");
    let client_authorities = section.optional("tls_client_ca");
    match (certificate, key, &client_authorities) {
        (Some(certificate), Some(key), _) => {
            return Some(TlsConfig { certificate, key, client_authorities, settings: SETTINGS });
        }
        (Some(_), None, _) => section.wrong("tls_cert", "requires connector.tls_key"),
        (None, Some(_), _) => section.wrong("tls_key", "requires connector.tls_cert"),
        (None, None, Some(_)) => {
            section.wrong("tls_client_ca", "requires connector.tls_cert and connector.tls_key");
        }
        (None, None, None) => {}
    }
    None
}
