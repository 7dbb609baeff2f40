//! Keys that connectors sign their calls of nodes with: made here, baked into bundles, and written into a file of each node.

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
    /// By which nodes and connectors know it: `signing_keys[].id`, `wlrm_signing_key_id`.
    pub id: Uuid,
    pub name: String,
    pub created_at: Timestamp,
}

/// A key that somebody wants.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = SigningKeyDraft)]
#[serde(deny_unknown_fields)]
pub struct KeyDraft {
    /// What it is for, in 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// A new key. The secret is shown this once; later only bundles carry it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NewSigningKey)]
pub struct NewKey {
    #[serde(flatten)]
    pub info: KeyInfo,
    /// For the node's `signing_keys[].secret_file`.
    pub secret: String,
}

/// The secret of a key, as nodes and connectors take it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret(String);

impl KeySecret {
    /// A new secret of 32 random bytes.
    ///
    /// # Panics
    /// When the operating system gives none: there is no safe way on.
    pub fn generate() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// As it was kept.
    pub(crate) fn kept(text: String) -> Self {
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
