//! For whoever keeps the process running.

use crate::{error::ApiError, store::Store};
use axum::{extract::State, http::StatusCode};

/// The process answers.
pub(super) async fn live() -> StatusCode {
    StatusCode::OK
}

/// The database answers too.
pub(super) async fn ready(State(store): State<Store>) -> Result<StatusCode, StatusCode> {
    match store.ping().await {
        Ok(()) => Ok(StatusCode::OK),
        Err(cause) => {
            ApiError::from(cause).log();
            Err(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}
