use super::*;
use crate::Engine;
use proptest::prelude::*;
use shared::{
    AttackType, Finding, InspectRequest, Mode, Point, Severity,
    point::Tag,
    ruleset::{Effect, OverlimitAction, Pattern, Points, Rule, Scope, Suppressed},
};
use std::sync::LazyLock;
use uuid::Uuid;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

fn rule(n: u128, scope: Scope, effect: Effect) -> Rule {
    Rule { id: Uuid::from_u128(n), revision: 1, scope, effect, comment: String::new() }
}

fn everywhere(effect: Effect) -> Rule {
    rule(1, Scope::default(), effect)
}

fn book(rules: &[Rule]) -> RuleBook {
    let (book, errors) = RuleBook::compile(rules);
    assert_eq!(errors, []);
    book
}

const TARGET: Target<'static> =
    Target { host: "shop.example.com", path: "/api/v1/login", method: "POST", application: Some(7) };

fn request(query: &str) -> InspectRequest {
    let json =
        serde_json::json!({"client_ip": "::1", "method": "GET", "host": "h", "path": "/", "query": query});
    serde_json::from_value(json).unwrap()
}

fn findings_of(rules: &[Rule], request: &InspectRequest) -> Vec<Finding> {
    ENGINE.inspect_with_rules(request, &book(rules).select(&TARGET)).findings
}

fn signatures(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.signature.as_str()).collect()
}

fn scope(change: impl FnOnce(&mut Scope)) -> Scope {
    let mut scope = Scope::default();
    change(&mut scope);
    scope
}

#[test]
fn a_scope_applies_if_all_conditions_match() {
    let host = |text: &str| scope(|it| it.host = Some(text.into()));
    let path = |text: &str| scope(|it| it.path = Some(text.into()));
    for (scope, expected) in [
        (Scope::default(), true),
        (host("shop.example.com"), true),
        (host("Shop.Example.com"), true),
        (host("*.example.com"), true),
        (host("example.com"), false),
        (host("shop"), false),
        (path("/api/v1/login"), true),
        (path("/api/*/login"), true),
        (path("/api/*"), false),
        (path("/api/**"), true),
        (path("**/login"), true),
        (path("/api/v1/log"), false),
        (path("/api.v1/login"), false),
        (scope(|it| it.method = Some("post".into())), true),
        (scope(|it| it.method = Some("GET".into())), false),
        (scope(|it| it.application = Some(7)), true),
        (scope(|it| it.application = Some(8)), false),
        (Scope { application: Some(8), ..path("/api/**") }, false),
    ] {
        let book = book(&[rule(1, scope.clone(), Effect::Mode { mode: Mode::Block })]);
        assert_eq!(book.select(&TARGET).mode.is_some(), expected, "{scope:?}");
    }
}

#[test]
fn the_mode_comes_from_the_newest_of_the_most_specific_rules() {
    let api = scope(|it| it.path = Some("/api/**".into()));
    let login = scope(|it| it.path = Some("/api/v1/login".into()));
    let host = scope(|it| it.host = Some("*.example.com".into()));
    let mode = |n, scope: &Scope, mode| rule(n, scope.clone(), Effect::Mode { mode });
    let all = mode(1, &Scope::default(), Mode::Off);
    for (rules, expected) in [
        (vec![all.clone()], 1),
        (vec![mode(2, &host, Mode::Block), all.clone()], 2),
        (vec![mode(3, &api, Mode::Block), mode(2, &host, Mode::Off)], 3),
        (vec![mode(4, &login, Mode::Block), mode(3, &api, Mode::Off), all.clone()], 4),
        (vec![mode(3, &api, Mode::Block), mode(5, &api, Mode::Off)], 5),
    ] {
        let (rule, _) = book(&rules).select(&TARGET).mode.unwrap();
        assert_eq!(rule.id, Uuid::from_u128(expected));
    }
}

