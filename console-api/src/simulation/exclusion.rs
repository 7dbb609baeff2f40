//! Exclusions from a hit.

use super::HitRule;
use crate::{hit::RecordedHit, json_object, ruleset::RuleDraft, validation::ValidationError};
use engine::rules::{normalize_host, path};
use serde::{Deserialize, Serialize};
use shared::{
    Finding, Point,
    ruleset::{Effect, Scope, Suppressed},
};

/// The findings to suppress, from the narrowest to the widest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Width {
    Signature,
    Subtype,
    Type,
    All,
}

/// An exclusion to make from a hit.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExclusionDraft {
    pub width: Width,
    /// The index of the finding; default: the first.
    #[serde(default)]
    pub finding: usize,
    /// The points. Absent: the point of the finding; empty: all points.
    #[serde(default)]
    pub points: Option<Vec<Point>>,
    /// The requests. Absent: those with the hit's host, path and method.
    #[serde(default, deserialize_with = "json_object::optional")]
    pub scope: Option<Scope>,
    #[serde(default)]
    pub comment: String,
}

impl HitRule for ExclusionDraft {
    fn rule(self, hit: &RecordedHit, attack_path: &str) -> Result<RuleDraft, ValidationError> {
        let finding = finding_of(hit, self.finding)?;
        let points = self.points.unwrap_or_else(|| vec![finding.point.clone()]);
        let effect = Effect::Ignore { findings: suppressed(self.width, finding)?, points };
        let scope = self.scope.unwrap_or_else(|| similar(hit, attack_path));
        let comment = if self.comment.is_empty() { format!("from hit {}", hit.id) } else { self.comment };
        Ok(RuleDraft { scope, effect, comment, expires_at: None })
    }
}

pub(super) fn finding_of(hit: &RecordedHit, index: usize) -> Result<&Finding, ValidationError> {
    let count = hit.findings.len();
    hit.findings.get(index).ok_or_else(|| {
        let detail = format!("`finding` must be less than {count}: the number of findings of the hit");
        ValidationError::new("finding", detail)
    })
}

fn suppressed(width: Width, finding: &Finding) -> Result<Suppressed, ValidationError> {
    Ok(match width {
        Width::Signature => Suppressed::Signature(finding.signature.clone()),
        Width::Subtype => {
            let class = finding.class.as_ref();
            let class =
                class.ok_or_else(|| ValidationError::new("width", "`width`: this finding has no subtype"))?;
            Suppressed::Subtype(class.subtype.clone())
        }
        Width::Type => Suppressed::Type(finding.attack_type.clone()),
        Width::All => Suppressed::All,
    })
}

/// The scope of similar requests.
pub(super) fn similar(hit: &RecordedHit, attack_path: &str) -> Scope {
    let is_cut = attack_path != hit.path;
    let path = path::normalize(if is_cut { attack_path } else { &hit.path });
    Scope {
        host: Some(normalize_host(&hit.host)),
        path: Some(if is_cut { format!("{path}**") } else { path.into_owned() }),
        method: Some(hit.method.clone()),
        application: None,
    }
}
