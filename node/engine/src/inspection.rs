//! Fields and layers in, findings out.

use crate::{
    budget::{Budget, Limit},
    clean_value_cache::{CacheSlot, CleanValueCache},
    decode::{self, Layer},
    detect::{Detectors, Match, ValueContext, detect_at, detect_whole, is_document_at},
    field::Field,
    parse::{self, Nested, Sink},
    point_path::{PointArena, PointPath},
    prefilter::Bytes,
    rules::RequestRules,
};
use serde::Serialize;
use shared::{AttackType, Class, Finding, InspectRequest, Point, Severity, point::Tag, ruleset::RuleRef};
use std::{cmp::Reverse, collections::VecDeque};

/// More findings say nothing new about a request; the most severe are kept.
const MAX_FINDINGS: usize = 64;
/// Collecting stops here: a million hits in one body must not cost a million strings.
const MAX_COLLECTED: usize = 1_000;
/// Longer layers are cut in what people are shown.
const VIEW_CHARS: usize = 2_000;

/// What was found in a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The most severe first; among equals, in the order of the request.
    pub findings: Vec<Finding>,
    /// The rules that suppressed a finding.
    pub suppressed_by: Vec<RuleRef>,
    /// How many fields were looked at.
    pub fields: usize,
}

/// A field as the engine saw it.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedField {
    pub point: Point,
    /// The encodings that were taken off before the value could be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decoded: Vec<&'static str>,
    /// The value itself, then each stage of decoding.
    pub layers: Vec<LayerView>,
    pub findings: Vec<Finding>,
    /// What was found and does not count, as a rule suppresses it.
    #[serde(rename = "silenced", skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<SuppressedFinding>,
}

/// A finding that a rule suppresses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuppressedFinding {
    pub rule: RuleRef,
    pub finding: Finding,
}

/// A stage of decoding, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerView {
    pub name: &'static str,
    pub value: String,
}

/// What a request is read by.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'e> {
    pub detectors: &'e Detectors,
    pub rules: &'e RequestRules<'e>,
    /// Absent: each value is read anew.
    pub clean_value_cache: Option<&'e CleanValueCache>,
}

pub(crate) fn inspect(reader: Reader<'_>, request: &InspectRequest) -> Inspection {
    let rules = reader.rules;
    let mut collected = Collected { rules, findings: Vec::new(), suppressed_by: Vec::new() };
    let mut fields = 0;
    let overrun = walk(reader, request, |examined, _| {
        fields += 1;
        examined.findings.into_iter().for_each(|finding| collected.take(finding));
    });
    overrun.map(Overrun::finding).into_iter().for_each(|finding| collected.take(finding));
    let Collected { findings, suppressed_by, .. } = collected;
    Inspection { findings: most_severe(findings), suppressed_by, fields }
}

/// Findings that count. What is suppressed is sorted out here, before there is a choice which of many are kept: else an
/// attacker could hide an attack behind a thousand that are suppressed.
struct Collected<'r> {
    rules: &'r RequestRules<'r>,
    findings: Vec<Finding>,
    suppressed_by: Vec<RuleRef>,
}

impl Collected<'_> {
    fn take(&mut self, finding: Finding) {
        if let Some(rule) = self.rules.suppresses(&finding) {
            if !self.suppressed_by.contains(&rule) {
                self.suppressed_by.push(rule);
            }
        } else if self.has_room_for(&finding) {
            self.findings.push(finding);
        }
    }

    fn has_room_for(&self, finding: &Finding) -> bool {
        // A patch may hold for every value of a request; once says it all.
        if finding.attack_type == AttackType::VirtualPatch {
            return !self.findings.iter().any(|known| known.signature == finding.signature);
        }
        // A type that was not seen yet always has room: there are few of them.
        self.findings.len() < MAX_COLLECTED || is_new_type(&self.findings, finding)
    }
}

pub(crate) fn explain(reader: Reader<'_>, request: &InspectRequest) -> Vec<ExplainedField> {
    let mut explained = Vec::new();
    let overrun = walk(reader, request, |examined, arena| {
        let point = arena.point(examined.field.point_path);
        explained.push(examined.explained(point));
    });
    explained.extend(overrun.map(Overrun::finding).map(|finding| ExplainedField {
        point: finding.point.clone(),
        decoded: Vec::new(),
        layers: Vec::new(),
        findings: vec![finding],
        suppressed: Vec::new(),
    }));
    for field in &mut explained {
        field.apply(reader.rules);
    }
    explained
}

