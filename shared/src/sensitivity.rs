//! Sensitivities, and the parts of the scores that are compared with them.

use crate::Confidence;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// The score from which a request is an attack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Only evidence that benign requests practically never contain.
    Low,
    #[default]
    Balanced,
    /// Also weak evidence, such as probes and fragments.
    Strict,
}

impl Sensitivity {
    pub const ALL: [Self; 3] = [Self::Low, Self::Balanced, Self::Strict];

    /// A request with this score is an attack.
    pub const fn threshold(self) -> i32 {
        match self {
            Self::Low => 7,
            Self::Balanced => 5,
            Self::Strict => 3,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Balanced => "balanced",
            Self::Strict => "strict",
        }
    }
}

impl fmt::Display for Sensitivity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A part of a finding's score: points for (positive) or against (negative) an attack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScorePart {
    pub points: i8,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub reason: Cow<'static, str>,
}

impl ScorePart {
    pub const fn new(points: i8, reason: &'static str) -> Self {
        Self { points, reason: Cow::Borrowed(reason) }
    }

    /// The points of a rule by its confidence.
    pub const fn of_rule(confidence: Confidence) -> Self {
        match confidence {
            Confidence::Low => Self::new(3, "rule of low confidence"),
            Confidence::Medium => Self::new(5, "rule of medium confidence"),
            Confidence::High => Self::new(7, "rule of high confidence"),
        }
    }
}

impl fmt::Display for ScorePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+} {}", self.points, self.reason)
    }
}
