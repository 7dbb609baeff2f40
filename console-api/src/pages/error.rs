//! What a browser is shown when something is wrong.

use super::render;
use crate::{actor::Visitor, error::ApiError, store::StoreError};
use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

#[derive(Debug)]
pub enum PageError {
    /// Nobody is signed in.
    SignIn,
    Api(ApiError),
    /// The API refused what a form asked for.
    Refused {
        status: StatusCode,
        detail: String,
    },
}

impl From<ApiError> for PageError {
    fn from(cause: ApiError) -> Self {
        Self::Api(cause)
    }
}

impl From<StoreError> for PageError {
    fn from(cause: StoreError) -> Self {
        Self::Api(cause.into())
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: &'static str,
    detail: String,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::SignIn => return Redirect::to("/sign-in").into_response(),
            Self::Api(cause) => {
                cause.log();
                (cause.status(), cause.to_string())
            }
            Self::Refused { status, detail } => (status, detail),
        };
        let title = status.canonical_reason().unwrap_or("Error");
        (status, render(&ErrorPage { title, detail })).into_response()
    }
}

pub(super) async fn unknown_page(_: Visitor) -> PageError {
    ApiError::NotFound("page").into()
}
