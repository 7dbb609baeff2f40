//! Marks of attacks: true positive, false positive.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Ordered: when attacks merge, the greater mark stays, so that a true positive is not hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Not an attack. Lists leave it out by default.
    FalsePositive,
    TruePositive,
}

/// A mark with its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Marking {
    pub value: Mark,
    pub note: String,
    pub by: String,
    pub at: Timestamp,
}

/// A mark to set or clear.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkDraft {
    /// Null clears the mark. Required.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub mark: Option<Mark>,
    #[serde(default)]
    pub note: String,
}

impl Mark {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FalsePositive => "false_positive",
            Self::TruePositive => "true_positive",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        [Self::FalsePositive, Self::TruePositive].into_iter().find(|mark| mark.as_str() == word)
    }
}

/// A filter of marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// Marked or not.
    Any,
    None,
    Only(Mark),
}

impl Marks {
    pub const ALL: [Self; 4] =
        [Self::Only(Mark::FalsePositive), Self::Only(Mark::TruePositive), Self::None, Self::Any];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::None => "none",
            Self::Only(mark) => mark.as_str(),
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|marks| marks.as_str() == word)
    }
}
