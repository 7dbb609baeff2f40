//! The decision table, evaluated by this crate. Tests of the node and the console share it.

mod table;

use decision::{Evaluator, GeoFields, Policy, RouteSettings};
use engine::Engine;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use shared::{
    Action, AttackType, Body, Mode, Reason, Severity, TruncationPolicy, UnseenBody,
    ruleset::{Effect, OverlimitAction, Pattern, Rule, Scope},
};
use std::io::Write as _;
use table::Case;
use uuid::Uuid;

#[test]
fn an_evaluation_agrees_with_every_case() {
    let engine = Engine::new();
    let cases = Case::all();
    assert_eq!(cases.len(), 20 * 3 * 4 * 7);
    for case in cases {
        let policy = case.policy();
        let settings = RouteSettings::of_mode(case.configured, "config");
        let evaluator =
            Evaluator { mode_allow_override: case.allow_override, ..Evaluator::new(&engine, &policy) };
        let evaluation = evaluator.evaluate(&case.request, &settings, Timestamp::UNIX_EPOCH);
        let mut attack_types: Vec<_> =
            evaluation.findings.into_iter().map(|finding| finding.attack_type).collect();
        attack_types.dedup();
        assert_eq!(attack_types, Vec::from_iter(case.expected.attack_type), "{}", case.name);
        assert_eq!(evaluation.mode.mode, case.expected.mode, "{}", case.name);
        assert_eq!(evaluation.ruling.action == Action::Block, case.expected.blocks, "{}", case.name);
    }
}

#[test]
fn only_data_passes_if_detectors_did_not_inspect_it() {
    let effect = Effect::Detector {
        pattern: Pattern::Regex(r"word\w{20}!".to_owned()),
        attack_type: AttackType::Rce,
        severity: Severity::High,
        points: Vec::new(),
    };
    let (id, scope) = (Uuid::from_u128(1), Scope::default());
    let rule = Rule { id, revision: 1, scope, effect, comment: String::new() };
    let policy = Policy::new(&[rule], &[], GeoFields::default());
    let engine = Engine::new();
    for (content_type, action) in [("image/png", Action::Allow), ("text/plain", Action::Block)] {
        let mut request = engine::mutate::empty_request("POST");
        request.headers = vec![("content-type".to_owned(), content_type.to_owned())];
        request.body = Some(Body(format!("words! {}", "x ".repeat(100_000)).into_bytes()));
        let settings = RouteSettings::of_mode(Mode::Block, "config");
        let evaluation =
            Evaluator::new(&engine, &policy).evaluate(&request, &settings, Timestamp::UNIX_EPOCH);
        let signatures: Vec<_> = evaluation.findings.iter().map(|it| it.signature.as_str()).collect();
        assert_eq!(signatures, ["overlimit-detectors"], "{content_type}");
        assert_eq!(evaluation.ruling.reason, Some(Reason::Overlimit), "{content_type}");
        assert_eq!(evaluation.ruling.action, action, "{content_type}");
    }
}

#[test]
fn a_body_that_inflates_beyond_the_limit_is_blocked() {
    let text = format!("{}{{\"q\":\"' or 1=1 -- \"}}", " ".repeat(9_000_000));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    let mut request = engine::mutate::empty_request("POST");
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    request.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    request.body = Some(Body(encoder.finish().unwrap()));
    let settings = RouteSettings::of_mode(Mode::Block, "config");
    let (engine, policy) = (Engine::new(), Policy::new(&[], &[], GeoFields::default()));
    let evaluation = Evaluator::new(&engine, &policy).evaluate(&request, &settings, Timestamp::UNIX_EPOCH);
    assert_eq!(evaluation.findings[0].signature, "data_bomb-compressed");
    assert_eq!(evaluation.ruling.reason, Some(Reason::Overlimit));
    assert_eq!(evaluation.ruling.action, Action::Block);
}

/// Content type, body, policy of the connector, action of the route, and whether the request is blocked with which
/// signature.
#[test]
fn truncated_text_and_padding_are_refused_and_data_passes() {
    use OverlimitAction::{Auto, Block, Monitor};
    use TruncationPolicy::{Inspect, LaterStage, Padding, Text};
    let part = |disposition: &str| format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n");
    let word = |number: usize| format!("word{} ", number * 7_919 % 10_007);
    let words = (0..4_000).map(word).collect::<Vec<_>>().concat();
    let (field, file) = (part("name=\"a\""), part("name=\"a\"; filename=\"a.png\""));
    let (form, json, multipart) =
        ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=b");
    let padded = format!("{{\"a\":\"{}", "a".repeat(40_000));
    for (content_type, body, policy, action, expected) in [
        (json, format!("{{\"a\":\"{words}"), Text, Auto, "BLOCK overlimit-truncated"),
        (form, format!("a={words}"), Text, Auto, "BLOCK overlimit-truncated"),
        ("", format!("a={words}"), Text, Auto, "BLOCK overlimit-truncated"),
        (multipart, format!("{field}{words}"), Text, Auto, "BLOCK overlimit-truncated"),
        (multipart, format!("{file}{words}"), Text, Auto, ""),
        ("image/png", words.clone(), Text, Auto, ""),
        ("image/svg+xml", words.clone(), Text, Auto, "BLOCK overlimit-truncated"),
        (json, format!("{{\"a\":\"{words}"), Text, Monitor, "overlimit-truncated"),
        ("image/png", words.clone(), Text, Block, "BLOCK overlimit-truncated"),
        (json, format!("{{\"a\":\"{words}"), Padding, Auto, ""),
        (json, format!("{{\"a\":\"{words}"), Padding, Block, ""),
        (json, padded.clone(), Padding, Auto, "BLOCK overlimit-padding"),
        (json, padded.clone(), Padding, Monitor, "overlimit-padding"),
        ("image/png", padded.clone(), Padding, Auto, ""),
        (multipart, format!("{file}{}", "a".repeat(40_000)), Padding, Auto, ""),
        (multipart, format!("{field}{}", "a".repeat(40_000)), Padding, Auto, "BLOCK overlimit-padding"),
        (json, padded.clone(), LaterStage, Auto, ""),
        (json, padded, Inspect, Block, ""),
    ] {
        let mut request = engine::mutate::empty_request("POST");
        request.headers = vec![("content-type".to_owned(), content_type.to_owned())];
        request.headers.retain(|(_, value)| !value.is_empty());
        let name = format!("{content_type:?} {} {policy} {action:?}", &body[..50]);
        request.body = Some(Body(body.into_bytes()));
        request.body_truncated = true;
        request.unseen_body = Some(UnseenBody { bytes: Some(1_000), policy });
        let settings = RouteSettings { overlimit: action, ..RouteSettings::of_mode(Mode::Block, "config") };
        let (engine, policy) = (Engine::new(), Policy::new(&[], &[], GeoFields::default()));
        let evaluation =
            Evaluator::new(&engine, &policy).evaluate(&request, &settings, Timestamp::UNIX_EPOCH);
        let blocks = if evaluation.ruling.action == Action::Block { "BLOCK " } else { "" };
        let signatures: Vec<_> = evaluation.findings.iter().map(|it| it.signature.as_str()).collect();
        assert_eq!(format!("{blocks}{}", signatures.join(" ")), expected, "{name}");
        assert!(
            evaluation.findings.iter().all(|it| it.payload.ends_with(" bytes seen, 1000 not seen")),
            "{name}"
        );
    }
}
