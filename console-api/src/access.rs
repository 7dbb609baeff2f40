//! Users, sessions and tokens, as administrators see them.

use crate::{
    actor::Role,
    paging::{Cursor, Listed},
    password::Password,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A working day; then whoever is signed in proves who they are once more.
pub const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// Somebody who signs in with a password.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct User {
    pub id: Uuid,
    pub name: String,
    pub role: Role,
    pub revision: u32,
    pub created_at: Timestamp,
}

/// What somebody wants a user to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserDraft {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Any but `node`.
    pub role: Role,
    /// 12 to 1000 characters; a new user needs one, of a known user it stays when it is left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 12, max_length = 1000)]
    pub password: Option<Password>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Session {
    pub id: Uuid,
    /// The user's name, or that of the token.
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A token, without the secret.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AccessToken)]
pub struct TokenInfo {
    pub id: Uuid,
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
    /// Never, when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A token that somebody wants.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenDraft {
    /// Who or what will use it, in 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    pub role: Role,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A new token. The secret is shown this once; only its digest is kept.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = NewAccessToken)]
pub struct NewToken {
    #[serde(flatten)]
    pub info: TokenInfo,
    pub token: String,
}

impl Listed for User {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.id)
    }
}

impl Listed for Session {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.id)
    }
}

impl Listed for TokenInfo {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.created_at, &self.id)
    }
}