impl ExplainedField {
    fn apply(&mut self, rules: &RequestRules<'_>) {
        for finding in std::mem::take(&mut self.findings) {
            match rules.suppresses(&finding) {
                Some(rule) => self.suppressed.push(SuppressedFinding { rule, finding }),
                None => self.findings.push(finding),
            }
        }
    }
}

/// What ran out, and which field it was spent on.
struct Overrun {
    limit: Limit,
    point: Point,
}

impl Overrun {
    fn of(budget: &Budget, arena: &PointArena, spent_on: Option<PointPath>) -> Option<Self> {
        let limit = budget.exhausted()?;
        Some(Self { limit, point: spent_on.map_or_else(Point::uri, |point_path| arena.point(point_path)) })
    }

    /// What was not inspected must not look clean.
    fn finding(self) -> Finding {
        let attack_type = self.limit.attack_type();
        Finding {
            class: Class::of(&attack_type, self.limit.signature()),
            attack_type,
            point: self.point,
            signature: self.limit.signature().to_owned(),
            severity: Severity::Medium,
            payload: String::new(),
            span: (0, 0),
            decoded: Vec::new(),
        }
    }
}

/// A field with everything known of it.
struct Examined<'a> {
    field: Field<'a>,
    layers: Vec<Layer>,
    findings: Vec<Finding>,
}

impl Examined<'_> {
    fn explained(self, point: Point) -> ExplainedField {
        let whole = LayerView { name: "value", value: shown(&self.field.value, VIEW_CHARS) };
        let decoded =
            self.layers.iter().map(|it| LayerView { name: it.name, value: shown(&it.value, VIEW_CHARS) });
        let layers = [whole].into_iter().chain(decoded).collect();
        let (decoded, findings) = (self.field.decoded, self.findings);
        ExplainedField { point, decoded, layers, findings, suppressed: Vec::new() }
    }
}

/// Visits every field, those found inside others included.
fn walk<'a>(
    reader: Reader<'_>,
    request: &'a InspectRequest,
    mut visit: impl FnMut(Examined<'a>, &PointArena),
) -> Option<Overrun> {
    let mut budget = Budget::for_request();
    let mut arena = PointArena::with_room();
    let mut queue = VecDeque::from(parse::parse(request, &mut budget, &mut arena));
    let mut overrun = Overrun::of(&budget, &arena, queue.back().map(|field| field.point_path));
    let mut of_path = Vec::new();
    while let Some(field) = queue.pop_front() {
        let mut sink = Sink { fields: Vec::new(), budget: &mut budget, arena: &mut arena };
        let mut examined = examine(reader, request, field, &mut sink);
        queue.extend(sink.fields);
        tell_once(&mut examined.findings, &mut of_path);
        overrun = overrun.or_else(|| Overrun::of(&budget, &arena, Some(examined.field.point_path)));
        visit(examined, &arena);
    }
    overrun
}

/// What the whole path holds, its segments hold as well. It is told of the path alone, so that one exclusion suppresses it.
fn tell_once(findings: &mut Vec<Finding>, of_path: &mut Vec<AttackType>) {
    let Some(part) = findings.first().and_then(|finding| finding.point.0.first()) else { return };
    match part.tag {
        Tag::Uri => of_path.extend(findings.iter().map(|finding| finding.attack_type.clone())),
        Tag::Path => findings.retain(|finding| !of_path.contains(&finding.attack_type)),
        _ => {}
    }
}

fn examine<'a>(
    reader: Reader<'_>,
    request: &InspectRequest,
    field: Field<'a>,
    sink: &mut Sink<'a, '_>,
) -> Examined<'a> {
    if !sink.budget.spend_bytes(field.value.len()) {
        return Examined { field, layers: Vec::new(), findings: Vec::new() };
    }
    let is_in_body = sink.arena.tags(field.point_path).last() == Some(&Tag::Post);
    let slot = reader.clean_value_cache.and_then(|cache| cache.slot(&field, is_in_body));
    let is_known = slot.is_some_and(CacheSlot::is_clean);
    let bytes = Bytes::of(&field.value);
    let layers = if is_known { Vec::new() } else { decode::decode_all(&field.value, bytes, sink.budget) };
    let mut findings = Vec::new();
    let mut is_clean = layers.is_empty();
    for stage in 0..=layers.len() {
        let decoded = &layers[..stage];
        is_clean &= examine_stage(reader, request, (&field, bytes, is_known), decoded, &mut findings, sink);
    }
    if let Some(slot) = slot.filter(|_| is_clean && !is_known) {
        slot.mark_clean();
    }
    Examined { field, layers, findings }
}

