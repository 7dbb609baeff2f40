use super::*;
use crate::{
    attack::{AttackStatus, HostCount, Source, TypeCount},
    coverage::{Fall, ShareKind},
    webhook::{Subject, WebhookDraft},
};
use insta::assert_snapshot;
use shared::AttackType;
use uuid::Uuid;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn webhook(format: Format) -> Webhook {
    let draft = WebhookDraft {
        name: "Ops".to_owned(),
        url: "https://hooks.example.com/".to_owned().into(),
        query: "type:sqli".to_owned(),
        format,
        events: vec![Subject::Attacks],
        digest: Digest::Hour,
        rate_limit: None,
        enabled: true,
    };
    Webhook {
        id: Uuid::nil(),
        revision: 1,
        created_at: at("2026-01-01T00:00:00Z"),
        updated_at: at("2026-01-01T00:00:00Z"),
        draft,
        dropped: 0,
        previous_secret_until: None,
    }
}

fn attack() -> Attack {
    Attack {
        id: Uuid::from_u128(7),
        attack_type: AttackType::from("sqli"),
        title: "SQL injection".to_owned(),
        point: serde_json::from_value(json!([["get", "q"]])).unwrap(),
        parameter: "query parameter q".to_owned(),
        host: "shop.example.com".to_owned(),
        path: "/search".to_owned(),
        status: AttackStatus::PartiallyBlocked,
        first_seen: at("2026-01-01T12:00:00Z"),
        last_seen: at("2026-01-01T12:10:00Z"),
        hits: 12,
        blocked: 11,
        suspicious: 0,
        sources: 2,
        seen_by: vec!["edge".to_owned()],
        payload: Some("' or 1=1 --<!here>".to_owned()),
        mark: None,
        revision: 0,
    }
}

fn country(country: &str, hits: u64) -> CountryHits {
    CountryHits { country: country.to_owned(), hits }
}

fn countries() -> Vec<CountryHits> {
    vec![country("DE", 9), country("US", 3)]
}

fn digest() -> AttackDigest {
    AttackDigest {
        from: at("2026-01-01T12:00:00Z"),
        to: at("2026-01-01T13:00:00Z"),
        attacks: 14,
        hits: 40,
        blocked: 11,
        first_last_seen: at("2026-01-01T11:59:59Z"),
        types: vec![TypeCount {
            attack_type: AttackType::from("sqli"),
            title: "SQL injection".to_owned(),
            attacks: 14,
            hits: 40,
        }],
        hosts: vec![HostCount { host: "<b>.example.com".to_owned(), attacks: 14, hits: 40 }],
        sources: vec![Source { ip: "203.0.113.7".parse().unwrap(), hits: 39 }],
        countries: countries(),
        largest: vec![(attack(), countries())],
    }
}

fn rules_changed() -> Event {
    let version = Version {
        version: 8,
        at: at("2026-01-01T12:00:00Z"),
        actor: "ann".to_owned(),
        created: 1,
        changed: 0,
        deleted: 2,
        activated: None,
    };
    let kinds = ["deny", "ignore"].map(str::to_owned).into();
    Event::RulesChanged { version, kinds }
}

fn coverage_fell() -> Event {
    let fall = Fall { share: ShareKind::Edge, percent: 61.5, before_percent: 98.25 };
    let (distribution, day) = ("E2EXAMPLE".to_owned(), "2026-01-01".to_owned());
    Event::CoverageFell { distribution, day, fall, requests: 1200 }
}

/// The bodies of a format: an attack, a digest, changed rules, and events of nodes and coverage;
/// JSON is indented.
fn bodies(format: Format, public_url: &str) -> String {
    let (webhook, public_url) = (webhook(format), PublicUrl(Some(public_url.to_owned())));
    let composer = Composer { webhook: &webhook, public_url: &public_url, at: at("2026-01-01T12:00:01Z") };
    let node = Event::NodeUnreachable { node: Uuid::from_u128(9), since: at("2026-01-01T12:00:00Z") };
    let bodies = [
        composer.attack(&attack(), &countries()),
        composer.digest(&digest()),
        composer.event(&rules_changed()),
        composer.event(&node),
        composer.event(&coverage_fell()),
    ];
    let indented = |body: String| match serde_json::from_str::<Value>(&body) {
        Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
        Err(_) => body,
    };
    bodies.map(indented).join("\n\n")
}

#[test]
fn standard_messages() {
    assert_snapshot!(bodies(Format::Standard, "https://waf.example.com"));
}

#[test]
fn slack_messages() {
    assert_snapshot!(bodies(Format::Slack, "https://waf.example.com"));
}

#[test]
fn cef_messages() {
    assert_snapshot!(bodies(Format::Cef, "https://waf.example.com"));
}

#[test]
fn a_message_without_a_public_url_or_countries_has_no_link() {
    for format in Format::ALL {
        let webhook = webhook(format);
        let public_url = PublicUrl::default();
        let composer =
            Composer { webhook: &webhook, public_url: &public_url, at: at("2026-01-01T12:00:01Z") };
        let mut digest = digest();
        digest.countries.clear();
        digest.largest.clear();
        for body in
            [composer.attack(&attack(), &[]), composer.digest(&digest), composer.event(&rules_changed())]
        {
            assert!(!body.contains("http") && !body.contains("cs4") && !body.contains("DE"), "{body}");
        }
    }
}

#[test]
fn a_section_of_slack_has_no_link_that_is_too_long() {
    let url = |length: usize| format!("https://a.example/?q={}", "a".repeat(length));
    assert!(with_link("text".to_owned(), Some(&url(2_900)), "Open").contains("|Open>"));
    assert_eq!(with_link("text".to_owned(), Some(&url(4_000)), "Open"), "text");
    assert_eq!(with_link(String::new(), Some(&url(4_000)), "Open"), "");
}

#[test]
fn a_rollback_names_both_versions() {
    let Event::RulesChanged { mut version, .. } = rules_changed() else { unreachable!() };
    version.activated = Some(3);
    let text = changed(&version, &BTreeSet::new());
    assert_eq!(text, "ann rolled back to version 3 of the ruleset as version 8: 1 added, 2 deleted.");
}

#[test]
fn more_than_five_countries_are_counted() {
    let countries: Vec<CountryHits> =
        ["DE", "US", "FR", "GB", "NL", "PL"].map(|code| country(code, 1)).to_vec();
    assert_eq!(names(&countries), "DE (1), US (1), FR (1), GB (1), NL (1) and 1 more");
}

#[test]
fn a_payload_cannot_mention_or_link() {
    assert_eq!(escaped("<!channel> & <http://a|b>\n"), "&lt;!channel&gt; &amp; &lt;http://a|b&gt; ");
    assert_eq!(escaped(&"<".repeat(600)).len(), 4 * MAX_CHARS);
}
