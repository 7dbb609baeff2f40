//! A new secret, shown by the page that follows the form: a cookie carries it to the next request,
//! which removes it. Reloading neither submits the form again nor shows the secret again.

use crate::session_cookie;
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Redirect, Response},
};
use uuid::Uuid;

const NAME: &str = "wallarm_new_secret";
/// Seconds until the browser forgets it without a next request.
const MAX_AGE: u32 = 60;

/// The secret of a new object.
pub(super) struct NewSecret {
    pub(super) id: Uuid,
    pub(super) secret: String,
}

impl NewSecret {
    /// The redirect to the page that shows it.
    pub(super) fn redirect(&self, page: &str, is_https: bool) -> Response {
        let mut response = Redirect::to(page).into_response();
        let value = format!("{}.{}", self.id, self.secret);
        set(&mut response, page, &value, MAX_AGE, is_https);
        response
    }

    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = session_cookie::value(headers, NAME)?;
        let (id, secret) = value.split_once('.')?;
        Some(Self { id: id.parse().ok()?, secret: secret.to_owned() })
    }

    /// Removes the cookie with a response that shows the secret.
    pub(super) fn forget(response: &mut Response, page: &str, is_https: bool) {
        set(response, page, "", 0, is_https);
    }
}

fn set(response: &mut Response, page: &str, value: &str, max_age: u32, is_https: bool) {
    let secure = if is_https { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; Path={page}; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
