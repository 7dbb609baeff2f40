//! JSON of rulesets, and compatibility with newer consoles.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use shared::{
    AttackType, Mode, Point, Severity,
    point::Tag,
    ruleset::{Effect, List, ListEntry, OverlimitAction, Pattern, Rule, Ruleset, Scope, Source, Suppressed},
};
use uuid::Uuid;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn rules() -> Vec<Rule> {
    let user = Point::new(Tag::Post).then(Tag::JsonDoc).named(Tag::Hash, "user");
    let effects = [
        Effect::Mode { mode: Mode::Monitoring },
        Effect::VirtualPatch { attack_types: vec![AttackType::Sqli], points: vec![Point::get("id")] },
        Effect::Detector {
            pattern: Pattern::Regex("(?i)jndi:".into()),
            attack_type: AttackType::Rce,
            severity: Severity::Critical,
            points: vec![Point::new(Tag::Header)],
        },
        Effect::Detector {
            pattern: Pattern::Literal("wp-login".into()),
            attack_type: AttackType::VirtualPatch,
            severity: Severity::High,
            points: Vec::new(),
        },
        Effect::Ignore {
            findings: Suppressed::Signature("sqli-union-select".into()),
            points: vec![Point::get("q")],
        },
        Effect::Ignore { findings: Suppressed::Subtype("sql-union".into()), points: Vec::new() },
        Effect::Ignore { findings: Suppressed::Type(AttackType::Xss), points: Vec::new() },
        Effect::Ignore { findings: Suppressed::All, points: vec![user.clone()] },
        Effect::Mask { points: vec![user, Point::header("x-token")] },
        Effect::Overlimit { action: OverlimitAction::Block },
    ];
    let scope = Scope {
        host: Some("*.example.com".into()),
        path: Some("/api/**".into()),
        method: Some("POST".into()),
        application: Some(7),
    };
    let numbered = effects.into_iter().zip(1..);
    numbered
        .map(|(effect, n)| Rule {
            id: id(n),
            revision: 1,
            scope: if n == 2 { scope.clone() } else { Scope::default() },
            effect,
            comment: String::new(),
        })
        .collect()
}

fn ruleset() -> Ruleset {
    let entry = |n, list, source| ListEntry {
        id: id(n),
        list,
        source,
        applications: Vec::new(),
        expires_at: None,
        reason: String::new(),
    };
    let entries = vec![
        entry(21, List::Allow, Source::Network("10.0.0.0/8".parse().unwrap())),
        ListEntry {
            applications: vec![7],
            expires_at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            reason: "abuse".into(),
            ..entry(22, List::Deny, Source::Network("2001:db8::7".parse().unwrap()))
        },
        entry(23, List::Gray, Source::Country("DE".into())),
        entry(24, List::Deny, Source::Asn(64500)),
    ];
    Ruleset { version: 12, id: id(99), rules: rules().into(), lists: entries.into() }
}

#[test]
fn serializes_a_ruleset() {
    insta::assert_json_snapshot!(ruleset());
}

#[test]
fn a_ruleset_round_trips() {
    let text = serde_json::to_string(&ruleset()).unwrap();
    assert_eq!(serde_json::from_str::<Ruleset>(&text).unwrap(), ruleset());
}

#[test]
fn kind_matches_the_json() {
    for rule in rules() {
        assert_eq!(serde_json::to_value(&rule.effect).unwrap()["kind"], rule.effect.kind());
    }
}

/// The ruleset with changes to its JSON, as parsed by a node.
fn newer(change: impl FnOnce(&mut Value)) -> Ruleset {
    let mut value = serde_json::to_value(ruleset()).unwrap();
    change(&mut value);
    serde_json::from_value(value).unwrap()
}

#[test]
fn leaves_out_an_unknown_kind_and_keeps_the_rest() {
    let read = newer(|value| {
        value["rules"][3]["effect"] = json!({"kind": "tarpit", "seconds": 3});
        value["lists"][2]["source"] = json!({"proxy": "tor"});
    });
    assert_eq!(read.rules.items.len(), rules().len() - 1);
    assert_eq!(read.rules.left_out[0].id, id(4).to_string());
    assert!(read.rules.left_out[0].cause.contains("tarpit"), "{:?}", read.rules.left_out);
    assert_eq!((read.lists.items.len(), read.lists.left_out.len()), (3, 1));
}

#[test]
fn leaves_out_a_rule_with_an_unknown_condition() {
    for (pointer, condition) in [
        ("/rules/1/scope", "header"),
        ("/rules/1", "weekdays"),
        ("/rules/1/effect", "burst"),
        ("/lists/1", "ports"),
    ] {
        let read = newer(|value| value.pointer_mut(pointer).unwrap()[condition] = json!("x"));
        let left_out = [read.rules.left_out, read.lists.left_out].concat();
        assert_eq!(left_out.len(), 1, "{pointer}");
        assert!(left_out[0].cause.contains(condition), "{left_out:?}");
    }
}

#[test]
fn ignores_unknown_fields_of_a_ruleset() {
    let read = newer(|value| value["signed_by"] = json!("x"));
    assert_eq!(read, ruleset());
}

#[test]
fn leaves_out_an_item_without_an_id() {
    let read = newer(|value| value["rules"][0] = json!("?"));
    assert_eq!((read.rules.left_out.len(), read.rules.left_out[0].id.as_str()), (1, ""));
}
