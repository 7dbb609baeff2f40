//! The inspection of a request: visits all fields and decoding stages, collects findings.

use crate::{
    budget::Budget,
    clean_value_cache::{CacheSlot, CleanValueCache},
    decode::{self, Layer},
    detect::{Detectors, Match, ValueContext, detect_at, detect_whole, is_document_at},
    exploit::Exploits,
    field::{Field, shown},
    file_type,
    parse::{self, Malformed, Nested, Parsed, Sink},
    payload,
    point_path::{PointArena, PointPath},
    prefilter::Bytes,
    rules::{DetectorWork, RequestRules, Skipped},
    score::{self, Quotations, Surroundings},
    upload_policy,
};
use serde::Serialize;
use shared::{
    AttackType, Class, Confidence, Finding, InspectRequest, Point, ScorePart, Severity, point::Tag,
    ruleset::RuleRef,
};
use std::{cell::OnceCell, cmp::Reverse, collections::VecDeque, mem};

/// Beyond this, only the findings with the highest scores are kept.
const MAX_FINDINGS: usize = 64;
/// Collection stops here: a million matches in one body must not cost a million strings.
const MAX_COLLECTED: usize = 1_000;
/// Further rules are only counted.
const MAX_NAMED: usize = 10;
/// Longer values are truncated in [`LayerView`].
const VIEW_CHARS: usize = 2_000;

/// The result of inspecting a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    /// The most severe first; those of equal severity in the order of the request.
    pub findings: Vec<Finding>,
    /// The exclusion rules that suppressed findings.
    pub suppressed_by: Vec<RuleRef>,
    /// The number of inspected fields.
    pub fields: usize,
}

/// A field with its decoding stages and findings.
#[derive(Debug, Clone, Serialize)]
pub struct ExplainedField {
    pub point: Point,
    /// The encodings that the parser removed to obtain the value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decoded: Vec<&'static str>,
    /// The value itself, then each stage of decoding.
    pub layers: Vec<LayerView>,
    pub findings: Vec<Finding>,
    /// Findings suppressed by exclusion rules.
    #[serde(rename = "silenced", skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<SuppressedFinding>,
}

/// A finding and the exclusion rule that suppresses it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SuppressedFinding {
    pub rule: RuleRef,
    pub finding: Finding,
}

/// A decoding stage as text for display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LayerView {
    pub name: &'static str,
    pub value: String,
}

/// The parts of an engine and the rules that inspect one request.
#[derive(Clone, Copy)]
pub(crate) struct Inspector<'e> {
    pub detectors: &'e Detectors,
    pub exploits: &'e Exploits,
    pub rules: &'e RequestRules<'e>,
    /// `None`: every value is inspected.
    pub clean_value_cache: Option<&'e CleanValueCache>,
}

pub(crate) fn inspect(inspector: Inspector<'_>, request: &InspectRequest) -> Inspection {
    let rules = inspector.rules;
    let mut collected = Collected { rules, findings: Vec::new(), most_points: 0, suppressed_by: Vec::new() };
    inspector
        .exploits
        .detect(request, inspector.clean_value_cache)
        .into_iter()
        .chain(uploads(inspector, request))
        .for_each(|finding| collected.add(finding));
    let mut fields = 0;
    let overrun = visit_fields(inspector, request, |examined, _| {
        fields += 1;
        examined.findings.into_iter().for_each(|finding| collected.add(finding));
    });
    for finding in overrun {
        collected.add(finding);
    }
    let Collected { findings, suppressed_by, .. } = collected;
    Inspection { findings: strongest(findings), suppressed_by, fields }
}

/// Collected findings. Suppressed ones are removed before the limits apply: otherwise an attacker
/// could hide an attack behind a thousand suppressed findings.
struct Collected<'r> {
    rules: &'r RequestRules<'r>,
    findings: Vec<Finding>,
    /// The points of the strongest finding.
    most_points: i32,
    suppressed_by: Vec<RuleRef>,
}

impl Collected<'_> {
    fn add(&mut self, finding: Finding) {
        if let Some(rule) = self.rules.suppresses(&finding) {
            if !self.suppressed_by.contains(&rule) {
                self.suppressed_by.push(rule);
            }
        } else if finding.points() >= 0 && self.has_room_for(&finding) {
            self.most_points = self.most_points.max(finding.points());
            self.findings.push(finding);
        }
    }

    fn has_room_for(&self, finding: &Finding) -> bool {
        // A virtual patch may match every value of a request; one finding suffices.
        if finding.attack_type == AttackType::VirtualPatch {
            return !self.findings.iter().any(|known| known.signature == finding.signature);
        }
        // The first finding of a type and a stronger one always fit: there are few types and points.
        self.findings.len() < MAX_COLLECTED
            || finding.points() > self.most_points
            || is_new_type(&self.findings, finding)
    }
}

