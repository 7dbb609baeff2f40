//! Signing keys of connectors: generated here, added to bundles, and configured on each node.

use crate::paging::{Cursor, Listed};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// A key, without the secret.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = SigningKey)]
pub struct KeyInfo {
    /// The key id of nodes and connectors: `signing_keys[].id`, `wlrm_signing_key_id`.
    pub id: Uuid,
    pub name: String,
    pub created_at: Timestamp,
}

/// A key to add.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = SigningKeyDraft)]
#[serde(deny_unknown_fields)]
pub struct KeyDraft {
    /// The purpose of the key, in 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// A new key. Its secret is shown once; later only bundles contain it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NewSigningKey)]
pub struct NewKey {
    #[serde(flatten)]
    pub info: KeyInfo,
    /// For the node's `signing_keys[].secret_file`.
    pub secret: String,
}

/// The secret of a key, in the format of nodes and connectors.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret(String);

impl KeySecret {
    /// A new secret of 32 random bytes.
    ///
    /// # Panics
    /// If the operating system has no random bytes: there is no safe alternative.
    pub fn generate() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A stored secret.
    pub(crate) fn stored(text: String) -> Self {
        Self(text)
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(…)")
    }
}

impl Listed for KeyInfo {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.id)
    }
}
