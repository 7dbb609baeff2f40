//! What a rule does, and where.

use crate::{AttackType, Mode, Point, Severity};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    /// Rises with each change of the rule.
    pub revision: u32,
    #[serde(default)]
    pub scope: Scope,
    pub effect: Effect,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

/// A rule as verdicts and hits name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleRef {
    #[serde(with = "crate::as_text")]
    pub id: Uuid,
    pub revision: u32,
}

/// Which requests a rule is for: those that meet every condition given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// A host, or with `*` for any characters a pattern of hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// A path; `*` stands for any characters but `/`, `**` for any at all. Compared with the normalised path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<u32>,
}

/// Where in a request: at one of these points, or inside it. Everywhere when empty.
///
/// A step without a key stands for all keys: `[["get"]]` is every query parameter.
pub type Points = Vec<Point>;

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Gives the mode, if the node's `mode_allow_override` lets it. Without a scope: of all requests.
    Mode { mode: Mode },
    /// Blocks, in `monitoring` too.
    VirtualPatch {
        /// Attacks of these types. When empty: any request that has a value there.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attack_types: Vec<AttackType>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        points: Vec<Point>,
    },
    /// Finds what the built-in detectors do not.
    Detector {
        pattern: Pattern,
        /// `vpatch` blocks in `monitoring` too.
        attack_type: AttackType,
        severity: Severity,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        points: Vec<Point>,
    },
    /// Silences findings.
    Ignore {
        findings: Suppressed,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        points: Vec<Point>,
    },
    /// Keeps values out of hits.
    Mask { points: Vec<Point> },
    /// What becomes of requests that were too much to analyse.
    Overlimit { action: OverlimitAction },
}

/// What a detector looks for in each value, and in each layer that is decoded from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// In the dialect of the `regex` crate.
    Regex(String),
    /// These characters, in upper or lower case.
    Literal(String),
}

/// Which findings are suppressed, from the narrowest to the widest. As JSON: `{"signature": "sqli-union-select"}`, `"all"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Suppressed {
    Signature(String),
    Subtype(String),
    Type(AttackType),
    All,
}

/// What becomes of a request that was too much to analyse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OverlimitAction {
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
    /// The word in `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mode { .. } => "mode",
            Self::VirtualPatch { .. } => "virtual_patch",
            Self::Detector { .. } => "detector",
            Self::Ignore { .. } => "ignore",
            Self::Mask { .. } => "mask",
            Self::Overlimit { .. } => "overlimit",
        }
    }
}
