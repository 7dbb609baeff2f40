//! Who calls, and what they may do. A handler that takes a [`Reader`], an [`Analyst`], an [`Admin`] or a
//! [`NodeCaller`] cannot run for anybody else.

use crate::{app::App, audit::Author, error::ApiError, pages::PageError, sign_in::is_ours, token::Token};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use serde::{Deserialize, Serialize};

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, utoipa::ToSchema)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
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

    /// As people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Admin => "Administrator",
            Self::Analyst => "Analyst",
            Self::ReadOnly => "Read only",
            Self::Node => "Node",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    pub fn can_edit(self) -> bool {
        matches!(self, Self::Admin | Self::Analyst)
    }

    pub fn may_read(self) -> bool {
        self != Self::Node
    }
}

/// Somebody with a token or a session.
#[derive(Debug, Clone)]
pub struct Actor {
    pub name: String,
    pub role: Role,
}

/// Somebody who may read, by token or session.
#[derive(Debug)]
pub struct Reader(pub Actor);

/// Somebody who may judge attacks and write rules, by token or session.
#[derive(Debug)]
pub struct Analyst(pub Author);

/// Somebody who may do all that people may, by token or session.
#[derive(Debug)]
pub struct Admin(pub Author);

/// A node, and what tells its token from others: SHA-256 of it.
#[derive(Debug)]
pub struct NodeCaller(pub String);

/// Somebody who may read, in a browser: who is not signed in is led to the page that signs in.
#[derive(Debug)]
pub struct Visitor(pub Actor);

impl FromRequestParts<App> for Reader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = identify(parts, app).await?.ok_or(ApiError::Unauthorized)?;
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
        let actor = identify(parts, app).await?.ok_or(ApiError::Unauthorized)?;
        if actor.role.can_edit() {
            Ok(Self(Author::new(actor, app.clock.now())))
        } else {
            Err(ApiError::Forbidden("a token of role admin or analyst"))
        }
    }
}

impl FromRequestParts<App> for Admin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let actor = identify(parts, app).await?.ok_or(ApiError::Unauthorized)?;
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
        let actor = identify(parts, app).await?.ok_or(ApiError::Unauthorized)?;
        if actor.role != Role::Node {
            return Err(ApiError::Forbidden("a token of role node"));
        }
        Ok(Self(bearer(&parts.headers).map_or(actor.name, |token| token.digest())))
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, PageError> {
        let actor = identify(parts, app).await?;
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

/// By token; without one, by the session of a browser, which acts for itself only from our own pages.
async fn identify(parts: &Parts, app: &App) -> Result<Option<Actor>, ApiError> {
    let now = app.clock.now();
    if let Some(SignedIn(actor)) = parts.extensions.get() {
        return Ok(Some(actor.clone()));
    }
    if let Some(token) = bearer(&parts.headers) {
        return Ok(app.store.actor_of_token(&token, now).await?);
    }
    let Some(session) = session(&parts.headers) else { return Ok(None) };
    let actor = app.store.actor_of_session(&session, now).await?;
    if actor.is_some() && !parts.method.is_safe() && !is_ours(&parts.headers) {
        return Err(ApiError::Forbidden("a page of this console's, or a token"));
    }
    Ok(actor)
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
