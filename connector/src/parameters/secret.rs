//! Whom to trust, and what shows that somebody may ask for something.

use super::{list::items, value::Value};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};
use std::{fmt, sync::Arc};

/// Which certificates of a node are taken.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Instead of the public authorities.
    pub authorities: Option<Arc<RootCertStore>>,
    /// When there are any, the certificate must be one of them.
    pub pins: Vec<Pin>,
}

/// SHA-256 of a certificate, or of its public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin([u8; 32]);

/// The secret of those who may see blocks although the node only monitors.
#[derive(Clone)]
pub struct BlockMe(Pin);

/// Certificates of authorities.
pub(super) struct Authorities(pub(super) RootCertStore);
/// At least one.
pub(super) struct Pins(pub(super) Vec<Pin>);

impl Pin {
    pub fn is_of(&self, bytes: &[u8]) -> bool {
        Sha256::digest(bytes)[..] == self.0
    }

    /// 64 hex digits, with or without colons, as `openssl x509 -fingerprint -sha256` prints them.
    fn parse(text: &str) -> Option<Self> {
        let digits: Vec<_> = text.chars().filter(|&character| character != ':').collect();
        let (pairs, []) = digits.as_chunks::<2>() else { return None };
        let byte = |[high, low]: &[char; 2]| u8::try_from(high.to_digit(16)? << 4 | low.to_digit(16)?).ok();
        let bytes: Vec<u8> = pairs.iter().map(byte).collect::<Option<_>>()?;
        bytes.try_into().ok().map(Self)
    }
}

impl BlockMe {
    /// The header that carries the secret.
    pub const HEADER: &str = "x-wallarm-block-me";

    /// Digests are compared, so that the time taken tells nothing of the secret.
    pub fn is(&self, secret: &str) -> bool {
        self.0.is_of(secret.as_bytes())
    }
}

impl fmt::Debug for BlockMe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockMe(…)")
    }
}

impl Value for BlockMe {
    const EXPECTED: &'static str = "must be a secret of at least 16 characters, without spaces";
    const IS_SECRET: bool = true;
    fn parse(text: &str) -> Option<Self> {
        let fits = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(Pin(Sha256::digest(text).into())))
    }
}

impl Value for Pins {
    const EXPECTED: &'static str = "must be the SHA-256 of the node's certificate or of its public key, as 64 hex digits; several with commas between";
    fn parse(text: &str) -> Option<Self> {
        items(text, Pin::parse).map(Self)
    }
}

impl Value for Authorities {
    const EXPECTED: &'static str = "must be the certificates of the authorities to trust, as PEM";
    fn parse(text: &str) -> Option<Self> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            store.add(certificate.ok()?).ok()?;
        }
        (!store.is_empty()).then_some(Self(store))
    }
}