#[test]
fn custom_detectors_match_decoded_layers() {
    let detector = |pattern| {
        everywhere(Effect::Detector {
            pattern,
            attack_type: AttackType::Rce,
            severity: Severity::Critical,
            points: vec![Point::get("a")],
        })
    };
    let regex = detector(Pattern::Regex("(?i)ev+il".into()));
    let literal = detector(Pattern::Literal("Evil".into()));
    for rule in [regex, literal] {
        for (query, expected) in [
            ("a=the+eVil", 1),
            ("a=%2565vil", 1),
            ("a=ZXZpbCBpcyBoZXJlIG5vdw==", 1),
            ("a=evi", 0),
            ("b=evil", 0),
        ] {
            let findings = findings_of(std::slice::from_ref(&rule), &request(query));
            assert_eq!(findings.len(), expected, "{query}");
            assert!(findings.iter().all(|it| it.signature == format!("rule-{}", rule.id)));
        }
    }
}

#[test]
fn a_patch_without_types_matches_any_value_at_its_points_once() {
    let patch = |points: Points| everywhere(Effect::VirtualPatch { attack_types: Vec::new(), points });
    let get = Point::new(Tag::Get);
    for (points, query, expected) in [
        (vec![Point::get("debug")], "debug=1&x=2", 1),
        (vec![Point::get("debug")], "x=2", 0),
        (vec![get], "x=1&y=2&z=3", 1),
        (Vec::new(), "", 1),
    ] {
        let rules = [patch(points)];
        let findings = findings_of(&rules, &request(query));
        assert_eq!(findings.len(), expected, "{query}");
        let (book, _) = RuleBook::compile(&rules);
        let patched = book.select(&TARGET).virtual_patch(&findings);
        assert_eq!(patched, (expected == 1).then(|| rules[0].to_ref()));
    }
}

#[test]
fn a_patch_with_types_matches_only_such_attacks_at_its_points() {
    let patch = [everywhere(Effect::VirtualPatch {
        attack_types: vec![AttackType::Sqli],
        points: vec![Point::get("id")],
    })];
    for (query, expected) in
        [("id='+OR+1=1--", true), ("x='+OR+1=1--", false), ("id=<script>alert(1)</script>", false)]
    {
        let (book, _) = RuleBook::compile(&patch);
        let rules = book.select(&TARGET);
        let findings = ENGINE.inspect_with_rules(&request(query), &rules).findings;
        assert_eq!(rules.virtual_patch(&findings).is_some(), expected, "{query}");
    }
}

#[test]
fn wider_exclusions_suppress_more() {
    let request = request("q='+union+select+1,2--&r=<script>alert(1)</script>");
    let all = findings_of(&[], &request);
    let first = &all.iter().find(|it| it.attack_type == AttackType::Sqli).unwrap();
    let left = |findings| {
        let rules = [everywhere(Effect::Ignore { findings, points: Vec::new() })];
        findings_of(&rules, &request).len()
    };
    let by_signature = left(Suppressed::Signature(first.signature.clone()));
    let by_subtype = left(Suppressed::Subtype(first.class.clone().unwrap().subtype));
    let by_type = left(Suppressed::Type(AttackType::Sqli));
    assert!(by_signature < all.len(), "{by_signature} of {}", all.len());
    assert!(by_subtype <= by_signature && by_type <= by_subtype);
    assert_eq!(by_type, all.iter().filter(|it| it.attack_type != AttackType::Sqli).count());
    assert!(by_type > 0);
    assert_eq!(left(Suppressed::All), 0);
}

#[test]
fn suppressed_findings_are_reported_with_their_rule() {
    let rules = [everywhere(Effect::Ignore { findings: Suppressed::All, points: vec![Point::get("q")] })];
    let book = book(&rules);
    let (request, rules) = (request("q='+OR+1=1--&ok=1"), book.select(&TARGET));
    let inspection = ENGINE.inspect_with_rules(&request, &rules);
    assert_eq!((inspection.findings.len(), inspection.suppressed_by.len()), (0, 1));
    let explained = ENGINE.explain_with_rules(&request, &rules);
    let suppressed: Vec<_> = explained.iter().flat_map(|field| &field.suppressed).collect();
    assert!(!suppressed.is_empty() && suppressed.iter().all(|it| it.rule == inspection.suppressed_by[0]));
}

