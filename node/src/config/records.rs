//! `records`: what is masked in the records of hits.

use super::{
    scalar::Scalar,
    section::{Part, Section},
};
use sha2::{Digest as _, Sha256};

#[derive(Debug, Clone, Default)]
pub struct RecordsConfig {
    pub mask: DefaultMask,
    /// The key of digests of cookies, that of all nodes with the same token.
    key: [u8; 32],
}

/// What is masked without a rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DefaultMask {
    /// All cookies, and values of well-known names and forms.
    #[default]
    Secrets,
    /// Nothing.
    Nothing,
}

impl RecordsConfig {
    /// With a key derived from a secret that the nodes share.
    #[must_use]
    pub(super) fn keyed(mut self, secret: &str) -> Self {
        self.key = Sha256::digest(format!("digests of cookies\n{secret}")).into();
        self
    }

    /// The key of digests; absent if nothing is masked by default.
    pub fn digest_key(&self) -> Option<&[u8]> {
        (self.mask == DefaultMask::Secrets).then_some(&self.key)
    }
}

impl Part for RecordsConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self { mask: section.or("mask", DefaultMask::default()), key: [0; 32] })
    }
}

impl Scalar for DefaultMask {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "secrets" => Ok(Self::Secrets),
            "none" => Ok(Self::Nothing),
            _ => Err("must be secrets or none".to_owned()),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Secrets => "secrets",
            Self::Nothing => "none",
        }
        .to_owned()
    }
}
