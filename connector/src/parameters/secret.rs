//! Trust anchors, certificate pins, and the secrets of `wlrm_block_me` and `wlrm_mark_keys`.

use super::{list::items, source::Format};
use crate::mark::MarkKeys;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};
use std::{fmt, sync::Arc};

/// The certificates of a node that are accepted.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Replace the public authorities.
    pub authorities: Option<Arc<RootCertStore>>,
    /// When not empty, the certificate must match one of them.
    pub pins: Vec<Pin>,
}

/// SHA-256 of a certificate, or of its public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin([u8; 32]);

/// Digest of the secret that requests a block while the node only monitors.
#[derive(Clone)]
pub struct BlockMe(Pin);

impl Pin {
    pub fn matches(&self, bytes: &[u8]) -> bool {
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

    pub(super) const FORMAT: Format<Self> = Format {
        expected: "must be a secret of at least 16 characters, without spaces",
        is_secret: true,
        parse: |text| {
            let fits = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_graphic());
            fits.then(|| Self(Pin(Sha256::digest(text).into())))
        },
    };

    /// Compares digests, so that the duration does not depend on the secret.
    pub fn matches(&self, secret: &str) -> bool {
        self.0.matches(secret.as_bytes())
    }
}

impl fmt::Debug for BlockMe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlockMe(…)")
    }
}

pub(super) const MARK_KEYS: Format<MarkKeys> = Format {
    expected: "must be one or two comma-separated secrets of at least 32 characters, without spaces",
    is_secret: true,
    parse: |text| MarkKeys::new(&text.split(',').map(str::trim).collect::<Vec<_>>()),
};

pub(super) const PINS: Format<Vec<Pin>> = Format::new(
    "must be comma-separated SHA-256 digests of the node's certificate or public key, 64 hex digits each",
    |text| items(text, Pin::parse),
);

/// At least one certificate of an authority.
pub(super) const AUTHORITIES: Format<Arc<RootCertStore>> =
    Format::new("must be the certificates of the authorities to trust, as PEM", |text| {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            store.add(certificate.ok()?).ok()?;
        }
        (!store.is_empty()).then(|| Arc::new(store))
    });
