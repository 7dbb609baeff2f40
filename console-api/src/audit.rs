//! The audit log: the actor, time, object, and state before and after each change.

use crate::{
    actor::{Actor, Role},
    attack::Mark,
    paging::{Cursor, Listed},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;
use uuid::Uuid;

/// The author of a change, and its time.
#[derive(Debug, Clone)]
pub struct Author {
    /// Of the user or the token.
    pub id: Option<Uuid>,
    pub name: String,
    /// `None`: not authenticated.
    pub role: Option<Role>,
    pub at: Timestamp,
}

impl Author {
    pub fn new(actor: Actor, at: Timestamp) -> Self {
        Self { id: Some(actor.id), name: actor.name, role: Some(actor.role), at }
    }
}

/// The kinds of objects that can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuditKind)]
pub enum ObjectKind {
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
    Node,
}

impl ObjectKind {
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
        Self::Node,
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
            Self::Node => "node",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditAction {
    Create,
    Change,
    Delete,
    /// A failed sign-in.
    Refuse,
    /// A rollback to an older version.
    Activate,
}

impl AuditAction {
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

/// An event to record: a change, with the object before and after it as the API shows it, or a
/// failed sign-in. Never contains secrets.
#[derive(Debug)]
pub struct AuditEvent {
    pub action: AuditAction,
    pub kind: ObjectKind,
    pub object: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl AuditEvent {
    pub fn created(kind: ObjectKind, object: &impl ToString, after: &impl Serialize) -> Self {
        Self {
            action: AuditAction::Create,
            kind,
            object: object.to_string(),
            before: None,
            after: Some(shown(after)),
        }
    }

    pub fn changed(
        kind: ObjectKind,
        object: &impl ToString,
        before: &impl Serialize,
        after: &impl Serialize,
    ) -> Self {
        let (before, after) = (Some(shown(before)), Some(shown(after)));
        Self { action: AuditAction::Change, kind, object: object.to_string(), before, after }
    }

    /// A failed sign-in as this user, from this address, at the OpenID provider if so.
    pub fn refused_sign_in(name: &str, source: IpAddr, reason: Option<&str>) -> Self {
        let mut after = json!({"source": source});
        if let Some(reason) = reason {
            after["reason"] = reason.into();
        }
        let after = Some(after);
        Self {
            action: AuditAction::Refuse,
            kind: ObjectKind::Session,
            object: name.to_owned(),
            before: None,
            after,
        }
    }

    pub fn deleted(kind: ObjectKind, object: &impl ToString, before: &impl Serialize) -> Self {
        let before = Some(shown(before));
        Self { action: AuditAction::Delete, kind, object: object.to_string(), before, after: None }
    }
}

fn shown(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect("objects of the API have text keys")
}

/// A line of the audit log: a recorded event.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AuditLine {
    pub id: Uuid,
    pub at: Timestamp,
    pub actor: String,
    /// The id of the user or the token; absent: not authenticated, or recorded by an older version.
    pub actor_id: Option<Uuid>,
    pub role: Option<String>,
    pub action: String,
    pub kind: String,
    pub object: String,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// The mark of an attack, as lines record it.
#[derive(Debug, Default, Deserialize)]
pub struct LoggedMark {
    pub mark: Option<LoggedMarking>,
}

#[derive(Debug, Deserialize)]
pub struct LoggedMarking {
    pub value: Mark,
    pub note: String,
}

impl Listed for AuditLine {
    fn cursor(&self) -> Cursor {
        Cursor::at(self.at, &self.id)
    }
}

/// A filter of audit lines; an absent field matches all.
#[derive(Debug, Default)]
pub struct LogFilter {
    pub actor: Option<String>,
    pub action: Option<AuditAction>,
    pub kind: Option<ObjectKind>,
    pub object: Option<String>,
    /// Only sign-ins and ended sessions, or all others.
    pub sign_ins: Option<bool>,
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
}
