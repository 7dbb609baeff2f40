//! Validation errors of drafts and parameters: the name of the field, and the expected value.

use jiff::Timestamp;

/// A field or parameter with a value that is not accepted. `detail` is a whole sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ValidationError {
    pub name: String,
    pub detail: String,
}

impl ValidationError {
    pub fn new(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), detail: detail.into() }
    }
}

/// Checks a name of a user, token, key, view or webhook: it appears in logs and on pages.
pub fn name(name: &str) -> Result<(), ValidationError> {
    let is_valid = (1..=100).contains(&name.chars().count()) && !name.contains(char::is_control);
    let detail = "`name` must have 1 to 100 characters, and no control characters";
    if is_valid { Ok(()) } else { Err(ValidationError::new("name", detail)) }
}

/// Checks the end of a token or list entry.
pub fn in_future(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), ValidationError> {
    let is_valid = expires_at.is_none_or(|end| end > now);
    let detail = "`expires_at` must be in the future";
    if is_valid { Ok(()) } else { Err(ValidationError::new("expires_at", detail)) }
}