#[test]
fn a_thousand_suppressed_findings_hide_no_attack() {
    let rules = [everywhere(Effect::Ignore { findings: Suppressed::All, points: vec![Point::get("q")] })];
    let many = "q='+OR+1=1--&".repeat(1_200) + "id='+OR+1=1--";
    let findings = findings_of(&rules, &request(&many));
    assert!(findings.iter().any(|it| it.point == Point::get("id")), "{findings:?}");
}

#[test]
fn excluding_all_findings_keeps_overlimit_and_virtual_patches() {
    let ignore = Effect::Ignore { findings: Suppressed::All, points: Vec::new() };
    let patch = Effect::VirtualPatch { attack_types: Vec::new(), points: Vec::new() };
    let many = (0..110_000).fold(String::new(), |query, number| query + &format!("a{number}=1&"));
    let rules = [rule(1, Scope::default(), ignore), rule(2, Scope::default(), patch)];
    let findings = findings_of(&rules, &request(&many));
    assert_eq!(signatures(&findings), [format!("rule-{}", Uuid::from_u128(2)).as_str(), "overlimit-fields"]);
}

fn detector(n: u128, pattern: &str) -> Rule {
    let (pattern, attack_type) = (Pattern::Regex(pattern.into()), AttackType::Rce);
    let effect = Effect::Detector { pattern, attack_type, severity: Severity::High, points: Vec::new() };
    rule(n, Scope::default(), effect)
}

fn with_text(text: String) -> InspectRequest {
    let mut request = request("");
    request.headers = vec![("content-type".into(), "text/plain".into())];
    request.body = Some(shared::Body(text.into_bytes()));
    request
}

#[test]
fn detectors_over_their_budget_are_reported_by_name() {
    let rules: Vec<Rule> =
        (1..=5).map(|n| detector(n, &format!(r"\bword{n}\b.{{0,80}}\bsecret\b"))).collect();
    let words = (1..=5).fold(String::new(), |words, n| words + &format!("word{n} "));
    let text = |bytes: usize| with_text(format!("{words}{} secret", "x y ".repeat(bytes / 4)));
    assert_eq!(findings_of(&rules, &text(40_000)), [], "a body of 40 KB is inspected by all of them");
    let findings = findings_of(&rules, &text(400_000));
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(
        (finding.attack_type.as_str(), finding.signature.as_str()),
        ("overlimit_res", "overlimit-detectors")
    );
    assert_eq!(finding.point, Point::new(Tag::Post));
    let skipped: Vec<String> = (4..=5).map(|n| format!("rule-{}", Uuid::from_u128(n))).collect();
    assert_eq!(finding.payload, skipped.join(" "), "the first three took the budget");
    assert_eq!(findings_of(&rules, &text(400_000)), findings, "the budget does not depend on time");
}

#[test]
fn a_costly_detector_is_rejected_but_a_node_applies_it() {
    for pattern in [r"\w{12}x", r"(?:.{2,60}a){10}"] {
        let rule = detector(1, pattern);
        let error = check(&rule).unwrap_err();
        assert_eq!(error.field, "effect.pattern");
        assert!(error.cause.contains("steps per byte; the limit is 512"), "{error}");
        assert!(steps_per_byte(&rule) > MAX_STEPS_PER_BYTE);
        assert_eq!(RuleBook::compile(&[rule]).1, []);
    }
    for pattern in
        ["(?i)legacy-[0-9]+", r"\bunion\b.{0,80}\bselect\b", r"\w+@corp\.example", r"[\w.-]+\.internal"]
    {
        assert_eq!(check(&detector(1, pattern)), Ok(()), "{pattern}");
    }
}

#[test]
fn every_detector_of_a_large_ruleset_finds_its_word() {
    let rules: Vec<Rule> = (0..300).map(|n| detector(n, &format!(r"(?i)word{n}\b.*end{n}\b"))).collect();
    let book = book(&rules);
    for n in [0, 1, 99, 150, 299] {
        let query = format!("q=a+WORD{n}+b+end{n}");
        let findings = ENGINE.inspect_with_rules(&request(&query), &book.select(&TARGET)).findings;
        assert_eq!(signatures(&findings), [format!("rule-{}", Uuid::from_u128(n)).as_str()], "{query}");
    }
}