pub(crate) fn explain(inspector: Inspector<'_>, request: &InspectRequest) -> Vec<ExplainedField> {
    let view = |name, value: &[u8]| LayerView { name, value: shown(value, VIEW_CHARS) };
    let mut explained = Vec::new();
    let overrun = visit_fields(inspector, request, |Examined { field, layers, findings }, arena| {
        let layers = layers.iter().map(|layer| view(layer.name, &layer.value));
        let layers = [view("value", &field.value)].into_iter().chain(layers).collect();
        let mut shown = ExplainedField::new(arena.point(field.point), findings, inspector.rules);
        (shown.decoded, shown.layers) = (field.decoded, layers);
        explained.push(shown);
    });
    let overrun = overrun.into_iter();
    explained.extend(overrun.map(|it| ExplainedField::new(it.point.clone(), vec![it], inspector.rules)));
    for finding in inspector.exploits.detect(request, None).into_iter().chain(uploads(inspector, request)) {
        ExplainedField::add(&mut explained, finding, inspector.rules);
    }
    explained
}

/// The violations of the upload policy of the route.
fn uploads(inspector: Inspector<'_>, request: &InspectRequest) -> Vec<Finding> {
    let policy = inspector.rules.uploads.as_deref();
    policy.map(|policy| upload_policy::violations(request, policy)).unwrap_or_default()
}

impl ExplainedField {
    fn new(point: Point, all: Vec<Finding>, rules: &RequestRules<'_>) -> Self {
        let (mut findings, mut suppressed) = (Vec::new(), Vec::new());
        for finding in all {
            match rules.suppresses(&finding) {
                Some(rule) => suppressed.push(SuppressedFinding { rule, finding }),
                None => findings.push(finding),
            }
        }
        Self { point, decoded: Vec::new(), layers: Vec::new(), findings, suppressed }
    }

    /// Adds a finding of the whole request to the field at its point.
    fn add(explained: &mut Vec<Self>, finding: Finding, rules: &RequestRules<'_>) {
        let added = Self::new(finding.point.clone(), vec![finding], rules);
        match explained.iter_mut().find(|field| field.point == added.point) {
            Some(field) => {
                field.findings.extend(added.findings);
                field.suppressed.extend(added.suppressed);
            }
            None => explained.push(added),
        }
    }
}

/// A finding for the part of the request that was not inspected, once a limit is exhausted: it must
/// not pass as clean.
#[inline]
fn overrun(budget: &Budget, arena: &PointArena, spent_on: Option<PointPath>) -> Option<Finding> {
    let limit = budget.exhausted()?;
    let point = spent_on.map_or_else(Point::uri, |path| arena.point(path));
    Some(limit_finding(limit.attack_type(), limit.signature(), point))
}

/// A finding for the values that custom detectors did not inspect. Its payload names the rules.
fn skipped(Skipped { point, signatures }: Skipped<'_>) -> Finding {
    let mut names: Vec<&str> = signatures.into_iter().collect();
    let further = names.split_off(names.len().min(MAX_NAMED)).len();
    let further = if further == 0 { String::new() } else { format!(" and {further} more") };
    let payload = names.join(" ") + &further;
    Finding { payload, ..limit_finding(AttackType::Overlimit, "overlimit-detectors", point) }
}

fn limit_finding(attack_type: AttackType, signature: &str, point: Point) -> Finding {
    Finding {
        class: Class::of(&attack_type, signature),
        attack_type,
        point,
        signature: signature.to_owned(),
        severity: Severity::Medium,
        payload: String::new(),
        span: (0, 0),
        decoded: Vec::new(),
        score: vec![ScorePart::new(0, "limit of the analysis")],
    }
}

/// A finding for a body that cannot be decoded as it claims, or claims different formats.
fn malformed_finding(what: Malformed, point: Point) -> Finding {
    let (confidence, severity) = if what.is_ambiguous() {
        (Confidence::High, Severity::Medium)
    } else {
        (Confidence::Low, Severity::Low)
    };
    let score = vec![ScorePart::of_rule(confidence)];
    Finding { score, severity, ..limit_finding(what.attack_type(), what.signature(), point) }
}

/// An inspected field.
struct Examined<'a> {
    field: Field<'a>,
    layers: Vec<Layer>,
    findings: Vec<Finding>,
}

