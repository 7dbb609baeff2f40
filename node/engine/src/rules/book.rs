//! Rule book: all compiled rules of a ruleset.

use super::{
    filter::{self, Automaton},
    path,
    pattern::Compiled,
    request::{Detectors, RequestRules},
    scope::{CompiledScope, Target, normalize_host},
};
use regex_syntax::hir::Hir;
use shared::{
    AttackType, Mode, Sensitivity, Severity,
    point::{Key, Tag},
    ruleset::{Content, Effect, OverlimitAction, Pattern, Points, Rule, RuleRef, Suppressed},
};
use std::ops::Range;
use uuid::Uuid;

const MAX_POINTS: usize = 100;

/// Compiled rules, created once per ruleset and shared by all threads.
#[derive(Debug, Default)]
pub struct RuleBook {
    modes: Vec<Scoped<Mode>>,
    overlimits: Vec<Scoped<OverlimitAction>>,
    sensitivities: Vec<Scoped<Sensitivity>>,
    contents: Vec<Scoped<FieldContent>>,
    patches: Vec<Scoped<Patch>>,
    detectors: Vec<Scoped<Detector>>,
    /// The filter of the detectors.
    automata: Vec<Automaton>,
    ignores: Vec<Scoped<Ignore>>,
    masks: Vec<Scoped<Points>>,
    /// Whether a rule names a position in an array.
    names_positions: bool,
}

/// A validation error of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {id}: {field} {cause}")]
pub struct RuleError {
    pub id: Uuid,
    /// E.g. `effect.pattern`.
    pub field: &'static str,
    pub cause: String,
}

/// A compiled effect with its rule and scope.
#[derive(Debug)]
pub(super) struct Scoped<T> {
    pub(super) rule: RuleRef,
    pub(super) scope: CompiledScope,
    pub(super) effect: T,
}

/// Attack types that are blocked in every mode.
#[derive(Debug)]
pub(super) struct Patch {
    pub(super) attack_types: Vec<AttackType>,
    pub(super) points: Points,
}

#[derive(Debug)]
pub(super) struct Detector {
    /// The signature id of its findings.
    pub(super) signature: String,
    pub(super) pattern: Compiled,
    pub(super) attack_type: AttackType,
    pub(super) severity: Severity,
    pub(super) points: Points,
    /// The numbers of its parts in the filter. Without any, it runs on every value.
    pub(super) parts: Range<usize>,
}

/// What people write at some points.
#[derive(Debug)]
pub(super) struct FieldContent {
    pub(super) content: Content,
    pub(super) points: Points,
}

#[derive(Debug)]
pub(super) struct Ignore {
    pub(super) findings: Suppressed,
    pub(super) points: Points,
}

/// Validates a new rule, its cost included. Nodes also apply rules that cost more.
pub fn check(rule: &Rule) -> Result<(), RuleError> {
    let mut book = RuleBook::default();
    book.add(rule)?;
    let wrong = |cause| RuleError { id: rule.id, field: "effect.pattern", cause };
    book.detectors.iter().try_for_each(|it| it.effect.pattern.validate_cost()).map_err(wrong)
}

/// The steps of a custom detector for each byte of a value in which it may match; 0 for other rules.
pub fn steps_per_byte(rule: &Rule) -> u64 {
    let (book, _) = RuleBook::compile(std::slice::from_ref(rule));
    book.detectors.iter().map(|it| it.effect.pattern.steps_per_byte()).sum()
}

impl RuleBook {
    /// Compiles all valid rules; returns the errors of the others.
    pub fn compile(rules: &[Rule]) -> (Self, Vec<RuleError>) {
        let mut book = Self::default();
        let errors = rules.iter().filter_map(|rule| book.add(rule).err()).collect();
        book.modes.sort_by_key(|it| it.scope.specificity());
        book.overlimits.sort_by_key(|it| it.scope.specificity());
        book.sensitivities.sort_by_key(|it| it.scope.specificity());
        book.build_filter();
        (book, errors)
    }

    /// The rules that apply to a request.
    pub fn select(&self, target: &Target<'_>) -> RequestRules<'_> {
        RequestRules {
            mode: last(&self.modes, target),
            overlimit: last(&self.overlimits, target),
            sensitivity: last(&self.sensitivities, target),
            uploads: None,
            names_positions: self.names_positions,
            contents: all(&self.contents, target),
            patches: all(&self.patches, target),
            detectors: Detectors::new(&self.automata, all(&self.detectors, target)),
            ignores: all(&self.ignores, target),
            masks: all(&self.masks, target),
        }
    }

    /// The rules that apply to a request with this raw host and path.
    pub fn select_for(
        &self,
        host: &str,
        path: &str,
        method: &str,
        application: Option<u32>,
    ) -> RequestRules<'_> {
        let (host, path) = (&normalize_host(host), &path::normalize(path));
        self.select(&Target { host, path, method, application })
    }

    /// Builds the filter of all detectors.
    fn build_filter(&mut self) {
        let mut parts: Vec<&Hir> = Vec::new();
        for Detector { pattern, parts: numbers, .. } in self.detectors.iter_mut().map(|it| &mut it.effect) {
            let first = parts.len();
            parts.extend(pattern.parts());
            *numbers = first..parts.len();
        }
        self.automata = filter::automata(&parts);
    }

    fn add(&mut self, rule: &Rule) -> Result<(), RuleError> {
        let wrong = |(field, cause)| RuleError { id: rule.id, field, cause };
        let scope = CompiledScope::new(&rule.scope).map_err(wrong)?;
        self.add_effect(rule, scope).map_err(wrong)?;
        self.names_positions |= names_position(&rule.effect);
        Ok(())
    }