#[test]
fn an_exclusion_at_a_position_does_not_hide_an_equal_value_at_another() {
    let point = Point::new(Tag::Post).then(Tag::JsonDoc).indexed(Tag::Array, 5_000);
    let ignore = everywhere(Effect::Ignore { findings: Suppressed::All, points: vec![point] });
    let text = format!("[{}\"' or 1=1--\",\"' or 1=1--\"]", "\"a\",".repeat(5_000));
    let findings = findings_of(&[ignore], &with_text(text));
    assert!(findings.iter().any(|it| it.attack_type == AttackType::Sqli), "{findings:?}");
}

#[test]
fn reports_invalid_rules_and_keeps_the_others() {
    let detector = |pattern: &str| Effect::Detector {
        pattern: Pattern::Regex(pattern.into()),
        attack_type: AttackType::Rce,
        severity: Severity::High,
        points: Vec::new(),
    };
    let fine = Effect::Overlimit { action: OverlimitAction::Block };
    let invalid = [
        everywhere(detector("(unclosed")),
        everywhere(detector("")),
        everywhere(detector("a*")),
        everywhere(detector(r"(\w{1000}){1000}")),
        everywhere(detector(&"x".repeat(5_000))),
        everywhere(Effect::VirtualPatch { attack_types: vec!["newer".into()], points: Vec::new() }),
        everywhere(Effect::VirtualPatch { attack_types: vec![AttackType::Overlimit], points: Vec::new() }),
        everywhere(Effect::Mask { points: Vec::new() }),
        everywhere(Effect::Mask { points: vec![Point::uri()] }),
        everywhere(Effect::Ignore { findings: Suppressed::All, points: vec![Point::default()] }),
        everywhere(Effect::Ignore { findings: Suppressed::All, points: vec![Point::new("newer".into())] }),
        rule(1, scope(|it| it.path = Some("api".into())), fine.clone()),
        rule(1, scope(|it| it.host = Some(String::new())), fine.clone()),
        rule(1, scope(|it| it.method = Some("A B".into())), fine.clone()),
    ];
    let mut rules = invalid.to_vec();
    rules.push(everywhere(fine));
    let (book, errors) = RuleBook::compile(&rules);
    assert!(book.select(&TARGET).overlimit.is_some());
    assert_eq!(errors.len(), invalid.len());
    let messages: Vec<String> = errors.iter().map(|it| format!("{}: {}", it.field, it.cause)).collect();
    insta::assert_debug_snapshot!(messages);
}

fn any_point() -> impl Strategy<Value = Point> {
    let name = prop::sample::select(vec!["a", "b", "c"]);
    let point = |name| Point::get(name);
    prop_oneof![
        name.clone().prop_map(point),
        name.prop_map(move |name| Point::get(name).then(Tag::Base64)),
        Just(Point::new(Tag::Get)),
        Just(Point::header("x-a")),
        Just(Point::header("X-B")),
        Just(Point::new(Tag::Post)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn an_exclusion_suppresses_what_it_covers_and_nothing_else(points in prop::collection::vec(any_point(), 1..3)) {
        let attack = "'+union+select+1,2--";
        let mut request = request(&format!("a={attack}&b={attack}&c={attack}"));
        request.headers = vec![("x-a".into(), "' union select 1,2--".into()), ("X-B".into(), "' or 1=1--".into())];
        let rules = [everywhere(Effect::Ignore { findings: Suppressed::All, points: points.clone() })];
        let expected: Vec<Finding> = findings_of(&[], &request)
            .into_iter()
            .filter(|finding| !points.iter().any(|point| covers(point, &finding.point)))
            .collect();
        prop_assert_eq!(findings_of(&rules, &request), expected);
    }

    #[test]
    fn compiling_a_rule_never_panics(path in "[/*a-z(\\[]{0,12}", host in ".{0,8}", pattern in ".{0,24}") {
        let scope = Scope { path: Some(path), host: Some(host), ..Scope::default() };
        let pattern = Pattern::Regex(pattern);
        let (attack_type, severity) = (AttackType::Xss, Severity::Low);
        let effect = Effect::Detector { pattern, attack_type, severity, points: Vec::new() };
        let _ = check(&rule(1, scope, effect));
    }
}
