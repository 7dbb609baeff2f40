//! Mode × list × reason × delivery, each cell decided by a real node.
//!
//! The table is written by hand from the contract, the matrix of the original's documentation. Each
//! cell has the action, whether it is recorded, and the reason:
//!
//! - `pass`: allowed, not recorded; `record`: allowed and recorded; `BLOCK`: blocked and recorded;
//! - followed by `!`: mode `block` would have blocked.

use super::*;
use crate::{
    config::GeoIpConfig,
    policy::geoip::tests::{country, database},
};
use decision::GeoFields;
use shared::{
    AttackType, Reason, Severity,
    ruleset::{Effect, List, ListEntry, OverlimitAction, Pattern, Rule, Ruleset, Scope, Source},
};

/// Columns: nothing found, a score below that of attacks, overlimit (of a query: as an attack),
/// overlimit with a rule to monitor, an attack, a virtual patch.
const TABLE: &str = "
mode          list  delivery nothing         suspicious      overlimit        overlimit:monitor attack          patch

off           none  inline   pass            pass            pass             pass              pass            pass
off           allow inline   pass            pass            pass             pass              pass            pass
off           deny  inline   pass            pass            pass             pass              pass            pass
off           gray  inline   pass            pass            pass             pass              pass            pass
off           none  copy     pass            pass            pass             pass              pass            pass
off           allow copy     pass            pass            pass             pass              pass            pass
off           deny  copy     pass            pass            pass             pass              pass            pass
off           gray  copy     pass            pass            pass             pass              pass            pass

monitoring    none  inline   pass            record:         record!overlimit record:overlimit  record!attack   BLOCK!virtual_patch
monitoring    allow inline   pass            pass            pass             pass              pass            pass
monitoring    deny  inline   BLOCK!denylist  BLOCK!denylist  BLOCK!denylist   BLOCK!denylist    BLOCK!denylist  BLOCK!denylist
monitoring    gray  inline   pass            record:         record!overlimit record:overlimit  record!attack   BLOCK!virtual_patch
monitoring    none  copy     pass            record:         record!overlimit record:overlimit  record!attack   record!virtual_patch
monitoring    allow copy     pass            pass            pass             pass              pass            pass
monitoring    deny  copy     record!denylist record!denylist record!denylist  record!denylist   record!denylist record!denylist
monitoring    gray  copy     pass            record:         record!overlimit record:overlimit  record!attack   record!virtual_patch

safe_blocking none  inline   pass            record:         record!overlimit record:overlimit  record!attack   BLOCK!virtual_patch
safe_blocking allow inline   pass            pass            pass             pass              pass            pass
safe_blocking deny  inline   BLOCK!denylist  BLOCK!denylist  BLOCK!denylist   BLOCK!denylist    BLOCK!denylist  BLOCK!denylist
safe_blocking gray  inline   pass            record:         BLOCK!overlimit  record:overlimit  BLOCK!attack    BLOCK!virtual_patch
safe_blocking none  copy     pass            record:         record!overlimit record:overlimit  record!attack   record!virtual_patch
safe_blocking allow copy     pass            pass            pass             pass              pass            pass
safe_blocking deny  copy     record!denylist record!denylist record!denylist  record!denylist   record!denylist record!denylist
safe_blocking gray  copy     pass            record:         record!overlimit record:overlimit  record!attack   record!virtual_patch

block         none  inline   pass            record:         BLOCK!overlimit  record:overlimit  BLOCK!attack    BLOCK!virtual_patch
block         allow inline   pass            pass            pass             pass              pass            pass
block         deny  inline   BLOCK!denylist  BLOCK!denylist  BLOCK!denylist   BLOCK!denylist    BLOCK!denylist  BLOCK!denylist
block         gray  inline   pass            record:         BLOCK!overlimit  record:overlimit  BLOCK!attack    BLOCK!virtual_patch
block         none  copy     pass            record:         record!overlimit record:overlimit  record!attack   record!virtual_patch
block         allow copy     pass            pass            pass             pass              pass            pass
block         deny  copy     record!denylist record!denylist record!denylist  record!denylist   record!denylist record!denylist
block         gray  copy     pass            record:         record!overlimit record:overlimit  record!attack   record!virtual_patch
";

const ADDRESS: &str = "203.0.113.178";

