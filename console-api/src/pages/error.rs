//! Errors as pages: problem responses are replaced by HTML, and a missing session by the sign-in
//! page.

use super::{render, session};
use crate::{error::ApiError, extract::Reader};
use askama::Template;
use axum::{
    http::{StatusCode, Uri},
    response::{IntoResponse as _, Redirect, Response},
};
use shared::Problem;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    title: String,
    detail: String,
}

/// The response, or the page of the problem in it. `page`: where to return after the sign-in.
pub(super) fn as_page(mut response: Response, page: Option<&str>) -> Response {
    let status = response.status();
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if status == StatusCode::UNAUTHORIZED {
        return Redirect::to(&session::sign_in_for(page)).into_response();
    }
    let Problem { title, detail, .. } = problem;
    (status, render(&ErrorPage { title, detail })).into_response()
}

pub(super) async fn unknown_page(_: Reader, uri: Uri) -> ApiError {
    ApiError::not_found("page", uri.path())
}
