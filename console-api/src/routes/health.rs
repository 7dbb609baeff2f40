//! Health checks for process supervisors.

use crate::{error::ApiError, store::Store};
use axum::{extract::State, http::StatusCode};

/// Liveness: the process responds.
pub(super) async fn live() -> StatusCode {
    StatusCode::OK
}

/// Readiness: the database responds, too.
pub(super) async fn ready(State(store): State<Store>) -> Result<StatusCode, StatusCode> {
    match store.ping().await {
        Ok(()) => Ok(StatusCode::OK),
        Err(cause) => {
            ApiError::from(cause).log();
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}
