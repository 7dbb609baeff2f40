//! Changes of the caller's own account, on the page of settings.

use super::{form::Rejected, settings};
use crate::{
    access::PasswordChange,
    app::App,
    error::ApiError,
    extract::{Id, Reader},
    password::Password,
    session_cookie,
    transport::Client,
    use_cases::sign_in::{self, SignIn},
};
use axum::{
    Extension, Form,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) struct PasswordForm {
    current: String,
    password: String,
}

pub(super) async fn change_password(
    Reader(actor): Reader,
    State(app): State<App>,
    State(sign_in): State<SignIn>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
    Form(form): Form<PasswordForm>,
) -> Result<Response, ApiError> {
    let own = session_cookie::read(&headers);
    let changed = async {
        let password = Password::parse(form.password.clone())?;
        let change = PasswordChange { current: form.current.clone(), password };
        sign_in.change_password(client.address, &actor, own.as_ref(), change).await
    };
    match changed.await {
        Ok(()) => Ok(Redirect::to("/settings?password_changed").into_response()),
        Err(error) => {
            let rejected = Rejected::new(&form, None, error)?;
            settings::show(&app, actor.clone(), &headers, false, rejected).await
        }
    }
}

pub(super) async fn end_session(
    Reader(actor): Reader,
    State(app): State<App>,
    Id(id): Id,
) -> Result<Redirect, ApiError> {
    sign_in::end_own(&app.store, actor, app.clock.now(), id).await?;
    Ok(Redirect::to("/settings"))
}
