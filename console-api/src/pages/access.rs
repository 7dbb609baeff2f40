//! Who may call the console: pages for administrators.

pub(super) mod sessions;
pub(super) mod tokens;
pub(super) mod users;

use super::PageError;
use crate::{
    actor::{Actor, Role, Visitor},
    app::App,
    error::ApiError,
};
use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Deserialize;

/// An administrator, in a browser.
pub(super) struct Administrator(pub(super) Actor);

/// The revision that a form knows.
#[derive(Deserialize)]
pub(super) struct Known {
    pub(super) revision: u32,
}

impl FromRequestParts<App> for Administrator {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let Visitor(actor) = Visitor::from_request_parts(parts, app).await?;
        if actor.role == Role::Admin {
            Ok(Self(actor))
        } else {
            Err(ApiError::Forbidden("the role admin").into())
        }
    }
}
