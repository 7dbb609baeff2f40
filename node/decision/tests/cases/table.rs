//! The decision table shared by tests of the node and the console: mode × override × list × rule.
//!
//! Both tables are written by hand from the contract, not computed by the code under test. Each
//! case is a request with its rules, its list entry and the expected result.

use decision::{GeoFields, ModeAllowOverride, Policy};
use shared::{
    AttackType, Delivery, InspectRequest, Mode, Severity,
    ruleset::{Effect, List, ListEntry, Network, OverlimitAction, Pattern, Rule, Scope, Source, Suppressed},
};
use std::net::{IpAddr, Ipv4Addr};
use uuid::Uuid;

/// Configured mode, mode rule of the console, and the mode in force under
/// `wallarm_mode_allow_override`.
const MODES: &str = "
configured    rule           on             strict         off

off           none           off            off            off
off           off            off            off            off
off           monitoring     monitoring     monitoring     off
off           safe_blocking  safe_blocking  safe_blocking  off
off           block          block          block          off
monitoring    none           monitoring     monitoring     monitoring
monitoring    off            off            monitoring     monitoring
monitoring    monitoring     monitoring     monitoring     monitoring
monitoring    safe_blocking  safe_blocking  safe_blocking  monitoring
monitoring    block          block          block          monitoring
safe_blocking none           safe_blocking  safe_blocking  safe_blocking
safe_blocking off            off            safe_blocking  safe_blocking
safe_blocking monitoring     monitoring     safe_blocking  safe_blocking
safe_blocking safe_blocking  safe_blocking  safe_blocking  safe_blocking
safe_blocking block          block          block          safe_blocking
block         none           block          block          block
block         off            off            block          block
block         monitoring     monitoring     block          block
block         safe_blocking  safe_blocking  block          block
block         block          block          block          block
";

/// Mode in force, list of the source, and the result for each kind of request and rule: `-`
/// (nothing recorded), or the recorded attack type, with `BLOCK:` before it when the request is
/// blocked.
const RESULTS: &str = "
mode          list  clean                attack               excluded             custom               patched              overlimit            overlimit_rule

off           none  -                    -                    -                    -                    -                    -                    -
off           allow -                    -                    -                    -                    -                    -                    -
off           deny  -                    -                    -                    -                    -                    -                    -
off           gray  -                    -                    -                    -                    -                    -                    -
monitoring    none  -                    sqli                 -                    redir                BLOCK:sqli           overlimit_res        overlimit_res
monitoring    allow -                    -                    -                    -                    -                    -                    -
monitoring    deny  BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source
monitoring    gray  -                    sqli                 -                    redir                BLOCK:sqli           overlimit_res        overlimit_res
safe_blocking none  -                    sqli                 -                    redir                BLOCK:sqli           overlimit_res        overlimit_res
safe_blocking allow -                    -                    -                    -                    -                    -                    -
safe_blocking deny  BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source
safe_blocking gray  -                    BLOCK:sqli           -                    BLOCK:redir          BLOCK:sqli           BLOCK:overlimit_res  overlimit_res
block         none  -                    BLOCK:sqli           -                    BLOCK:redir          BLOCK:sqli           BLOCK:overlimit_res  overlimit_res
block         allow -                    -                    -                    -                    -                    -                    -
block         deny  BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source BLOCK:blocked_source
block         gray  -                    BLOCK:sqli           -                    BLOCK:redir          BLOCK:sqli           BLOCK:overlimit_res  overlimit_res
";

const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 178));

/// One row of the table.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Mode, rule, override, list and kind of request.
    pub(crate) name: String,
    pub(crate) configured: Mode,
    pub(crate) allow_override: ModeAllowOverride,
    pub(crate) rules: Vec<Rule>,
    pub(crate) lists: Vec<ListEntry>,
    pub(crate) request: InspectRequest,
    pub(crate) expected: Expected,
}

/// The expected result of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) mode: Mode,
    pub(crate) attack_type: Option<AttackType>,
    pub(crate) blocks: bool,
}

