//! Failures, and their error pages.

use super::Trigger;
use super::outcome::Invalid;
use crate::http1::{BodyError, ClientError, Response};
use crate::lambda::InvokeError;

#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// CloudFront rejects the request.
    #[error("{why}")]
    Refused { status: u16, why: &'static str },
    #[error("the body of the request cannot be read")]
    RequestBody(#[from] BodyError),
    #[error("the function at {trigger} failed")]
    Execution {
        trigger: Trigger,
        #[source]
        source: InvokeError,
    },
    #[error("the result of the function at {trigger} failed validation")]
    Validation {
        trigger: Trigger,
        #[source]
        source: Invalid,
    },
    #[error("no valid response from the origin {id}")]
    Origin {
        id: String,
        #[source]
        source: ClientError,
    },
    #[error("the distribution has no origin {0}; add it, or change the target of the behavior")]
    NoOrigin(String),
}

impl Failure {
    /// "HTTP 502 status code (Bad Gateway)", "HTTP 503 status code (Service Unavailable)", "HTTP
    /// 504 status code (Gateway Timeout)".
    fn status(&self) -> u16 {
        match self {
            Self::Refused { status, .. } => *status,
            Self::RequestBody(error) => error.status(),
            Self::Execution { .. } => 503,
            Self::Origin { source: ClientError::Timeout(_), .. } => 504,
            Self::Validation { .. } | Self::Origin { .. } | Self::NoOrigin(_) => 502,
        }
    }

    /// "Test and debug Lambda@Edge functions" names the three values for functions.
    pub(super) fn x_cache(&self) -> &'static str {
        match self {
            Self::Execution { source: InvokeError::Throttled, .. } => "LambdaLimitExceeded from cloudfront",
            Self::Execution { .. } => "LambdaExecutionError from cloudfront",
            Self::Validation { .. } => "LambdaValidationError from cloudfront",
            Self::Refused { .. } | Self::RequestBody(_) | Self::Origin { .. } | Self::NoOrigin(_) => {
                "Error from cloudfront"
            }
        }
    }

    /// A page like CloudFront's, which also describes an invalid result; a function's own error
    /// text is only logged.
    pub(super) fn page(&self) -> Response {
        let why = match self {
            Self::Validation { source, .. } => format!("{self}: {source}"),
            Self::RequestBody(source) => source.to_string(),
            other => other.to_string(),
        };
        let (status, why) = (self.status(), escape(&why));
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>ERROR: The request could not be satisfied</title></head>\n\
             <body><h1>{status} ERROR</h1><h2>The request could not be satisfied.</h2>\n<p>{why}</p></body></html>\n"
        );
        Response::new(status)
            .header("Server", "CloudFront")
            .header("Content-Type", "text/html; charset=UTF-8")
            .with_body(page)
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
