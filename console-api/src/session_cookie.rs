//! The cookies of the console: that of the session with the same-origin check of requests that carry
//! it, and that of a sign-in at the OpenID provider.

use crate::{access::SESSION, oidc::ATTEMPT, token::Token};
use axum::http::{HeaderMap, HeaderName, header};

/// A cookie that scripts cannot read.
struct Cookie {
    name: &'static str,
    path: &'static str,
    same_site: &'static str,
}

const SESSION_COOKIE: Cookie = Cookie { name: "wallarm_session", path: "/", same_site: "Strict" };
/// `Lax`: sent when the provider sends the browser back.
const ATTEMPT_COOKIE: Cookie = Cookie { name: "wallarm_oidc", path: "/sign-in/oidc", same_site: "Lax" };

/// The session secret of a request.
pub fn read(headers: &HeaderMap) -> Option<Token> {
    value(headers, SESSION_COOKIE.name).map(Token::presented)
}

/// The value of a cookie.
pub fn value<'h>(headers: &'h HeaderMap, cookie: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == cookie).map(|(_, value)| value)
}

/// The header that starts a session in the browser.
pub fn start(secret: &Token, is_https: bool) -> [(HeaderName, String); 1] {
    [SESSION_COOKIE.set(secret.reveal(), SESSION.as_secs(), is_https)]
}

/// The header that removes the cookie.
pub fn end(is_https: bool) -> [(HeaderName, String); 1] {
    [SESSION_COOKIE.set("", 0, is_https)]
}

/// The sealed attempt to sign in of a request.
pub fn attempt(headers: &HeaderMap) -> Option<&str> {
    value(headers, ATTEMPT_COOKIE.name)
}

/// The header that keeps a sealed attempt to sign in.
pub fn start_attempt(sealed: &str, is_https: bool) -> [(HeaderName, String); 1] {
    [ATTEMPT_COOKIE.set(sealed, ATTEMPT.as_secs(), is_https)]
}

/// The header that removes the attempt: it is used once.
pub fn end_attempt(is_https: bool) -> [(HeaderName, String); 1] {
    [ATTEMPT_COOKIE.set("", 0, is_https)]
}

impl Cookie {
    fn set(&self, value: &str, max_age: i64, is_https: bool) -> (HeaderName, String) {
        let Self { name, path, same_site } = self;
        let secure = if is_https { "; Secure" } else { "" };
        let cookie =
            format!("{name}={value}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite={same_site}{secure}");
        (header::SET_COOKIE, cookie)
    }
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
