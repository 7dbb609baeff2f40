//! Roles, and the actors that have them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The permissions of a user or a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, utoipa::ToSchema)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Full access.
    Admin,
    /// Reads, marks attacks, and edits rules and lists.
    Analyst,
    /// Reads.
    ReadOnly,
    /// Delivers hits and fetches the ruleset; reads nothing else.
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

    /// The name on pages.
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

    pub fn can_read(self) -> bool {
        self != Self::Node
    }
}

/// A caller with a token or a session.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Of the user or the token: another one can get the same name later.
    pub id: Uuid,
    pub name: String,
    pub role: Role,
}
