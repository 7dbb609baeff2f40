//! Errors as both servers speak them: RFC 9457, `application/problem+json`.

use serde::{Deserialize, Serialize};

/// An error for a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The HTTP status, repeated for readers of stored bodies.
    pub status: u16,
    /// What kind of error, in a few words.
    pub title: String,
    /// What is wrong with this very request, and where.
    pub detail: String,
}

impl Problem {
    pub const CONTENT_TYPE: &str = "application/problem+json";

    pub fn new(status: u16, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status, title: title.into(), detail: detail.into() }
    }

    /// The body of the answer.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a problem is numbers and text")
    }
}