/// Looks at the value after these layers were removed. True when the value holds nothing, wherever it sits; when that is known,
/// only what depends on where it sits is looked at.
fn examine_stage<'a>(
    Reader { detectors, rules, .. }: Reader<'_>,
    request: &InspectRequest,
    (field, bytes, is_known): (&Field<'a>, Bytes, bool),
    decoded: &[Layer],
    findings: &mut Vec<Finding>,
    sink: &mut Sink<'a, '_>,
) -> bool {
    let (value, bytes) = decoded.last().map_or((&*field.value, bytes), |layer| (&layer.value, layer.bytes));
    if !decoded.is_empty() && !sink.budget.spend_bytes(value.len()) {
        return false;
    }
    let mut hits = detect_whole(
        value,
        field.kind,
        &ValueContext::of(request, sink.arena, field.point_path, &field.value),
    );
    let nested = if is_known { Nested::Nothing } else { parse::parse_nested(value, bytes, field, sink) };
    let mut is_clean = nested == Nested::Nothing;
    let context = ValueContext::of(request, sink.arena, field.point_path, &field.value);
    if nested != Nested::Whole {
        let shown = decode::base64::shortened(value);
        if !is_known {
            let is_document = bytes.has(Bytes::BREAK) && is_document_at(shown, &context);
            let found = detectors.detect(shown, bytes, field.kind, is_document);
            is_clean &= found.is_empty();
            hits.extend(found);
        }
        hits.extend(detect_at(shown, bytes, field.kind, &context));
        hits.extend(rules.detect(value, || context.point()));
    }
    for hit in hits {
        if !findings.iter().any(|known: &Finding| known.signature == hit.signature) {
            findings.push(finding(&hit, value, (field, context.point()), decoded));
        }
    }
    is_clean
}

fn finding(hit: &Match<'_>, value: &[u8], (field, point): (&Field<'_>, Point), decoded: &[Layer]) -> Finding {
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let layers = field.decoded.iter().copied().chain(decoded.iter().map(|layer| layer.name));
    Finding {
        attack_type: hit.attack_type.clone(),
        point,
        signature: hit.signature.to_owned(),
        class: Class::of(&hit.attack_type, hit.signature),
        severity: hit.severity,
        payload: shown(&value[hit.span.clone()], Finding::PAYLOAD_CHARS),
        span: (offset(hit.span.start), offset(hit.span.end)),
        decoded: layers.map(str::to_owned).collect(),
    }
}

/// Bytes as text of at most so many characters.
fn shown(bytes: &[u8], chars: usize) -> String {
    let bounded = &bytes[..bytes.len().min(4 * chars)];
    String::from_utf8_lossy(bounded).chars().take(chars).collect()
}

/// The most severe findings, and of each attack type at least one: a type that is dropped is an attack nobody hears of.
fn most_severe(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| Reverse(finding.severity));
    if findings.len() <= MAX_FINDINGS {
        return findings;
    }
    let rest = findings.split_off(MAX_FINDINGS);
    for finding in rest {
        if is_new_type(&findings, &finding) {
            findings.push(finding);
        }
    }
    findings
}

fn is_new_type(findings: &[Finding], finding: &Finding) -> bool {
    !findings.iter().any(|known| known.attack_type == finding.attack_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::AttackType;

    fn finding(attack_type: AttackType, severity: Severity) -> Finding {
        Finding {
            attack_type,
            point: Point::uri(),
            signature: "test".to_owned(),
            class: None,
            severity,
            payload: String::new(),
            span: (0, 0),
            decoded: Vec::new(),
        }
    }

    #[test]
    fn of_too_many_findings_the_most_severe_stay_and_no_type_is_lost() {
        let many = (0..100).map(|_| finding(AttackType::Sqli, Severity::High));
        let others =
            [finding(AttackType::Scanner, Severity::Low), finding(AttackType::Rce, Severity::Critical)];
        let kept = most_severe(many.chain(others).collect());
        assert_eq!(kept.len(), MAX_FINDINGS + 1);
        assert_eq!(kept[0].attack_type, AttackType::Rce);
        assert_eq!(kept[MAX_FINDINGS].attack_type, AttackType::Scanner);
    }
}
