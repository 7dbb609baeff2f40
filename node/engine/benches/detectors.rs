//! Custom detectors as rules of the console define them: `just bench-engine`.

use engine::rules::RuleBook;
use shared::{
    AttackType, Severity,
    ruleset::{Effect, Pattern, Rule, Scope},
};
use uuid::Uuid;

/// A hundred detectors: products, words at a distance, words of any length, and literals.
pub(crate) fn hundred() -> RuleBook {
    let rules: Vec<Rule> = (0..100).map(|number| detector(number, pattern(number))).collect();
    let (book, errors) = RuleBook::compile(&rules);
    assert!(errors.is_empty(), "{errors:?}");
    book
}

fn pattern(number: u128) -> Pattern {
    Pattern::Regex(match number % 5 {
        0 => format!(r"(?i)legacy-{number}-[0-9]+"),
        1 => format!(r"(?i)\bword{number}\b.{{0,80}}\bsecret\b"),
        2 => format!(r"\w+@corp{number}\.example"),
        3 => format!(r"(?i)debug{number}\s*=\s*(?:true|on|[1-9])"),
        _ => return Pattern::Literal(format!("X-Trace-{number}")),
    })
}

fn detector(number: u128, pattern: Pattern) -> Rule {
    let (attack_type, severity) = (AttackType::Rce, Severity::High);
    let effect = Effect::Detector { pattern, attack_type, severity, points: Vec::new() };
    let (id, scope) = (Uuid::from_u128(number), Scope::default());
    Rule { id, revision: 1, scope, effect, comment: String::new() }
}
