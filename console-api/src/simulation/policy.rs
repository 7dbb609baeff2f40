//! A ruleset, compiled, and what it makes of recorded requests.

use super::{ENGINE, application};
use engine::rules::RuleBook;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{
    AttackType, Decision, InspectRequest, Mode,
    ruleset::{List, ListEntry, Network, OverlimitAction, Rule, Source},
};
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

/// What would be said of a request that waits for its verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReplayVerdict)]
pub struct Verdict {
    pub attack_types: BTreeSet<String>,
    pub blocks: bool,
}

impl Verdict {
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

pub struct Policy {
    book: RuleBook,
    entries: HashMap<Network, Vec<ListEntry>>,
    /// The widths that occur.
    widths: BTreeSet<u8>,
}

impl Policy {
    /// Entries for countries and autonomous systems are left out: what a source belongs to is not recorded.
    pub fn new(rules: &[Rule], lists: Vec<ListEntry>) -> Self {
        let (book, _) = RuleBook::compile(rules);
        let mut entries: HashMap<Network, Vec<ListEntry>> = HashMap::new();
        for entry in lists {
            if let Source::Network(network) = entry.source {
                entries.entry(network).or_default().push(entry);
            }
        }
        let widths = entries.keys().map(|network| network.prefix()).collect();
        Self { book, entries, widths }
    }

    /// What it makes of a request. Where no rule gives the mode, the one of the record holds.
    pub fn verdict(&self, request: &InspectRequest, recorded: &Decision, at: Timestamp) -> Verdict {
        let application = application(request);
        let rules = self.book.of_request(&request.host, &request.path, &request.method, application);
        let mode = rules.mode.map_or(recorded.mode, |(_, mode)| mode);
        let lists = self.lists(request.client_ip, application, at);
        if mode == Mode::Off || lists.contains(&List::Allow) {
            return Verdict::default();
        }
        if lists.contains(&List::Deny) {
            let attack_types = BTreeSet::from([AttackType::BlockedSource.as_str().to_owned()]);
            return Verdict { attack_types, blocks: true };
        }
        let findings = ENGINE.inspect_under(request, &rules).findings;
        let is_attack = findings.iter().any(|finding| finding.attack_type != AttackType::Overlimit);
        let is_too_much =
            !findings.is_empty() && matches!(rules.overlimit, Some((_, OverlimitAction::Block)));
        let blocks_attacks =
            mode == Mode::Block || (mode == Mode::SafeBlocking && lists.contains(&List::Gray));
        let is_patched = rules.virtual_patch(&findings).is_some();
        Verdict {
            attack_types: findings.iter().map(|finding| finding.attack_type.as_str().to_owned()).collect(),
            blocks: is_patched || (blocks_attacks && (is_attack || is_too_much)),
        }
    }

    /// The lists that a source was on.
    fn lists(&self, address: IpAddr, application: Option<u32>, at: Timestamp) -> Vec<List> {
        let address = address.to_canonical();
        let networks = self.widths.iter().filter_map(|width| Network::around(address, *width));
        let entries = networks.filter_map(|network| self.entries.get(&network)).flatten();
        let holds = |entry: &&ListEntry| {
            entry.expires_at.is_none_or(|end| at < end)
                && (entry.applications.is_empty()
                    || application.is_some_and(|it| entry.applications.contains(&it)))
        };
        entries.filter(holds).map(|entry| entry.list).collect()
    }
}
