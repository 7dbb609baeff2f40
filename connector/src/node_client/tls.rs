//! TLS configuration, with the verification of the node's certificate.

use crate::parameters::{Pin, Trust};
use hyper_rustls::ConfigBuilderExt as _;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{self, CryptoProvider},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use std::sync::Arc;

/// Trusts the public authorities, the configured ones instead, or the pinned certificates.
pub(super) fn config(trust: &Trust) -> ClientConfig {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("ring supports TLS 1.2 and 1.3");
    if !trust.pins.is_empty() {
        let verifier = Arc::new(Pinned::new(trust, provider));
        return builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    }
    match &trust.authorities {
        None => builder.with_webpki_roots().with_no_client_auth(),
        Some(authorities) => builder.with_root_certificates(authorities.clone()).with_no_client_auth(),
    }
}

/// Accepts the pinned certificates, with any name and dates. If authorities are configured, they
/// must have issued the certificates.
#[derive(Debug)]
struct Pinned {
    pins: Vec<Pin>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn new(trust: &Trust, provider: Arc<CryptoProvider>) -> Self {
        let authorities = trust.authorities.as_ref().map(|authorities| {
            WebPkiServerVerifier::builder_with_provider(authorities.clone(), provider.clone())
                .build()
                .expect("the parameter contains at least one authority")
        });
        Self { pins: trust.pins.clone(), authorities, provider }
    }

    fn is_pinned(&self, certificate: &CertificateDer<'_>) -> Result<bool, Error> {
        let key = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
        Ok(self.pins.iter().any(|pin| pin.matches(certificate) || pin.matches(&key)))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.is_pinned(certificate)? {
            return Err(Error::General("the certificate is not pinned".to_owned()));
        }
        match &self.authorities {
            Some(chain) => chain.verify_server_cert(certificate, intermediates, name, ocsp, now),
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
