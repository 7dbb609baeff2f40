//! Sealed texts, and where they are stored.

use serde::{Deserialize, Serialize};

/// Where a secret is stored. Authenticated with it: a sealed text opens nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub table: &'static str,
    /// The id of the row.
    pub row: String,
    pub column: &'static str,
}

impl Location {
    pub fn new(table: &'static str, column: &'static str, row: &impl ToString) -> Self {
        Self { table, row: row.to_string(), column }
    }

    pub fn signing_key(id: &impl ToString) -> Self {
        Self::new("signing_keys", "secret", id)
    }

    pub fn webhook_secret(id: &impl ToString) -> Self {
        Self::new("webhooks", "secret", id)
    }

    /// The secret before a rotation.
    pub fn previous_webhook_secret(id: &impl ToString) -> Self {
        Self::new("webhooks", "previous_secret", id)
    }

    /// A sign-in at an OpenID provider, in a cookie instead of a row.
    pub fn sign_in_cookie() -> Self {
        Self::new("cookies", "oidc_sign_in", &"")
    }

    /// The URL of a webhook, in its row and in the audit log.
    pub fn webhook_url(id: &impl ToString) -> Self {
        Self::new("webhooks", "url", id)
    }

    /// Unambiguous: only the row, the last part, is not a fixed word.
    pub(super) fn associated_data(&self) -> Vec<u8> {
        format!("{}\n{}\n{}", self.table, self.column, self.row).into_bytes()
    }
}

/// A sealed text, as stored: `sealed:v1:`, the id of its key, `:`, and the nonce and the ciphertext
/// in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sealed(String);

#[derive(Debug, thiserror::Error)]
#[error("not a sealed text")]
pub struct NotSealed;

impl Sealed {
    const PREFIX: &str = "sealed:v1:";

    pub(super) fn new(key: &str, encoded: &str) -> Self {
        Self(format!("{}{key}:{encoded}", Self::PREFIX))
    }

    /// The sealed text in a column; `None` for every other text. No secret looks like one.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(Self::PREFIX)?.split_once(':')?;
        Some(Self(text.to_owned()))
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the key.
    pub fn key(&self) -> &str {
        self.parts().0
    }

    /// The id of the key, and the nonce and ciphertext in base64url.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.0[Self::PREFIX.len()..].split_once(':').unwrap_or_default()
    }
}

impl TryFrom<String> for Sealed {
    type Error = NotSealed;

    fn try_from(text: String) -> Result<Self, NotSealed> {
        Self::parse(&text).ok_or(NotSealed)
    }
}

impl From<Sealed> for String {
    fn from(Sealed(text): Sealed) -> Self {
        text
    }
}
