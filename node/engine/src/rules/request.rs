//! The rules that apply to one request.

use super::{
    book::{Detector, FieldContent, Ignore, Patch, Scoped},
    point::{covers, overlaps},
};
use crate::detect::Match;
use shared::{
    AttackType, Finding, Mode, Point, Sensitivity,
    ruleset::{Content, OverlimitAction, Points, RuleRef, Suppressed},
};

/// The rules that apply to a request.
#[derive(Debug, Default)]
pub struct RequestRules<'r> {
    /// The mode set by a rule, and that rule.
    pub mode: Option<(RuleRef, Mode)>,
    pub overlimit: Option<(RuleRef, OverlimitAction)>,
    pub sensitivity: Option<(RuleRef, Sensitivity)>,
    pub(super) contents: Vec<&'r Scoped<FieldContent>>,
    pub(super) patches: Vec<&'r Scoped<Patch>>,
    pub(super) detectors: Vec<&'r Scoped<Detector>>,
    pub(super) ignores: Vec<&'r Scoped<Ignore>>,
    pub(super) masks: Vec<&'r Scoped<Points>>,
}

impl<'r> RequestRules<'r> {
    /// The virtual patch that matches one of the findings.
    pub fn virtual_patch(&self, findings: &[Finding]) -> Option<RuleRef> {
        findings.iter().find_map(|finding| self.patch(finding))
    }

    /// Whether values at the point are masked, at least in part.
    pub fn masks(&self, point: &Point) -> bool {
        self.masked().any(|masked| overlaps(masked, point))
    }

    /// The masked points.
    pub fn masked(&self) -> impl Iterator<Item = &'r Point> {
        self.masks.iter().flat_map(|rule| &rule.effect)
    }

    /// What people write at the point, if a rule says so: the last rule that covers it.
    pub(crate) fn content(&self, point: impl Fn() -> Point) -> Option<Content> {
        if self.contents.is_empty() {
            return None;
        }
        let point = point();
        let here = self.contents.iter().rev().find(|rule| is_at(&rule.effect.points, &point));
        here.map(|rule| rule.effect.content)
    }

    /// The exclusion that suppresses a finding. Findings of a virtual patch are suppressed only by
    /// signature id.
    pub fn suppresses(&self, finding: &Finding) -> Option<RuleRef> {
        let suppressed = self.ignores.iter().find(|rule| {
            let Ignore { findings, points } = &rule.effect;
            matches_suppression(findings, finding) && is_at(points, &finding.point)
        });
        suppressed.map(|rule| rule.rule)
    }

    /// Matches of custom detectors in a value. The point is built only if there are detectors.
    pub(crate) fn detect(&self, value: &[u8], point: impl Fn() -> Point) -> Vec<Match<'r>> {
        if self.detectors.is_empty() {
            return Vec::new();
        }
        let point = point();
        let here = self.detectors.iter().filter(|rule| is_at(&rule.effect.points, &point));
        here.filter_map(|rule| {
            let detector = &rule.effect;
            Some(Match {
                attack_type: detector.attack_type.clone(),
                signature: &detector.signature,
                severity: detector.severity,
                span: detector.pattern.find(value)?,
            })
        })
        .collect()
    }

    fn patch(&self, finding: &Finding) -> Option<RuleRef> {
        if finding.attack_type == AttackType::VirtualPatch {
            let by = self.detectors.iter().find(|rule| rule.effect.signature == finding.signature);
            return by.map(|rule| rule.rule);
        }
        let patched = self.patches.iter().find(|rule| {
            rule.effect.attack_types.contains(&finding.attack_type)
                && is_at(&rule.effect.points, &finding.point)
        });
        patched.map(|rule| rule.rule)
    }
}

fn matches_suppression(suppressed: &Suppressed, finding: &Finding) -> bool {
    // Incomplete analysis and virtual patches are not false positives of a detector.
    let is_detection = !matches!(finding.attack_type, AttackType::Overlimit | AttackType::VirtualPatch);
    match suppressed {
        Suppressed::Signature(signature) => finding.signature == *signature,
        Suppressed::Subtype(subtype) => finding.class.as_ref().is_some_and(|class| class.subtype == *subtype),
        Suppressed::Type(code) => finding.attack_type == *code,
        Suppressed::All => is_detection,
    }
}

fn is_at(points: &Points, point: &Point) -> bool {
    points.is_empty() || points.iter().any(|rule| covers(rule, point))
}