impl Case {
    /// All cases.
    pub(crate) fn all() -> Vec<Self> {
        let mut cases = Vec::new();
        for row in rows(MODES).skip(1) {
            let overrides = [ModeAllowOverride::On, ModeAllowOverride::Strict, ModeAllowOverride::Off];
            for (allow_override, effective) in overrides.into_iter().zip(&row[2..]) {
                cases.extend(Self::of_mode(row[0], row[1], allow_override, effective));
            }
        }
        cases
    }

    fn of_mode(
        configured: &'static str,
        rule: &'static str,
        allow_override: ModeAllowOverride,
        effective: &'static str,
    ) -> impl Iterator<Item = Self> {
        let kinds = rows(RESULTS).next().unwrap_or_default();
        let results = rows(RESULTS).skip(1).filter(move |row| row[0] == effective);
        results.flat_map(move |row| {
            let cells: Vec<_> = kinds[2..].iter().copied().zip(row[2..].iter().copied()).collect();
            cells.into_iter().map(move |(kind, cell)| {
                let mode_rule = mode(rule).map(|mode| Effect::Mode { mode });
                let effects = mode_rule.into_iter().chain(kind_rule(kind));
                let (attack_type, blocks) = match cell.strip_prefix("BLOCK:") {
                    Some(code) => (Some(AttackType::from(code)), true),
                    None => ((cell != "-").then(|| AttackType::from(cell)), false),
                };
                Self {
                    name: format!("{configured} {rule} {} {} {kind}", allow_override.as_str(), row[1]),
                    configured: mode(configured).unwrap_or(Mode::Off),
                    allow_override,
                    rules: effects.zip(1..).map(|(effect, n)| numbered(n, effect)).collect(),
                    lists: list_entry(row[1]).into_iter().collect(),
                    request: request(kind),
                    expected: Expected { mode: mode(effective).unwrap_or(Mode::Off), attack_type, blocks },
                }
            })
        })
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy::new(&self.rules, &self.lists, GeoFields::default())
    }
}

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().map(|row| row.split_whitespace().collect()).filter(|row: &Vec<_>| !row.is_empty())
}

fn mode(word: &str) -> Option<Mode> {
    [Mode::Off, Mode::Monitoring, Mode::SafeBlocking, Mode::Block].into_iter().find(|it| it.as_str() == word)
}

/// The rule that belongs to a kind of request.
fn kind_rule(kind: &str) -> Option<Effect> {
    let points = Vec::new();
    Some(match kind {
        "excluded" => Effect::Ignore { findings: Suppressed::Type(AttackType::Sqli), points },
        "custom" => Effect::Detector {
            pattern: Pattern::Literal("custom-pattern".to_owned()),
            attack_type: AttackType::from("redir"),
            severity: Severity::High,
            points,
        },
        "patched" => Effect::VirtualPatch { attack_types: vec![AttackType::Sqli], points },
        "overlimit_rule" => Effect::Overlimit { action: OverlimitAction::Monitor },
        _ => return None,
    })
}

fn numbered(n: u128, effect: Effect) -> Rule {
    Rule { id: Uuid::from_u128(n), revision: 1, scope: Scope::default(), effect, comment: String::new() }
}

fn list_entry(word: &str) -> Option<ListEntry> {
    let list = [List::Allow, List::Deny, List::Gray].into_iter().find(|list| list.as_str() == word)?;
    Some(ListEntry {
        id: Uuid::from_u128(9),
        list,
        source: Source::Network(Network::around(SOURCE, 32)?),
        applications: Vec::new(),
        expires_at: None,
        reason: String::new(),
    })
}

fn request(kind: &str) -> InspectRequest {
    let query = match kind {
        "attack" | "excluded" | "patched" => "x='+OR+1=1".to_owned(),
        "custom" => "x=custom-pattern".to_owned(),
        "overlimit" | "overlimit_rule" => format!("x={}", "[".repeat(200)),
        _ => "q=shoes".to_owned(),
    };
    InspectRequest {
        request_id: None,
        connector: None,
        delivery: Delivery::Inline,
        client_ip: SOURCE,
        method: "GET".to_owned(),
        scheme: None,
        http_version: None,
        host: "shop.example.com".to_owned(),
        path: "/shop".to_owned(),
        query,
        headers: Vec::new(),
        body: None,
        body_truncated: false,
        unseen_body: None,
        not_inspected: Vec::new(),
    }
}