/// Visits every field, nested ones included. Returns findings for exhausted limits and malformed
/// bodies.
fn visit_fields<'a>(
    inspector: Inspector<'_>,
    request: &'a InspectRequest,
    mut visit: impl FnMut(Examined<'a>, &PointArena),
) -> Vec<Finding> {
    let mut work = DetectorWork::on(request, inspector.rules.parts_end());
    let mut budget = Budget::for_request().with_positions(inspector.rules.names_positions);
    let mut arena = PointArena::with_capacity();
    let Parsed { fields, malformed } = parse::parse(request, &mut budget, &mut arena);
    let malformed: Vec<Finding> =
        malformed.into_iter().map(|(point, what)| malformed_finding(what, arena.point(point))).collect();
    let mut exhausted = overrun(&budget, &arena, fields.last().map(|field| field.point));
    // What is nested in the head is read before the body, which could take the whole budget.
    let head = fields.partition_point(|field| arena.tags(field.point).last() != Some(&Tag::Post));
    let mut queue = VecDeque::from(fields);
    let mut body = queue.split_off(head);
    let mut of_path = Vec::new();
    loop {
        if queue.is_empty() {
            queue = mem::take(&mut body);
        }
        let Some(field) = queue.pop_front() else { break };
        let mut sink = Sink::new(field.depth + 1, &mut budget, &mut arena);
        let mut examined = examine(inspector, request, field, &mut sink, &mut work);
        queue.extend(sink.fields);
        deduplicate_path(&mut examined.findings, &mut of_path);
        if exhausted.is_none() {
            exhausted = overrun(&budget, &arena, Some(examined.field.point));
        }
        visit(examined, &arena);
    }
    exhausted.into_iter().chain(work.skipped().map(skipped)).chain(malformed).collect()
}

/// Removes findings in path segments of types already found in the whole path, so that one
/// exclusion suppresses both. A finding with a higher score stays.
fn deduplicate_path(findings: &mut Vec<Finding>, of_path: &mut Vec<(AttackType, i32)>) {
    let Some(part) = findings.first().and_then(|finding| finding.point.0.first()) else { return };
    match part.tag {
        Tag::Uri => of_path.extend(findings.iter().map(|it| (it.attack_type.clone(), it.points()))),
        Tag::Path => findings.retain(|finding| {
            let repeats = |(known, points): &(AttackType, i32)| {
                *known == finding.attack_type && *points >= finding.points()
            };
            !of_path.iter().any(repeats)
        }),
        _ => {}
    }
}

fn examine<'a, 'e>(
    inspector: Inspector<'e>,
    request: &InspectRequest,
    field: Field<'a>,
    sink: &mut Sink<'a, '_>,
    work: &mut DetectorWork<'e>,
) -> Examined<'a> {
    if !sink.budget.spend_value(&field.value) {
        return Examined { field, layers: Vec::new(), findings: Vec::new() };
    }
    let bytes = Bytes::of(&field.value);
    let may_be_document = bytes.has(Bytes::BREAK)
        && ValueContext::of(request, sink.arena, field.point, &field.value).is_for_documents();
    let slot = inspector.clean_value_cache.and_then(|cache| cache.slot(&field, may_be_document));
    let is_known = slot.is_some_and(CacheSlot::is_clean);
    let value = (&field, bytes, is_known);
    let mut findings = Vec::new();
    let (mut is_clean, nested) = examine_stage(inspector, request, value, &[], &mut findings, (sink, work));
    // A nested format resolves its own escapes.
    let is_parsed = nested == Nested::Whole;
    let is_undecoded = is_known || is_file(sink.arena, field.point) && is_media(&field.value);
    let layers = if is_undecoded {
        Vec::new()
    } else {
        decode::decode_all(&field.value, bytes, is_parsed, sink.budget)
    };
    is_clean &= layers.is_empty();
    for stage in 1..=layers.len() {
        let layers = &layers[..stage];
        is_clean &= examine_stage(inspector, request, value, layers, &mut findings, (sink, work)).0;
    }
    if let Some(slot) = slot.filter(|_| is_clean && !is_known) {
        slot.mark_clean();
    }
    Examined { field, layers, findings }
}

/// Whether a file is an image, an archive or the like, by its magic number. Those contain every
/// escape by chance, and no origin decodes them. In a field, such bytes may be padding.
fn is_media(file: &[u8]) -> bool {
    file_type::is_binary_format(file) && decode::is_binary(file)
}

/// Whether this is the point of a file or of the whole body, compressed or not.
fn is_file(arena: &PointArena, point: PointPath) -> bool {
    let mut tags = arena.tags(point).skip_while(|tag| matches!(tag, Tag::Gzip | Tag::Brotli));
    match tags.next() {
        Some(Tag::File) => true,
        Some(Tag::Post) => tags.next().is_none(),
        _ => false,
    }
}

