//! Signing in, by password or by token, from a page or through the API.

use crate::{
    access::{SESSION, Session},
    actor::Actor,
    app::App,
    audit::{Author, Deed},
    error::ApiError,
    password::Password,
    store::Holder,
    token::Token,
};
use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use uuid::Uuid;

/// The address a call comes from. Behind a proxy on this machine, the one the proxy saw.
pub struct Source(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ConnectInfo(address)| address.ip());
        let forwarded = || {
            let last = parts.headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
            last.rsplit(',').next()?.trim().parse().ok()
        };
        Ok(Self(if peer.is_loopback() { forwarded().unwrap_or(peer) } else { peer }))
    }
}

/// A session that has begun, and the secret of its cookie.
pub struct Opened {
    pub session: Session,
    pub secret: Token,
}

/// Begins a session for a user, unless there were too many tries.
pub async fn by_password(
    app: &App,
    source: IpAddr,
    name: &str,
    password: String,
) -> Result<Opened, ApiError> {
    let now = app.clock.now();
    app.login_throttle.enter(Some(name), source, now).map_err(|seconds| ApiError::TooMany { seconds })?;
    let found = app.store.user_to_sign_in(name).await?;
    let (user, kept) = found.unzip();
    let right = Password::presented(password).is(kept).await;
    let Some(user) = user.filter(|_| right) else {
        refused(app, name, source).await?;
        return Err(ApiError::WrongPassword);
    };
    app.login_throttle.succeeded(name);
    let actor = Actor { name: user.name, role: user.role };
    open(app, actor, Holder::User(user.id)).await
}

/// Begins a session for the holder of a token.
pub async fn by_token(app: &App, source: IpAddr, token: &Token) -> Result<Opened, ApiError> {
    let now = app.clock.now();
    app.login_throttle.enter(None, source, now).map_err(|seconds| ApiError::TooMany { seconds })?;
    let Some(actor) = app.store.actor_of_token(token, now).await? else {
        refused(app, "token", source).await?;
        return Err(ApiError::Unauthorized);
    };
    if !actor.role.may_read() {
        return Err(ApiError::Forbidden("a token of role admin, analyst or read_only"));
    }
    open(app, actor, Holder::Token(token.clone())).await
}

async fn open(app: &App, actor: Actor, holder: Holder) -> Result<Opened, ApiError> {
    let (secret, now) = (Token::generate(), app.clock.now());
    let session = Session {
        id: Uuid::now_v7(),
        name: actor.name.clone(),
        role: actor.role,
        created_at: now,
        expires_at: now + SESSION,
    };
    app.store.open_session(&session, &secret, &holder, &Author::new(actor, now)).await?;
    tracing::info!(name = session.name, role = session.role.as_str(), "somebody signed in");
    Ok(Opened { session, secret })
}

async fn refused(app: &App, name: &str, source: IpAddr) -> Result<(), ApiError> {
    // A name that nobody has may be long, or a password typed into the wrong field.
    let name: String = name.chars().take(100).collect();
    let author = Author { name: name.clone(), role: None, at: app.clock.now() };
    app.store.record_deed(&author, &Deed::refused_sign_in(&name, source)).await?;
    Ok(())
}

/// Whether a browser sent this from one of our own pages: what a session may do, others must not do in its name. Browsers say
/// where a request comes from, and pages cannot change that; who says nothing is no browser of this decade.
pub fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, host)| Some(host) == text(header::HOST))
}
