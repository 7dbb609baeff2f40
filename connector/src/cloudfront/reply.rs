//! Replies of a function.

use super::headers::Headers;
use serde::Serialize;
use serde_json::value::RawValue;

/// The function's reply to CloudFront.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// The event's request or response.
    Continue(Box<RawValue>),
    /// A response in place of the origin's.
    Generated(GeneratedResponse),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GeneratedResponse {
    /// CloudFront expects text.
    pub status: String,
    pub status_description: &'static str,
    pub headers: Headers,
    pub body: String,
    pub body_encoding: &'static str,
}

impl GeneratedResponse {
    /// The size that CloudFront limits: body and headers.
    pub fn bytes(&self) -> usize {
        self.body.len()
            + self.headers.0.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>()
    }
}
