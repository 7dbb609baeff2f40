//! Who calls, and what they may do. A handler that takes a [`Reader`], an [`Analyst`], an [`Admin`] or a
//! [`NodeCaller`] cannot run for anybody else.

use crate::{
    app::App, audit::Author, clock::Clock, error::ApiError, pages::PageError, store::Store, token::Token,
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Role {
    /// May do all that people may.
    Admin,
    /// May read, mark attacks, and write rules and lists.
    Analyst,
    /// May read.
    ReadOnly,
    /// Delivers hits, and reads nothing.
    Node,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Admin, Self::Analyst, Self::ReadOnly, Self::Node];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Analyst => "analyst",
            Self::ReadOnly => "read_only",
            Self::Node => "node",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    pub fn may_judge(self) -> bool {
        matches!(self, Self::Admin | Self::Analyst)
    }

    pub fn may_read(self) -> bool {
        self != Self::Node
    }
}

/// Somebody with a token.
#[derive(Debug, Clone)]
pub struct Actor {
    pub name: String,
    pub role: Role,
}

/// Somebody who may read, through the API. The console's own pages read by the session of their browser.
#[derive(Debug)]
pub struct Reader(pub Actor);

/// Somebody who may judge attacks and write rules, through the API.
#[derive(Debug)]
pub struct Analyst(pub Author);

/// Somebody who may do all that people may, through the API.
#[derive(Debug)]
pub struct Admin(pub Author);

/// A node.
#[derive(Debug)]
pub struct NodeCaller;

/// Somebody who may read, in a browser: by session, or by token as in the API.
#[derive(Debug)]
pub struct Visitor(pub Actor);

impl FromRequestParts<App> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = match by_token(parts, &app.store).await? {
            Some(actor) => Some(actor),
            None => by_session(&parts.headers, &app.store, app.clock).await?,
        };
        let actor = actor.ok_or(ApiError::Unauthorized)?;
        if actor.role.may_read() {
            Ok(Self(actor))
        } else {
            Err(ApiError::Forbidden("a token of role admin, analyst or read_only"))
        }
    }
}

impl FromRequestParts<App> for Analyst {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = by_token(parts, &app.store).await?.ok_or(ApiError::Unauthorized)?;
        if actor.role.may_judge() {
            Ok(Self(Author::new(actor, app.clock.now())))
        } else {
            Err(ApiError::Forbidden("a token of role admin or analyst"))
        }
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = by_token(parts, &app.store).await?.ok_or(ApiError::Unauthorized)?;
        if actor.role == Role::Admin {
            Ok(Self(Author::new(actor, app.clock.now())))
        } else {
            Err(ApiError::Forbidden("a token of role admin"))
        }
    }
}

impl FromRequestParts<App> for NodeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = by_token(parts, &app.store).await?.ok_or(ApiError::Unauthorized)?;
        if actor.role == Role::Node { Ok(Self) } else { Err(ApiError::Forbidden("a token of role node")) }
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let actor = match by_token(parts, &app.store).await? {
            Some(actor) => Some(actor),
            None => by_session(&parts.headers, &app.store, app.clock).await?,
        };
        let actor = actor.ok_or(PageError::SignIn)?;
        if actor.role.may_read() {
            Ok(Self(actor))
        } else {
            Err(ApiError::Forbidden("a token of role admin, analyst or read_only").into())
        }
    }
}

/// A call of the API that one of our own pages makes for somebody whom it knows. Nothing a client sends becomes this.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn(pub(crate) Actor);

async fn by_token(parts: &Parts, store: &Store) -> Result<Option<Actor>, ApiError> {
    if let Some(SignedIn(actor)) = parts.extensions.get() {
        return Ok(Some(actor.clone()));
    }
    let Some(token) = bearer(&parts.headers) else { return Ok(None) };
    Ok(store.actor_of_token(&token).await?)
}

async fn by_session(headers: &HeaderMap, store: &Store, clock: Clock) -> Result<Option<Actor>, ApiError> {
    let Some(session) = session(headers) else { return Ok(None) };
    Ok(store.actor_of_session(&session, clock.now()).await?)
}

fn bearer(headers: &HeaderMap) -> Option<Token> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Token::presented(token.trim()))
}

/// The name of the cookie that carries a session.
pub const SESSION_COOKIE: &str = "wallarm_session";

/// The session a browser sent.
pub fn session(headers: &HeaderMap) -> Option<Token> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, value)| Token::presented(value))
}
