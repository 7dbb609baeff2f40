//! Users, sessions and access tokens.

use crate::{
    actor::{Actor, Role},
    paging::{Cursor, Listed},
    password::Password,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use uuid::Uuid;

/// Lifetime of a session: a working day.
pub const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// A user, who signs in with a password or at the OpenID provider.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct User {
    pub id: Uuid,
    pub name: String,
    pub role: Role,
    pub revision: u32,
    pub created_at: Timestamp,
    /// Absent: the user signs in with a password. Name and role are otherwise those of the OpenID
    /// provider, and cannot be changed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<ExternalIdentity>,
}

/// The identity of a user at an OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExternalIdentity {
    pub issuer: String,
    pub subject: String,
}

/// A user to add, or the new values of a user.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserDraft {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// Any role but `node`.
    pub role: Role,
    /// 12 to 1000 characters. Required for a new user; when absent, the password of a known user
    /// stays.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 12, max_length = 1000)]
    pub password: Option<Password>,
}

/// A session of a signed-in user.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Session {
    pub id: Uuid,
    /// The id of the user or of the token.
    pub holder_id: Uuid,
    /// The name of the user or of the token.
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Within a minute.
    pub last_active_at: Timestamp,
    /// The address of the last activity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub ip: Option<IpAddr>,
    /// Browser and operating system, such as `Firefox on Linux`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
}

impl Session {
    pub fn actor(self) -> Actor {
        Actor { id: self.holder_id, name: self.name, role: self.role }
    }
}

/// The caller: a user or a token.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Account {
    pub id: Uuid,
    pub name: String,
    pub role: Role,
    /// Whether the caller signs in with a password.
    pub is_user: bool,
    /// The active sessions of the caller, the newest first.
    pub sessions: Vec<Session>,
}

/// A new password of the caller.
// Without `Debug`: it has the current password in clear.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The current password.
    pub current: String,
    /// 12 to 1000 characters.
    #[schema(value_type = String, min_length = 12, max_length = 1000)]
    pub password: Password,
}

/// A token, without the secret.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = AccessToken)]
pub struct TokenInfo {
    pub id: Uuid,
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
    /// Never, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A token to issue.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenDraft {
    /// The purpose of the token, in 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    pub role: Role,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A new token. Its secret is shown once; only its digest is stored.
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