/// Inspects one decoding stage of a value. Returns whether it is clean in any context, and what is
/// nested in it; if it is known from the cache, only the context-dependent detectors run.
fn examine_stage<'a, 'e>(
    Inspector { detectors, rules, .. }: Inspector<'e>,
    request: &InspectRequest,
    (field, bytes, is_known): (&Field<'a>, Bytes, bool),
    layers: &[Layer],
    findings: &mut Vec<Finding>,
    (sink, work): (&mut Sink<'a, '_>, &mut DetectorWork<'e>),
) -> (bool, Nested) {
    let (value, bytes) = layers.last().map_or((&*field.value, bytes), |layer| (&layer.value, layer.bytes));
    if !layers.is_empty() && !sink.budget.spend_value(value) {
        return (false, Nested::Nothing);
    }
    let nested = if is_known { Nested::Nothing } else { parse::parse_nested(value, bytes, field, sink) };
    let mut is_clean = nested == Nested::Nothing;
    let context = ValueContext::of(request, sink.arena, field.point, &field.value);
    let mut hits = detect_whole(value, field.kind, &context);
    let shown = decode::base64::shortened(value);
    let is_document = || bytes.has(Bytes::BREAK) && is_document_at(shown, &context);
    if nested != Nested::Whole {
        if !is_known {
            let matches = detectors.detect(shown, bytes, field.kind, is_document());
            is_clean &= matches.is_empty();
            hits.extend(matches);
        }
        hits.extend(detect_at(shown, bytes, field.kind, &context));
        hits.extend(rules.detect(value, || context.point(), work));
    }
    if hits.is_empty() {
        return (is_clean, nested);
    }
    let detect = |text: &[u8]| {
        let bytes = Bytes::of(text);
        let mut matches = detectors.detect(text, bytes, field.kind, is_document());
        matches.extend(detect_at(text, bytes, field.kind, &context));
        matches.iter().map(|it| it.signature.to_owned()).collect()
    };
    let surroundings = Surroundings {
        value,
        context: &context,
        declared: rules.content(|| context.point()),
        is_unescaped: layers.iter().any(|layer| layer.name == "html"),
        quotations: Quotations::of(value, &detect),
        is_binary: OnceCell::new(),
        is_opaque: OnceCell::new(),
    };
    for hit in hits {
        add_stronger(findings, finding(&hit, field, &surroundings, layers));
    }
    (is_clean, nested)
}

/// Adds a finding, or replaces the one of the same signature if it has a lower score.
fn add_stronger(findings: &mut Vec<Finding>, finding: Finding) {
    match findings.iter_mut().find(|known| known.signature == finding.signature) {
        Some(known) if finding.points() > known.points() => *known = finding,
        Some(_) => {}
        None => findings.push(finding),
    }
}

fn finding(hit: &Match<'_>, field: &Field<'_>, surroundings: &Surroundings<'_>, layers: &[Layer]) -> Finding {
    let Surroundings { value, context, .. } = surroundings;
    let class = Class::of(&hit.attack_type, hit.signature);
    let class = class.map(|class| Class { confidence: score::confidence(hit, Some(&class)), ..class });
    let span = payload::of(hit, value);
    let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    let decoded = field.decoded.iter().copied().chain(layers.iter().map(|layer| layer.name));
    Finding {
        attack_type: hit.attack_type.clone(),
        point: context.point(),
        signature: hit.signature.to_owned(),
        score: score::parts(hit, class.as_ref(), surroundings),
        class,
        severity: hit.severity,
        payload: shown(&value[span.clone()], Finding::PAYLOAD_CHARS),
        span: (offset(span.start), offset(span.end)),
        decoded: decoded.map(str::to_owned).collect(),
    }
}

/// The findings with the highest scores, at least one of each attack type: no attack goes
/// unreported.
fn strongest(findings: Vec<Finding>) -> Vec<Finding> {
    let mut ranked: Vec<(usize, Finding)> = findings.into_iter().enumerate().collect();
    ranked.sort_by_key(|(_, finding)| Reverse(finding.points()));
    let rest = ranked.split_off(MAX_FINDINGS.min(ranked.len()));
    for (at, finding) in rest {
        if !ranked.iter().any(|(_, known)| known.attack_type == finding.attack_type) {
            ranked.push((at, finding));
        }
    }
    ranked.sort_by_key(|(at, finding)| (Reverse(finding.severity), *at));
    ranked.into_iter().map(|(_, finding)| finding).collect()
}

fn is_new_type(findings: &[Finding], finding: &Finding) -> bool {
    !findings.iter().any(|known| known.attack_type == finding.attack_type)
}

#[cfg(test)]
mod tests;
