//! Visibility at origin-request: functions receive only what the behavior's policies forward.

use super::{
    deployment::Stages,
    document::{Behavior, Documents},
    forwarded::{Forwarded, ForwardedNames},
    managed,
    report::{HazardKind, Report},
};
use crate::mark::MARK_HEADER;

/// The parts that a behavior forwards. A missing policy counts as forwarding all parts, and is
/// listed as not checked.
pub(super) fn forwarded(behavior: &Behavior, documents: &Documents, report: &mut Report) -> Forwarded {
    let cached = behavior.max_ttl != Some(0);
    let settings = behavior.forwarded_values.as_ref();
    let mut forwarded = settings.map_or_else(
        || Forwarded::nothing(cached),
        |settings| Forwarded::by_legacy_settings(cached, settings),
    );
    let mut missing = |command: &str, id: &str| {
        report.not_checked(format!(
            "what the policies hide from the function at {}; add the output of: aws cloudfront {command} --id {id}",
            behavior.pattern(),
        ));
        Forwarded::everything(cached)
    };
    if let Some(id) = behavior.cache_policy_id.as_deref().filter(|id| !id.is_empty()) {
        let policy = documents.cache_policies.iter().find(|policy| policy.id == id).map(|policy| {
            let config = &policy.cache_policy_config;
            let cached = config.max_ttl != Some(0);
            let parts = config.parameters_in_cache_key_and_forwarded_to_origin.as_ref();
            parts.map_or_else(|| Forwarded::nothing(cached), |parts| Forwarded::by_policy(cached, parts))
        });
        let policy = policy.or_else(|| managed::cache_policy(id));
        forwarded = policy.unwrap_or_else(|| missing("get-cache-policy", id)).or(forwarded);
    }
    forwarded.is_mark_in_key = matches!(&forwarded.headers, ForwardedNames::Only(_))
        && forwarded.headers.includes(MARK_HEADER)
        && forwarded.cached;
    if let Some(id) = behavior.origin_request_policy_id.as_deref().filter(|id| !id.is_empty()) {
        let policy = documents.origin_request_policies.iter().find(|policy| policy.id == id);
        let policy = policy.map(|policy| Forwarded::by_policy(true, &policy.origin_request_policy_config));
        let policy = policy.or_else(|| managed::origin_request_policy(id));
        forwarded = forwarded.or(policy.unwrap_or_else(|| missing("get-origin-request-policy", id)));
    }
    forwarded
}

/// With both stages, the viewer stage has inspected the head of each request, whatever is forwarded.
pub(super) fn examine(behavior: &Behavior, stages: Stages, forwarded: &Forwarded, report: &mut Report) {
    if stages == Stages::Both {
        examine_mark(behavior, forwarded, report);
        return;
    }
    let pattern = behavior.pattern();
    if forwarded.cached {
        let what =
            "Requests answered from the cache are not inspected: origin-request does not run for them.";
        report.hazard(HazardKind::CacheHitsNotInspected, pattern, what.to_owned());
    }
    for (kind, what, part) in [
        (HazardKind::QueryNotSeen, "query parameters", &forwarded.query),
        (HazardKind::HeadersNotSeen, "headers", &forwarded.headers),
        (HazardKind::CookiesNotSeen, "cookies", &forwarded.cookies),
    ] {
        if !part.is_complete() {
            report.hazard(kind, pattern, format!(
                "Of the viewer's {what}, the function at origin-request receives {part}: attacks in the others are missed.",
            ));
        }
    }
    if !forwarded.headers.includes("host") {
        let what = "The function at origin-request receives the origin's host instead of the viewer's: attacks are recorded \
                    for the wrong host.";
        report.hazard(HazardKind::HostNotSeen, pattern, what.to_owned());
    }
}

/// The mark of the viewer stage, which is valid with the same query only.
fn examine_mark(behavior: &Behavior, forwarded: &Forwarded, report: &mut Report) {
    if !forwarded.headers.includes(MARK_HEADER) || !forwarded.query.is_complete() {
        let what = "The function at origin-request does not receive the mark of the viewer stage, or not the query that it \
                    belongs to: each request that the cache does not answer is inspected twice.";
        report.hazard(HazardKind::MarkNotSeen, behavior.pattern(), what.to_owned());
    }
    if forwarded.is_mark_in_key {
        let what = "The mark of the viewer stage, which differs in each request, is in the cache key: no request is answered \
                    from the cache.";
        report.hazard(HazardKind::MarkInCacheKey, behavior.pattern(), what.to_owned());
    }
}