fn ruleset(list: Option<List>) -> Ruleset {
    let rule = |n: u128, path: &str, effect| Rule {
        id: Uuid::from_u128(n),
        revision: 1,
        scope: Scope { path: Some(path.into()), ..Scope::default() },
        effect,
        comment: String::new(),
    };
    let patch = Effect::Detector {
        pattern: Pattern::Literal("patched".into()),
        attack_type: AttackType::VirtualPatch,
        severity: Severity::High,
        points: Vec::new(),
    };
    let rules = vec![
        rule(1, "/lenient", Effect::Overlimit { action: OverlimitAction::Monitor }),
        rule(2, "/**", patch),
    ];
    let entry = |list| ListEntry {
        id: Uuid::from_u128(9),
        list,
        source: Source::Network(ADDRESS.parse().unwrap()),
        applications: Vec::new(),
        expires_at: None,
        reason: String::new(),
    };
    let lists: Vec<ListEntry> = list.into_iter().map(entry).collect();
    Ruleset { version: 3, id: Uuid::from_u128(3), rules: rules.into(), lists: lists.into() }
}

fn requests() -> Vec<(&'static str, Value)> {
    let overlimit = format!("x={}", "[".repeat(200));
    vec![
        ("nothing", get("/shop", "q=shoes")),
        ("suspicious", get("/shop", "x=../")),
        ("overlimit", get("/shop", &overlimit)),
        ("overlimit:monitor", get("/lenient", &overlimit)),
        ("attack", get("/shop", "x='+OR+1=1")),
        ("patch", get("/shop", "x=patched")),
    ]
}

fn attacks(harness: &Harness) -> Vec<AttackRecord> {
    let attack = |record| match record {
        Record::Attack(record) => *record,
        other => panic!("{other:?}"),
    };
    harness.records().into_iter().map(attack).collect()
}

async fn decided(harness: &Harness, message: &Value) -> String {
    let policy = harness.node.policy.get();
    let mut request: InspectRequest = serde_json::from_value(message.clone()).unwrap();
    let routed = harness.node.route(&mut request).unwrap();
    let evaluation = harness.node.evaluate(&policy, &request, &routed, None);
    let (ruling, has_findings) = (evaluation.ruling, !evaluation.findings.is_empty());
    let reply = harness.inspect(message).await;
    if request.delivery == Delivery::Inline {
        let verdict = reply.verdict();
        assert_eq!((verdict.action, &verdict.reason), (ruling.action, &ruling.reason));
        assert_eq!(verdict.block.is_some(), verdict.action == Action::Block);
    } else {
        assert_eq!(reply.status, StatusCode::ACCEPTED);
    }
    let records: Vec<AttackRecord> =
        attacks(harness).into_iter().filter(|it| Some(it.request.request_id) == request.request_id).collect();
    let recorded = match &records[..] {
        [] => false,
        [AttackRecord { decision, .. }] => {
            assert_eq!(decision.reason, ruling.reason);
            assert_eq!(decision.outcome == Outcome::Blocked, ruling.action == Action::Block);
            assert_eq!(decision.enforced == Enforced::Yes, ruling.action == Action::Block);
            true
        }
        more => panic!("one record at most: {more:?}"),
    };
    assert_eq!(recorded, has_findings);
    let done = match (ruling.action, recorded) {
        (Action::Allow, false) => "pass",
        (Action::Allow, true) => "record",
        (Action::Block, true) => "BLOCK",
        (Action::Block, false) => "blocked without a record",
    };
    let mark = if ruling.would_block {
        "!"
    } else if recorded {
        ":"
    } else {
        ""
    };
    format!("{done}{mark}{}", ruling.reason.as_ref().map_or("", Reason::as_str))
}

fn list(word: &str) -> Option<List> {
    [List::Allow, List::Deny, List::Gray].into_iter().find(|list| list.as_str() == word)
}

