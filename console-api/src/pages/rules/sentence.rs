//! Rules as sentences: "Ignore SQL injection in JSON field “query” of POST shop.example.com/reports".

use super::points::in_words;
use shared::{
    AttackType, Mode, Sensitivity, Severity,
    ruleset::{Content, Effect, OverlimitAction, Pattern, Points, Rule, Scope, Suppressed},
};

pub(crate) fn sentence(rule: &Rule) -> String {
    let of = of_scope(&rule.scope);
    match &rule.effect {
        Effect::Mode { mode } => format!("Use mode {} for {of}", title_of_mode(*mode)),
        Effect::VirtualPatch { attack_types, points } => {
            let what = match (attack_types.as_slice(), points.is_empty()) {
                ([], true) => return format!("Block {of}"),
                ([], false) => "any value".to_owned(),
                (types, _) => titles(types),
            };
            format!("Block {what}{} of {of}", at(points))
        }
        Effect::Detector { pattern, attack_type, severity, points } => {
            let (verb, pattern) = match pattern {
                Pattern::Literal(text) => ("contains", text),
                Pattern::Regex(text) => ("matches", text),
            };
            let place = if points.is_empty() { "any value".to_owned() } else { in_words(points) };
            let severity = title_of_severity(*severity);
            format!("Report {} ({severity}) where {place} of {of} {verb} “{pattern}”", attack_type.title())
        }
        Effect::Ignore { findings, points } => {
            let what = match findings {
                Suppressed::Signature(signature) => format!("signature “{signature}”"),
                Suppressed::Subtype(subtype) => format!("subtype “{subtype}”"),
                Suppressed::Type(attack_type) => attack_type.title().to_owned(),
                Suppressed::All => "all attack types".to_owned(),
            };
            format!("Ignore {what}{} of {of}", at(points))
        }
        Effect::Mask { points } => format!("Mask {} of {of}", in_words(points)),
        Effect::Overlimit { action } => {
            let treatment = match action {
                OverlimitAction::Auto => "Block where the rest may be interpreted",
                OverlimitAction::Monitor => "Record, but do not block",
                OverlimitAction::Block => "Treat as attacks",
            };
            format!("{treatment}: requests over the analysis limit, of {of}")
        }
        Effect::Sensitivity { sensitivity } => {
            format!("Use sensitivity {} for {of}", title_of_sensitivity(*sensitivity))
        }
        Effect::Content { content, points } => {
            format!("Expect {} in {} of {of}", title_of_content(*content), in_words(points))
        }
    }
}

fn titles(types: &[AttackType]) -> String {
    types.iter().map(AttackType::title).collect::<Vec<_>>().join(", ")
}

/// ` in …`; empty: everywhere.
fn at(points: &Points) -> String {
    if points.is_empty() { String::new() } else { format!(" in {}", in_words(points)) }
}

/// The requests of a scope.
fn of_scope(scope: &Scope) -> String {
    let Scope { host, path, method, application } = scope;
    let application = application.map(|number| format!(" of application {number}")).unwrap_or_default();
    let place = match (host, path) {
        (Some(host), path) => format!("{host}{}", path.as_deref().unwrap_or_default()),
        (None, Some(path)) => path.clone(),
        (None, None) => {
            let requests = method.as_ref().map_or("all".to_owned(), |method| format!("all {method}"));
            return format!("{requests} requests{application}");
        }
    };
    let method = method.as_ref().map_or("requests to".to_owned(), Clone::clone);
    format!("{method} {place}{application}")
}

pub(super) fn title_of_mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Off => "off",
        Mode::Monitoring => "monitoring",
        Mode::SafeBlocking => "safe blocking",
        Mode::Block => "block",
    }
}

fn title_of_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn title_of_sensitivity(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Low => "low",
        Sensitivity::Balanced => "balanced",
        Sensitivity::Strict => "strict",
    }
}

fn title_of_content(content: Content) -> &'static str {
    match content {
        Content::Text => "text",
        Content::Html => "HTML",
        Content::Markdown => "Markdown",
        Content::Code => "code",
        Content::Sql => "SQL",
        Content::Opaque => "opaque data",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_reads_as_a_sentence() {
        let reports = json!({"host": "shop.example.com", "path": "/reports", "method": "POST"});
        for (scope, effect, expected) in [
            (
                reports.clone(),
                json!({"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["post"], ["json_doc"], ["hash", "query"]]]}),
                "Ignore SQL injection in JSON field “query” of POST shop.example.com/reports",
            ),
            (
                json!({"host": "*.example.com"}),
                json!({"kind": "virtual_patch", "attack_types": ["sqli", "xss"], "points": [[["get", "id"]]]}),
                "Block SQL injection, Cross-site scripting in query parameter “id” of requests to *.example.com",
            ),
            (json!({"path": "/admin/**"}), json!({"kind": "virtual_patch"}), "Block requests to /admin/**"),
            (json!({}), json!({"kind": "mode", "mode": "off"}), "Use mode off for all requests"),
            (
                json!({"method": "GET", "application": 3}),
                json!({"kind": "detector", "pattern": {"literal": "x"}, "attack_type": "scanner", "severity": "low"}),
                "Report Scanner (low) where any value of all GET requests of application 3 contains “x”",
            ),
            (
                reports,
                json!({"kind": "mask", "points": [[["header", "COOKIE"], ["cookie", "sid"]]]}),
                "Mask cookie “sid” of POST shop.example.com/reports",
            ),
        ] {
            let rule = json!({"id": uuid::Uuid::nil(), "revision": 1, "scope": scope, "effect": effect});
            assert_eq!(sentence(&serde_json::from_value(rule).unwrap()), expected);
        }
    }
}