    fn add_effect(&mut self, rule: &Rule, scope: CompiledScope) -> Result<(), (&'static str, String)> {
        let scope = (rule.to_ref(), scope);
        match &rule.effect {
            Effect::Mode { mode } => add(&mut self.modes, scope, *mode),
            Effect::Overlimit { action } => add(&mut self.overlimits, scope, *action),
            Effect::Sensitivity { sensitivity } => add(&mut self.sensitivities, scope, *sensitivity),
            Effect::Content { content, points } => {
                if points.is_empty() {
                    let cause = "is empty; name the fields that hold such content";
                    return Err(("effect.points", cause.to_owned()));
                }
                let effect = FieldContent { content: *content, points: checked(points)? };
                add(&mut self.contents, scope, effect);
            }
            Effect::VirtualPatch { attack_types, points } if attack_types.is_empty() => {
                let (pattern, attack_type) = (Compiled::Any, AttackType::VirtualPatch);
                let (severity, points) = (Severity::High, checked(points)?);
                let signature = signature(rule.id);
                let effect = Detector { signature, pattern, attack_type, severity, points, parts: 0..0 };
                add(&mut self.detectors, scope, effect);
            }
            Effect::VirtualPatch { attack_types, points } => {
                attack_types.iter().try_for_each(|code| known("effect.attack_types", code))?;
                let effect = Patch { attack_types: attack_types.clone(), points: checked(points)? };
                add(&mut self.patches, scope, effect);
            }
            Effect::Detector { pattern, attack_type, severity, points } => {
                known("effect.attack_type", attack_type)?;
                let effect = Detector {
                    signature: signature(rule.id),
                    pattern: compiled(pattern)?,
                    attack_type: attack_type.clone(),
                    severity: *severity,
                    points: checked(points)?,
                    parts: 0..0,
                };
                add(&mut self.detectors, scope, effect);
            }
            Effect::Ignore { findings, points } => {
                let effect = Ignore { findings: findings.clone(), points: checked(points)? };
                add(&mut self.ignores, scope, effect);
            }
            Effect::Mask { points } => add(&mut self.masks, scope, masked(points)?),
        }
        Ok(())
    }
}

fn add<T>(rules: &mut Vec<Scoped<T>>, (rule, scope): (RuleRef, CompiledScope), effect: T) {
    rules.push(Scoped { rule, scope, effect });
}

/// The signature id of a rule's findings.
fn signature(rule: Uuid) -> String {
    format!("rule-{rule}")
}

fn compiled(pattern: &Pattern) -> Result<Compiled, (&'static str, String)> {
    Compiled::new(pattern).map_err(|cause| ("effect.pattern", cause))
}

/// Rejects types of a newer console, which no detector finds, and `overlimit_res`, which is not an
/// attack.
fn known(field: &'static str, code: &AttackType) -> Result<(), (&'static str, String)> {
    match code {
        AttackType::Other(code) => Err((field, format!("`{code}` is not a known attack type"))),
        AttackType::Overlimit => {
            Err((field, "overlimit_res is not supported here; use the effect `overlimit`".to_owned()))
        }
        _ => Ok(()),
    }
}

fn checked(points: &Points) -> Result<Points, (&'static str, String)> {
    let field = "effect.points";
    if points.len() > MAX_POINTS {
        return Err((field, format!("contains {} points; the limit is {MAX_POINTS}", points.len())));
    }
    let is_unknown = |tag: &Tag| matches!(tag, Tag::Other(_));
    for step in points.iter().flat_map(|point| &point.0) {
        if is_unknown(&step.tag) {
            return Err((field, format!("contains the unknown step `{}`", step.tag)));
        }
    }
    if points.iter().any(|point| point.0.is_empty()) {
        return Err((field, "contains an empty point; omit `points` to match everywhere".to_owned()));
    }
    Ok(points.clone())
}

/// Whether the effect on findings depends on a position in an array.
fn names_position(effect: &Effect) -> bool {
    let (Effect::VirtualPatch { points, .. }
    | Effect::Detector { points, .. }
    | Effect::Ignore { points, .. }
    | Effect::Content { points, .. }) = effect
    else {
        return false;
    };
    let mut steps = points.iter().flat_map(|point| &point.0);
    steps.any(|step| step.tag == Tag::Array && matches!(step.key, Some(Key::Index(_))))
}

/// Accepts only points that can be removed from a recorded request.
fn masked(points: &Points) -> Result<Points, (&'static str, String)> {
    let field = "effect.points";
    if points.is_empty() {
        return Err((field, "must not be empty; name the points to mask".to_owned()));
    }
    let maskable = |tag: &Tag| matches!(tag, Tag::Header | Tag::Get | Tag::Post);
    match points.iter().filter_map(|point| point.0.first()).find(|step| !maskable(&step.tag)) {
        Some(step) => Err((field, format!("must start with header, get or post, not with `{}`", step.tag))),
        None => checked(points),
    }
}

/// The most specific rule; among equally specific ones the newest.
fn last<T: Copy>(rules: &[Scoped<T>], target: &Target<'_>) -> Option<(RuleRef, T)> {
    rules.iter().rev().find(|it| it.scope.matches(target)).map(|it| (it.rule, it.effect))
}

fn all<'r, T>(rules: &'r [Scoped<T>], target: &Target<'_>) -> Vec<&'r Scoped<T>> {
    rules.iter().filter(|it| it.scope.matches(target)).collect()
}
