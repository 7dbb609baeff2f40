//! Errors of the API: `application/problem+json` (RFC 9457).

use crate::{
    caller_limit::{Calls, Exceeded},
    password::PasswordError,
    store::{ChangeError, StoreError},
    validation::ValidationError,
};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::Problem;
use std::{error::Error, fmt::Display, iter, time::Duration};

/// When a node should retry.
const RETRY_AFTER_SECONDS: u64 = 1;
/// When a search, a stream or a long poll should be tried again.
const RETRY_CALL_SECONDS: u64 = 5;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(transparent)]
    Invalid(#[from] ValidationError),
    #[error("{0}")]
    BadBody(String),
    #[error("send `Authorization: Bearer` with a valid token")]
    Unauthorized,
    #[error("wrong user name or password")]
    WrongPassword,
    #[error("too many sign-in attempts; retry in {seconds} s")]
    TooMany { seconds: u64 },
    #[error("this token exceeds its record rate; retry in {seconds} s")]
    TooManyRecords { seconds: u64 },
    #[error(transparent)]
    TooManyCalls(#[from] Exceeded),
    #[error("the searches of all users take all of the console's capacity for searches; retry later")]
    SearchesBusy,
    #[error(
        "the search was stopped: one of its statements took longer than {limit:?}; narrow it (a shorter time \
         range with `from` and `to`, more conditions)"
    )]
    SearchTime { limit: Duration },
    #[error("this call needs {0}")]
    Forbidden(&'static str),
    #[error("{0}")]
    Refused(String),
    /// The OpenID provider failed.
    #[error("{0}")]
    Provider(&'static str),
    #[error("there is no {0}")]
    NotFound(String),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    NameTaken(String),
    #[error("revision conflict: the current revision is {0}")]
    Stale(u32),
    #[error("nothing was undone: one of the objects was changed since")]
    ChangedSince,
    #[error("send `If-Match` with the `ETag` of the object to change")]
    NoRevision,
    #[error("this address does not support the method")]
    MethodNotAllowed,
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body did not arrive within {0:?}")]
    BodyTimeout(Duration),
    #[error("the body must be {0}")]
    MediaType(&'static str),
    #[error("the console is overloaded; retry in {RETRY_AFTER_SECONDS} s")]
    Busy,
    #[error("the console failed; see its log")]
    Internal(#[source] StoreError),
}

impl ApiError {
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(ValidationError::new(name, detail))
    }

    pub fn not_found(object: &str, id: impl Display) -> Self {
        Self::NotFound(format!("{object} {id}"))
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::BadBody(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::WrongPassword => StatusCode::UNAUTHORIZED,
            Self::TooMany { .. }
            | Self::TooManyRecords { .. }
            | Self::TooManyCalls(Exceeded::OfCaller(Calls::Polls, _)) => StatusCode::TOO_MANY_REQUESTS,
            Self::Forbidden(_) | Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::Provider(_) => StatusCode::BAD_GATEWAY,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Conflict(_) | Self::NameTaken(_) => StatusCode::CONFLICT,
            Self::Stale(_) | Self::ChangedSince => StatusCode::PRECONDITION_FAILED,
            Self::NoRevision => StatusCode::PRECONDITION_REQUIRED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTimeout(_) => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Busy | Self::TooManyCalls(_) | Self::SearchesBusy | Self::SearchTime { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The value of `Retry-After`, in seconds.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooMany { seconds } | Self::TooManyRecords { seconds } => Some(*seconds),
            Self::Busy => Some(RETRY_AFTER_SECONDS),
            Self::TooManyCalls(_) | Self::SearchesBusy | Self::SearchTime { .. } => Some(RETRY_CALL_SECONDS),
            _ => None,
        }
    }

    /// Logs the cause of an internal error, which clients do not see. Called once, where the
    /// response is made.
    pub fn log(&self) {
        if let Self::Internal(cause) = self {
            tracing::error!(error = with_sources(cause), "a call failed");
        }
    }
}

/// An error and its sources as one text, for logs. Some errors print their source themselves.
pub fn with_sources(error: &dyn Error) -> String {
    let sources = iter::successors(error.source(), |&source| source.source()).map(ToString::to_string);
    sources.fold(
        error.to_string(),
        |text, source| {
            if text.ends_with(&source) { text } else { format!("{text}: {source}") }
        },
    )
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::SearchTime { limit } => Self::SearchTime { limit },
            StoreError::SearchesBusy => Self::SearchesBusy,
            other => Self::Internal(other),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            other => Self::parameter("password", other.to_string()),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unknown { object, id } => Self::not_found(object, id),
            ChangeError::Stale(revision) => Self::Stale(revision),
            ChangeError::NameTaken { .. } => Self::NameTaken(error.to_string()),
            ChangeError::RemovedIdentity => Self::Refused(error.to_string()),
            ChangeError::Full { .. } | ChangeError::LastAdministrator | ChangeError::OwnCredential => {
                Self::Conflict(error.to_string())
            }
            ChangeError::Store(cause) => cause.into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let status = self.status();
        let title = status.canonical_reason().unwrap_or_default();
        let retry_after = self.retry_after();
        let mut problem = Problem::new(status.as_u16(), title, self.to_string());
        if let Self::Invalid(error) = self {
            problem.parameter = Some(error.name);
        }
        let mut response = (status, Json(&problem)).into_response();
        // Pages are rendered from it.
        response.extensions_mut().insert(problem);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Problem::CONTENT_TYPE));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn logs_show_the_sources_of_an_error() {
        let error = StoreError::from(sqlx::Error::Protocol("connection reset".to_owned()));
        assert_eq!(
            with_sources(&error),
            "database error: encountered unexpected or invalid data: connection reset"
        );
        let error = StoreError::from(sqlx::Error::Io(io::Error::other("the disk is full")));
        assert_eq!(with_sources(&error).matches("the disk is full").count(), 1, "{}", with_sources(&error));
    }
}
