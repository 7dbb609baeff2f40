//! The caller, authenticated and authorised. A handler that takes a [`Reader`], an [`Analyst`], an
//! [`Admin`] or a [`NodeCaller`] cannot run for another role.

use crate::{
    actor::{Actor, Role},
    app::App,
    audit::Author,
    caller_limit::CallerPermit,
    error::{ApiError, with_sources},
    session_cookie,
    store::Store,
    token::Token,
    transport::Client,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use jiff::{SignedDuration, Timestamp};
use listener::Peer;
use std::net::IpAddr;
use uuid::Uuid;

/// A caller that may read.
#[derive(Debug)]
pub struct Reader(pub Actor);

/// A caller that may mark attacks and edit rules and lists.
#[derive(Debug)]
pub struct Analyst(pub Author);

/// An administrator.
#[derive(Debug)]
pub struct Admin(pub Author);

/// A node.
#[derive(Debug)]
pub struct NodeCaller {
    pub token_id: Uuid,
    /// The SHA-256 of its token.
    pub token: String,
}

/// A caller that may search, with a permit that is held until the end of the call.
#[derive(Debug)]
pub struct Searching<C> {
    pub caller: C,
    pub permit: CallerPermit,
}

/// A caller with the id of its user or token.
pub trait Identified: FromRequestParts<App, Rejection = ApiError> + Send {
    fn id(&self) -> Option<Uuid>;
}

impl Identified for Reader {
    fn id(&self) -> Option<Uuid> {
        Some(self.0.id)
    }
}

impl Identified for Analyst {
    fn id(&self) -> Option<Uuid> {
        self.0.id
    }
}

impl<C: Identified> FromRequestParts<App> for Searching<C> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let caller = C::from_request_parts(parts, app).await?;
        let id = caller.id().ok_or(ApiError::Unauthorized)?;
        let permit = app.searches.enter(id).await?;
        Ok(Self { caller, permit })
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let expected = "a token of role admin, analyst or read_only";
        authorized(parts, app, Role::can_read, expected).await.map(Self)
    }
}

impl FromRequestParts<App> for Analyst {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = authorized(parts, app, Role::can_edit, "a token of role admin or analyst").await?;
        Ok(Self(Author::new(actor, app.clock.now())))
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = authorized(parts, app, |role| role == Role::Admin, "a token of role admin").await?;
        Ok(Self(Author::new(actor, app.clock.now())))
    }
}

impl FromRequestParts<App> for NodeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = authorized(parts, app, |role| role == Role::Node, "a token of role node").await?;
        // Only tokens have this role.
        let token = bearer(&parts.headers).ok_or(ApiError::Unauthorized)?.digest();
        Ok(Self { token_id: actor.id, token })
    }
}

async fn authorized(
    parts: &Parts,
    app: &App,
    is_allowed: impl Fn(Role) -> bool,
    expected: &'static str,
) -> Result<Actor, ApiError> {
    let actor = authenticated(parts, app).await?.ok_or(ApiError::Unauthorized)?;
    if let Some(peer) = parts.extensions.get::<Peer>() {
        peer.verify();
    }
    if is_allowed(actor.role) { Ok(actor) } else { Err(ApiError::Forbidden(expected)) }
}

/// By token; without one, by the session of a browser, which changes data only from pages of this
/// console.
async fn authenticated(parts: &Parts, app: &App) -> Result<Option<Actor>, ApiError> {
    let now = app.clock.now();
    if let Some(token) = bearer(&parts.headers) {
        return Ok(app.store.actor_of_token(&token, now).await?);
    }
    let Some(secret) = session_cookie::read(&parts.headers) else { return Ok(None) };
    let Some(session) = app.store.session(&secret, now).await? else { return Ok(None) };
    let client = parts.extensions.get::<Client>();
    let is_https = client.is_some_and(|client| client.is_https);
    if !parts.method.is_safe() && !session_cookie::is_same_origin(&parts.headers, is_https) {
        return Err(ApiError::Forbidden("a page of this console, or a token"));
    }
    if let Some(client) = client.filter(|_| now.duration_since(session.last_active_at) >= ACTIVITY) {
        record_activity(app.store.clone(), session.id, client.address, now);
    }
    Ok(Some(session.actor()))
}

/// How often the activity of a session is recorded.
const ACTIVITY: SignedDuration = SignedDuration::from_secs(60);

/// Records the activity of a session, without a delay of the call.
fn record_activity(store: Store, session: Uuid, address: IpAddr, now: Timestamp) {
    tokio::spawn(async move {
        if let Err(error) = store.touch_session(session, address, now).await {
            tracing::warn!(error = with_sources(&error), "cannot record the activity of a session");
        }
    });
}

fn bearer(headers: &HeaderMap) -> Option<Token> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Token::presented(token.trim()))
}
