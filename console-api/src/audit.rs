//! The log of changes: who changed what, from what to what, and when.

use crate::{
    actor::{Actor, Role},
    paging::{Cursor, Listed},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use uuid::Uuid;

/// Who changes something, and when.
#[derive(Debug, Clone)]
pub struct Author {
    pub name: String,
    /// `None`: somebody who has not proved who they are.
    pub role: Option<Role>,
    pub at: Timestamp,
}

impl Author {
    pub fn new(actor: Actor, at: Timestamp) -> Self {
        Self { name: actor.name, role: Some(actor.role), at }
    }
}

/// What can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuditKind)]
pub enum Kind {
    Rule,
    IpListEntry,
    Attack,
    User,
    Session,
    Token,
    Ruleset,
    View,
    Webhook,
    SigningKey,
}

impl Kind {
    pub const ALL: &[Self] = &[
        Self::Rule,
        Self::IpListEntry,
        Self::Attack,
        Self::User,
        Self::Session,
        Self::Token,
        Self::Ruleset,
        Self::View,
        Self::Webhook,
        Self::SigningKey,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::IpListEntry => "ip_list_entry",
            Self::Attack => "attack",
            Self::User => "user",
            Self::Session => "session",
            Self::Token => "token",
            Self::Ruleset => "ruleset",
            Self::View => "view",
            Self::Webhook => "webhook",
            Self::SigningKey => "signing_key",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// What is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Change,
    Delete,
    /// Somebody did not prove who they are.
    Refuse,
    /// The way back to an older version.
    Activate,
}

impl Action {
    pub const ALL: &[Self] = &[Self::Create, Self::Change, Self::Delete, Self::Refuse, Self::Activate];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change => "change",
            Self::Delete => "delete",
            Self::Refuse => "refuse",
            Self::Activate => "activate",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == word)
    }
}

/// A change, as the API shows things before and after it. What is secret does not belong in there.
#[derive(Debug)]
pub struct Deed {
    pub action: Action,
    pub kind: Kind,
    pub object: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// The version of the ruleset that it makes.
    pub ruleset: Option<i64>,
}

impl Deed {
    pub fn created(kind: Kind, object: &impl ToString, after: &impl Serialize) -> Self {
        Self {
            action: Action::Create,
            kind,
            object: object.to_string(),
            before: None,
            after: Some(shown(after)),
            ruleset: None,
        }
    }

    pub fn changed(
        kind: Kind,
        object: &impl ToString,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> Self {
        let (before, after) = (Some(shown(before)), Some(shown(after)));
        Self { action: Action::Change, kind, object: object.to_string(), before, after, ruleset: None }
    }

    /// Somebody claimed to be this user, from there.
    pub fn refused_sign_in(name: &str, source: IpAddr) -> Self {
        let after = Some(json!({"source": source}));
        Self {
            action: Action::Refuse,
            kind: Kind::Session,
            object: name.to_owned(),
            before: None,
            after,
            ruleset: None,
        }
    }

    pub fn deleted(kind: Kind, object: &impl ToString, before: &impl Serialize) -> Self {
        let before = Some(shown(before));
        Self { action: Action::Delete, kind, object: object.to_string(), before, after: None, ruleset: None }
    }

    /// Of a thing that is put back: it is created only if it was not there.
    #[must_use]
    pub fn again(self) -> Self {
        let action =
            if self.action == Action::Create && self.before.is_some() { Action::Change } else { self.action };
        Self { action, ..self }
    }

    /// As part of a version of the ruleset.
    #[must_use]
    pub fn making(self, ruleset: i64) -> Self {
        Self { ruleset: Some(ruleset), ..self }
    }
}

fn shown(thing: &impl Serialize) -> Value {
    serde_json::to_value(thing).expect("what the API shows has text keys")
}

/// A line of the log.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AuditLine)]
pub struct Line {
    pub id: Uuid,
    pub at: Timestamp,
    pub actor: String,
    pub role: Option<String>,
    pub action: String,
    pub kind: String,
    pub object: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl Listed for Line {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.at, &self.id)
    }
}

/// Which lines are asked for; what is left out does not matter.
#[derive(Debug, Default)]
pub struct LogFilter {
    pub actor: Option<String>,
    pub action: Option<Action>,
    pub kind: Option<Kind>,
    pub object: Option<String>,
    pub from: Option<Timestamp>,
    /// Not included.
    pub to: Option<Timestamp>,
}
