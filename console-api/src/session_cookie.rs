//! The session cookie, and the same-origin check of requests that carry it.

use crate::{access::SESSION, token::Token};
use axum::http::{HeaderMap, HeaderName, header};

const NAME: &str = "wallarm_session";

/// The session secret of a request.
pub fn read(headers: &HeaderMap) -> Option<Token> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, value)| Token::presented(value))
}

/// The header that starts a session in the browser. `request` is the sign-in request.
pub fn start(secret: &Token, request: &HeaderMap) -> [(HeaderName, String); 1] {
    set(secret.reveal(), SESSION.as_secs(), request)
}

/// The header that removes the cookie.
pub fn end(request: &HeaderMap) -> [(HeaderName, String); 1] {
    set("", 0, request)
}

fn set(value: &str, max_age: i64, request: &HeaderMap) -> [(HeaderName, String); 1] {
    // Over TLS. A client that forges the header only keeps its own cookie from plain HTTP.
    let is_https = request.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if is_https { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    [(header::SET_COOKIE, cookie)]
}

/// Whether the request comes from a page of this console (CSRF protection). Pages cannot change
/// `Sec-Fetch-Site` or `Origin`; a client that sends neither is not a current browser.
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, host)| Some(host) == text(header::HOST))
}