#[tokio::test]
async fn every_cell_of_the_matrix_is_decided_as_specified() {
    let mut rows =
        TABLE.lines().map(|row| row.split_whitespace().collect::<Vec<_>>()).filter(|row| !row.is_empty());
    let columns = rows.next().unwrap();
    let requests = requests();
    let named: Vec<&str> = requests.iter().map(|(name, _)| *name).collect();
    assert_eq!(columns[3..], named[..]);
    let (mut cells, mut wrong) = (Vec::new(), Vec::new());
    let mut harness = harness(Mode::Off);
    for row in rows {
        let [mode, on_list, delivery, expected @ ..] = &row[..] else { panic!("a row: {row:?}") };
        let mode: Mode = serde_json::from_value(json!(mode)).unwrap();
        if harness.node.config.load().route_config.default.mode.mode != mode {
            harness = self::harness(mode);
        }
        harness.node.policy.replace(Policy::compile(
            &ruleset(list(on_list)),
            GeoFields::default(),
            jiff::Timestamp::now(),
        ));
        for ((reason, message), expected) in requests.iter().zip(expected) {
            let mut message = message.clone();
            message["request_id"] = json!(RequestId::random());
            message["delivery"] = if *delivery == "copy" { "out_of_band" } else { "inline" }.into();
            let decided = decided(&harness, &message).await;
            if decided != *expected {
                wrong.push(format!("{mode} {on_list} {delivery} {reason}: {decided}, not {expected}"));
            }
            cells.push((mode, *on_list, *delivery, *reason));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    cells.sort_unstable();
    cells.dedup();
    assert_eq!(cells.len(), 4 * 4 * 2 * 6, "every cell once");
}

#[tokio::test]
async fn a_decision_names_the_rule_and_the_list_entry() {
    let harness = harness(Mode::SafeBlocking);
    harness.node.policy.replace(Policy::compile(
        &ruleset(Some(List::Gray)),
        GeoFields::default(),
        jiff::Timestamp::now(),
    ));
    let mut decided_by = Vec::new();
    for (_, message) in requests() {
        decided_by.push(harness.inspect(&message).await.verdict().decided_by);
    }
    let recorded = attacks(&harness).into_iter().map(|record| record.decision.decided_by);
    // The spool delivers high priority first.
    assert!(recorded.clone().all(|it| decided_by[1..].contains(&it)), "hits agree with verdicts");
    assert_eq!(recorded.count(), 5);
    insta::assert_json_snapshot!(decided_by);
}

#[tokio::test]
async fn denies_a_country_with_a_geoip_database() {
    let mut harness = harness(Mode::Block);
    let file = harness.spool.path().join("country.mmdb");
    std::fs::write(&file, database(&[("203.0.113.0/24", &country("DE"))])).unwrap();
    let geoip = GeoIp::open(&GeoIpConfig { country_file: Some(file), asn_file: None }).unwrap();
    let mut ruleset = ruleset(Some(List::Deny));
    ruleset.lists.items[0].source = Source::Country("DE".to_owned());
    let another =
        ListEntry { id: Uuid::from_u128(9), source: Source::Asn(64500), ..ruleset.lists.items[0].clone() };
    ruleset.lists.items.push(another);
    let policy = Policy::compile(&ruleset, geoip.fields(), jiff::Timestamp::now());
    let left_out = &policy.summary.left_out;
    assert!(left_out.len() == 1 && left_out[0].cause.contains("geoip.asn_file"), "{left_out:?}");
    harness.node.policy.replace(policy);
    Arc::get_mut(&mut harness.node).unwrap().geoip = geoip.into();
    let verdict = harness.inspect(&get("/", "")).await.verdict();
    assert_eq!(verdict.reason, Some(Reason::Denylist));
    let mut elsewhere = get("/", "");
    elsewhere["client_ip"] = json!("198.51.100.1");
    assert_eq!(harness.inspect(&elsewhere).await.verdict().action, Action::Allow);
}

#[tokio::test]
async fn a_record_has_the_country_of_its_source_with_a_geoip_database() {
    let mut harness = harness(Mode::Block);
    let file = harness.spool.path().join("country.mmdb");
    std::fs::write(&file, database(&[("203.0.113.0/24", &country("DE"))])).unwrap();
    let geoip = GeoIp::open(&GeoIpConfig { country_file: Some(file), asn_file: None }).unwrap();
    Arc::get_mut(&mut harness.node).unwrap().geoip = geoip.into();
    harness.inspect(&get("/etc/passwd", "")).await.verdict();
    let location = harness.attack().location;
    assert_eq!((location.country.as_deref(), location.asn), (Some("DE"), None));
}
