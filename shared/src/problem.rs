//! Error responses of both servers: RFC 9457, `application/problem+json`.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An error response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `about:blank`: the status defines the error.
    #[cfg_attr(feature = "openapi", schema(value_type = String, examples("about:blank")))]
    r#type: Cow<'static, str>,
    /// The status in words.
    pub title: String,
    /// The HTTP status, repeated for readers of stored bodies.
    pub status: u16,
    /// What is wrong with this request, and where.
    pub detail: String,
    /// The invalid query parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
}

impl Problem {
    pub const CONTENT_TYPE: &str = "application/problem+json";

    pub fn new(status: u16, title: &str, detail: impl Into<String>) -> Self {
        Self {
            r#type: "about:blank".into(),
            title: title.to_owned(),
            status,
            detail: detail.into(),
            parameter: None,
        }
    }

    /// The response body.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and text always serialize")
    }
}
