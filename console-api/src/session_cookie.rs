//! The session cookie, and the same-origin check of requests that carry it.

use crate::{access::SESSION, token::Token};
use axum::http::{HeaderMap, HeaderName, header};

const NAME: &str = "wallarm_session";

/// The session secret of a request.
pub fn read(headers: &HeaderMap) -> Option<Token> {
    value(headers, NAME).map(Token::presented)
}

/// The value of a cookie.
pub fn value<'h>(headers: &'h HeaderMap, cookie: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == cookie).map(|(_, value)| value)
}

/// The header that starts a session in the browser.
pub fn start(secret: &Token, is_https: bool) -> [(HeaderName, String); 1] {
    set(secret.reveal(), SESSION.as_secs(), is_https)
}

/// The header that removes the cookie.
pub fn end(is_https: bool) -> [(HeaderName, String); 1] {
    set("", 0, is_https)
}

fn set(value: &str, max_age: i64, is_https: bool) -> [(HeaderName, String); 1] {
    let secure = if is_https { "; Secure" } else { "" };
    let cookie = format!("{NAME}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Strict{secure}");
    [(header::SET_COOKIE, cookie)]
}

/// Whether the request comes from a page of this console (CSRF protection). Pages cannot change
/// `Sec-Fetch-Site` or `Origin`; a client that sends neither is not a current browser.
pub fn is_same_origin(headers: &HeaderMap, is_https: bool) -> bool {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let scheme = if is_https { "https" } else { "http" };
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|origin| Some(origin.1) == text(header::HOST) && origin.0 == scheme)
}
