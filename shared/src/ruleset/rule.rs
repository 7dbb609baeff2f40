//! Rules: scope and effect.

use crate::{AttackType, Mode, Point, Sensitivity, Severity};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    /// Incremented with each change of the rule.
    pub revision: u32,
    #[serde(default)]
    pub scope: Scope,
    pub effect: Effect,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// Reference to a rule in verdicts and hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleRef {
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    pub revision: u32,
}

/// The requests of a rule: those that match every condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// A host; `*` matches any characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// A normalized path; `*` matches any characters except `/`, `**` any characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<u32>,
}

/// Points of a rule: a value matches at or below one of them. Empty matches everywhere.
///
/// A step without a key matches all keys: `[["get"]]` is every query parameter.
pub type Points = Vec<Point>;

/// The effect of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Sets the mode, as far as the node's `wallarm_mode_allow_override` allows.
    Mode { mode: Mode },
    /// Blocks, also in mode `monitoring`.
    VirtualPatch {
        /// Attacks of these types. When empty: any request with a value at the points.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attack_types: Vec<AttackType>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        points: Vec<Point>,
    },
    /// A custom detector.
    Detector {
        pattern: Pattern,
        /// `vpatch` blocks also in mode `monitoring`.
        attack_type: AttackType,
        severity: Severity,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        points: Vec<Point>,
    },
    /// An exclusion: suppresses findings.
    Ignore {
        findings: Suppressed,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        points: Vec<Point>,
    },
    /// Masks values in hits.
    Mask { points: Vec<Point> },
    /// Treatment of requests over the analysis limit.
    Overlimit { action: OverlimitAction },
    /// Sets the score from which a request is an attack.
    Sensitivity { sensitivity: Sensitivity },
    /// What people write in the fields at the points: findings that such content explains lose most
    /// of their score.
    Content { content: Content, points: Vec<Point> },
}

/// What people write in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Content {
    Text,
    Html,
    Markdown,
    Code,
    Sql,
    /// Encrypted or encoded bytes that nothing interprets.
    Opaque,
}

/// Pattern of a custom detector, matched against each value and each decoded layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// Syntax of the `regex` crate.
    Regex(String),
    /// Case-insensitive text.
    Literal(String),
}

/// The findings that an exclusion suppresses, from narrow to wide.
///
/// As JSON: `{"signature": "sqli-union-select"}`, `"all"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Suppressed {
    Signature(String),
    Subtype(String),
    Type(AttackType),
    All,
}

/// Treatment of a request over the analysis limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OverlimitAction {
    /// As `monitor` where the rest is data that no interpreter reads (files, images, archives), else as
    /// `block`.
    Auto,
    /// It is recorded and passes.
    Monitor,
    /// It is treated as an attack.
    Block,
}

impl Rule {
    pub fn to_ref(&self) -> RuleRef {
        RuleRef { id: self.id, revision: self.revision }
    }
}

impl Effect {
    /// The value of `kind` in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mode { .. } => "mode",
            Self::VirtualPatch { .. } => "virtual_patch",
            Self::Detector { .. } => "detector",
            Self::Ignore { .. } => "ignore",
            Self::Mask { .. } => "mask",
            Self::Overlimit { .. } => "overlimit",
            Self::Sensitivity { .. } => "sensitivity",
            Self::Content { .. } => "content",
        }
    }
}
