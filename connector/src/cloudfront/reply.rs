//! What a function may answer.

use super::Headers;
use serde::Serialize;
use serde_json::value::RawValue;

/// The function's answer to CloudFront.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// The event's own request or response, the same bytes.
    Unchanged(Box<RawValue>),
    /// An answer that ends the request here.
    Generated(GeneratedResponse),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GeneratedResponse {
    /// CloudFront takes the status as text.
    pub status: String,
    pub status_description: &'static str,
    pub headers: Headers,
    pub body: String,
    pub body_encoding: &'static str,
}

impl GeneratedResponse {
    /// What CloudFront counts against its limit: the body and the headers.
    pub fn bytes(&self) -> usize {
        self.body.len()
            + self.headers.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>()
    }
}
