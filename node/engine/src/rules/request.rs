//! The rules that apply to one request.

use super::{
    book::{Detector, FieldContent, Ignore, Patch, Scoped},
    filter::Automaton,
    point::{covers, overlaps},
    work::DetectorWork,
};
use crate::{detect::Match, upload_policy::UploadPolicy};
use regex_automata::{PatternID, PatternSet};
use shared::{
    AttackType, Finding, Mode, Point, Sensitivity,
    ruleset::{Content, OverlimitAction, Points, RuleRef, Suppressed},
};
use std::{cell::OnceCell, sync::Arc};

/// The rules that apply to a request.
#[derive(Debug, Default)]
pub struct RequestRules<'r> {
    /// The mode set by a rule, and that rule.
    pub mode: Option<(RuleRef, Mode)>,
    pub overlimit: Option<(RuleRef, OverlimitAction)>,
    pub sensitivity: Option<(RuleRef, Sensitivity)>,
    /// The policy of the route for files.
    pub uploads: Option<Arc<UploadPolicy>>,
    /// Whether a rule of the ruleset names a position in an array.
    pub(crate) names_positions: bool,
    pub(super) contents: Vec<&'r Scoped<FieldContent>>,
    pub(super) patches: Vec<&'r Scoped<Patch>>,
    pub(super) detectors: Detectors<'r>,
    pub(super) ignores: Vec<&'r Scoped<Ignore>>,
    pub(super) masks: Vec<&'r Scoped<Points>>,
}

/// The custom detectors that apply to a request.
#[derive(Debug, Default)]
pub(super) struct Detectors<'r> {
    /// The automata of the filter that have their parts.
    automata: Vec<&'r Automaton>,
    /// Those that the filter finds, in the order of their parts.
    filtered: Vec<&'r Scoped<Detector>>,
    /// Those without parts: they run on every value.
    others: Vec<&'r Scoped<Detector>>,
}

impl<'r> Detectors<'r> {
    pub(super) fn new(automata: &'r [Automaton], detectors: Vec<&'r Scoped<Detector>>) -> Self {
        let (others, filtered): (Vec<_>, Vec<_>) =
            detectors.into_iter().partition(|rule| rule.effect.parts.is_empty());
        let is_needed = |automaton: &&Automaton| {
            let next = filtered.partition_point(|rule| rule.effect.parts.end <= automaton.first());
            filtered.get(next).is_some_and(|rule| rule.effect.parts.start < automaton.end())
        };
        Self { automata: automata.iter().filter(is_needed).collect(), filtered, others }
    }

    fn is_empty(&self) -> bool {
        self.filtered.is_empty() && self.others.is_empty()
    }

    fn all(&self) -> impl Iterator<Item = &'r Scoped<Detector>> {
        self.filtered.iter().chain(&self.others).copied()
    }

    /// The detectors that may match the value.
    fn candidates(&self, value: &[u8], found: &mut PatternSet) -> Vec<&'r Scoped<Detector>> {
        found.clear();
        self.automata.iter().for_each(|automaton| automaton.search(value, found));
        let has = |part: usize| PatternID::new(part).is_ok_and(|part| found.contains(part));
        let complete = |last: PatternID| {
            let end = last.as_usize() + 1;
            let at = self.filtered.binary_search_by_key(&end, |rule| rule.effect.parts.end).ok()?;
            self.filtered[at].effect.parts.clone().all(has).then_some(self.filtered[at])
        };
        found.iter().filter_map(complete).collect()
    }
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

    /// The end of the numbers of parts in the filter.
    pub(crate) fn parts_end(&self) -> usize {
        self.detectors.automata.last().map_or(0, |automaton| automaton.end())
    }

    /// Matches of custom detectors in a value. The point is built only for detectors that may match.
    pub(crate) fn detect(
        &self,
        value: &[u8],
        point: impl Fn() -> Point,
        work: &mut DetectorWork<'r>,
    ) -> Vec<Match<'r>> {
        let mut matches = Vec::new();
        if self.detectors.is_empty() {
            return matches;
        }
        let built = OnceCell::new();
        let point = || built.get_or_init(&point);
        let is_here = |rule: &Scoped<Detector>| {
            let points = &rule.effect.points;
            points.is_empty() || is_at(points, point())
        };
        let mut run = |rule: &'r Scoped<Detector>, work: &mut DetectorWork<'r>| {
            let Detector { signature, pattern, .. } = &rule.effect;
            if !is_here(rule) {
                return;
            }
            if work.spend_on(signature, value.len(), pattern.steps_per_byte()) {
                matches.extend(rule.effect.find(value));
            } else {
                work.skip(signature, || point().clone());
            }
        };
        let Detectors { automata, filtered, others } = &self.detectors;
        others.iter().copied().for_each(|rule| run(rule, work));
        if work.spend(value.len() * automata.len()) {
            let candidates = self.detectors.candidates(value, &mut work.found);
            for rule in candidates {
                run(rule, work);
            }
        } else {
            let skipped = filtered.iter().copied().filter(|rule| is_here(rule));
            skipped.for_each(|rule| work.skip(&rule.effect.signature, || point().clone()));
        }
        matches
    }

    fn patch(&self, finding: &Finding) -> Option<RuleRef> {
        if finding.attack_type == AttackType::VirtualPatch {
            let by = self.detectors.all().find(|rule| rule.effect.signature == finding.signature);
            return by.map(|rule| rule.rule);
        }
        let patched = self.patches.iter().find(|rule| {
            rule.effect.attack_types.contains(&finding.attack_type)
                && is_at(&rule.effect.points, &finding.point)
        });
        patched.map(|rule| rule.rule)
    }
}

impl Detector {
    /// The first match.
    fn find(&self, value: &[u8]) -> Option<Match<'_>> {
        Some(Match {
            attack_type: self.attack_type.clone(),
            signature: &self.signature,
            severity: self.severity,
            span: self.pattern.find(value)?,
        })
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
