//! Content rules from a hit: what people write in its field. The rulings on recorded requests and
//! their scores are compared under the current rules and with the new one.

use super::{
    ENGINE, HitRule,
    exclusion::{finding_of, similar},
    on_blocking_thread,
    preview::{HitEffect, suppression},
    to_inspect_request,
};
use crate::{
    hit::RecordedHit,
    json_object,
    ruleset::RuleDraft,
    store::{Store, StoreError},
    validation::ValidationError,
};
use decision::{Evaluation, Evaluator, GeoFields, Policy, RouteSettings};
use engine::rules::RuleBook;
use serde::Deserialize;
use shared::{
    Decision, Finding, Point, RecordedRequest, RequestId,
    ruleset::{Content, Effect, Points, Rule, Scope, Suppressed},
};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// A content rule to make from a hit.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentDraft {
    pub content: Content,
    /// The index of the finding; default: the first.
    #[serde(default)]
    pub finding: usize,
    /// The fields. Absent: the point of the finding.
    #[serde(default)]
    pub points: Option<Vec<Point>>,
    /// The requests. Absent: those with the hit's host, path and method.
    #[serde(default, deserialize_with = "json_object::optional")]
    pub scope: Option<Scope>,
    #[serde(default)]
    pub comment: String,
}

impl HitRule for ContentDraft {
    fn rule(self, hit: &RecordedHit, attack_path: &str) -> Result<RuleDraft, ValidationError> {
        let finding = finding_of(hit, self.finding)?;
        let points = self.points.unwrap_or_else(|| vec![finding.point.clone()]);
        let effect = Effect::Content { content: self.content, points };
        let scope = self.scope.unwrap_or_else(|| similar(hit, attack_path));
        let comment = if self.comment.is_empty() { format!("from hit {}", hit.id) } else { self.comment };
        Ok(RuleDraft { scope, effect, comment, expires_at: None })
    }
}

/// The current rules, and the same with a content rule.
pub(super) struct ContentSimulation {
    /// Suppresses every finding in the fields of the rule.
    in_fields: RuleBook,
    policies: Arc<(Policy, Policy)>,
}

impl ContentSimulation {
    pub(super) async fn new(current: Vec<Rule>, rule: Rule, points: Points) -> Self {
        on_blocking_thread(move || {
            let findings = Suppressed::All;
            let ignore = Rule { effect: Effect::Ignore { findings, points }, ..rule.clone() };
            let policy = |rules: &[Rule]| Policy::new(rules, &[], GeoFields::default());
            let before = policy(&current);
            let after = policy(&[current, vec![rule]].concat());
            Self { in_fields: RuleBook::compile(&[ignore]).0, policies: Arc::new((before, after)) }
        })
        .await
    }

    /// The effect of the rule on each hit: that on its request. Only requests with a hit in the
    /// fields of the rule are affected; that hit may be in the batch before or after, so the
    /// requests at the ends are evaluated as well.
    pub(super) async fn effects(
        &self,
        store: &Store,
        hits: &[RecordedHit],
    ) -> Result<Vec<HitEffect>, StoreError> {
        let is_in_field = |hit: &&RecordedHit| suppression(&self.in_fields, hit) != HitEffect::None;
        let at_ends = hits.first().into_iter().chain(hits.last());
        let ids: BTreeSet<RequestId> =
            hits.iter().filter(is_in_field).chain(at_ends).map(|hit| hit.request_id).collect();
        let requests = store.requests(&ids.into_iter().collect::<Vec<_>>()).await?;
        let policies = Arc::clone(&self.policies);
        let compare_all = move || -> HashMap<RequestId, HitEffect> {
            let effect = |(request, decision): (RecordedRequest, Decision)| {
                (request.request_id, compare(&policies, request, &decision))
            };
            requests.into_iter().map(effect).collect()
        };
        let effects = on_blocking_thread(compare_all).await;
        let effect = |hit: &RecordedHit| effects.get(&hit.request_id).copied().unwrap_or(HitEffect::None);
        Ok(hits.iter().map(effect).collect())
    }
}

/// Whether the request is no longer an attack, or has findings with a lower score. Nodes do not
/// report the sensitivity of a request: it is that of a rule, or the default.
fn compare((before, after): &(Policy, Policy), recorded: RecordedRequest, decision: &Decision) -> HitEffect {
    let at = recorded.at;
    let settings = RouteSettings::of_mode(decision.mode, &decision.mode_source);
    let request = to_inspect_request(recorded);
    let evaluate = |policy| {
        let Evaluation { findings, ruling, .. } =
            Evaluator::new(&ENGINE, policy).evaluate(&request, &settings, at);
        let points: i32 = findings.iter().map(Finding::points).sum();
        (!findings.is_empty() && !ruling.is_suspicious, points)
    };
    match (evaluate(before), evaluate(after)) {
        ((true, _), (false, _)) => HitEffect::Suppressed,
        ((_, before), (_, after)) if after < before => HitEffect::Reduced,
        _ => HitEffect::None,
    }
}
