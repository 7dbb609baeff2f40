//! Search planning: from a filter on attacks to a plan with a scan strategy for each condition on
//! other tables. Statements render plans and decide nothing.

use crate::{
    attack::{AttackStatus, Marks},
    facet::Facet,
    query::{Condition, Field, Filter, HitAction, Numbers, Pattern, TimeRange},
    store::{
        search::{
            id_set::IdSet,
            terms::{self, Term},
            text_search::{Matches, TextSearch},
        },
        sql::text_codec::Text,
    },
};
use shared::RequestId;
use std::{net::IpAddr, sync::Arc};
use uuid::Uuid;

/// The attacks that a statement reads. The scope decides how rows of other tables are found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SearchScope<'m> {
    /// The attacks of known ids.
    Few,
    /// The first ones in some order, until a page is full.
    Page {
        /// The matches of the text searches, looked up before.
        matches: &'m Matches,
        /// The maximum number of related rows that one scan collects.
        max_scanned_rows: i64,
    },
    /// All of them.
    All,
    /// The hits `h` of attacks `a`: conditions on hits hold for the hit itself.
    Hits(HitLookup),
}

/// How the payloads of hits are compared with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HitLookup {
    /// The payload of each hit is looked up: for a few hits, or until the first match.
    Each,
    /// The matching payloads are collected with one scan of their texts.
    Collect,
}

/// The number of sources of the attack `a`, as SQL.
pub(crate) const SOURCE_COUNT: &str = "(select count(*) from attack_sources s where s.attack_id = a.id)";
/// The maximum number of related rows that are collected for a page.
const MAX_SCANNED_ROWS: i64 = 30_000;

impl<'m> SearchScope<'m> {
    pub(crate) fn page(matches: &'m Matches) -> Self {
        Self::Page { matches, max_scanned_rows: MAX_SCANNED_ROWS }
    }
}

/// How the rows of another table that belong to attacks are found.
#[derive(Debug)]
pub(crate) enum ScanStrategy {
    /// Looks up the rows of each attack. If many attacks have one, they soon fill a page.
    PerAttack,
    /// Collects the ids of attacks with one scan of the table.
    Collect,
    /// As `Collect` if at most this number of rows match, else as `PerAttack`: the database counts
    /// first.
    CollectUpTo(i64),
    /// The ids are known.
    Ids(Arc<IdSet>),
}

/// A condition on attacks.
#[derive(Debug)]
pub(crate) enum Plan {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Direct(Direct),
    Related(Related, ScanStrategy),
    Text(TextSearch, ScanStrategy),
}

/// A condition on columns and keys of the attack. Columns are SQL.
#[derive(Debug)]
pub(crate) enum Direct {
    Equal(&'static str, Text),
    Number(&'static str, Numbers),
    Time(&'static str, TimeRange),
    Status(AttackStatus),
    Mark(Marks),
    Request(RequestId),
    EdgeRequest(String),
    Attack(Uuid),
    /// The request of the hit `h`.
    RequestOfHit(RequestId),
    EdgeRequestOfHit(String),
    SourceOfHit {
        first: IpAddr,
        last: IpAddr,
    },
    FacetOfHit(Facet, Option<Text>),
    ActionOfHit(HitAction),
    PayloadOfHit(TextSearch, HitLookup),
}

/// A condition on a table with several rows per attack: at least one row meets it.
#[derive(Debug)]
pub(crate) enum Related {
    Source {
        first: IpAddr,
        last: IpAddr,
    },
    Status(Numbers),
    Term(Term),
    /// Empty: not known.
    Facet(Facet, Text),
}

/// At least one.
const SOME: Numbers = Numbers { from: 1, to: None };

impl Plan {
    pub(crate) fn new(filter: &Filter, scope: SearchScope<'_>) -> Self {
        let all = |filters: &[Filter]| filters.iter().map(|filter| Self::new(filter, scope)).collect();
        match filter {
            Filter::All(filters) => Self::All(all(filters)),
            Filter::Any(filters) => Self::Any(all(filters)),
            Filter::Not(filter) => Self::Not(Box::new(Self::new(filter, scope))),
            Filter::Condition(condition) => Self::of(condition, scope),
        }
    }

    /// The condition of a filter on the hits `h` of attacks `a`: `None` if it selects all hits.
    pub(crate) fn of_hits(filter: &Filter, lookup: HitLookup) -> Option<Self> {
        Some(Self::new(&filter.of_hits()?, SearchScope::Hits(lookup)))
    }

    fn of(condition: &Condition, scope: SearchScope<'_>) -> Self {
        if let SearchScope::Hits(lookup) = scope
            && let Some(plan) = Self::of_hit(condition, lookup)
        {
            return plan;
        }
        match condition {
            Condition::Type(attack_type) => Self::equal("a.type", Field::Type, attack_type.as_str(), scope),
            Condition::Host(pattern) => Self::field("a.host", Field::Host, pattern, scope),
            Condition::Path(pattern) => Self::field("a.path", Field::Path, pattern, scope),
            Condition::Parameter(pattern) => Self::field("a.parameter", Field::Parameter, pattern, scope),
            Condition::Payload(pattern) => Self::text(TextSearch::payload(pattern), scope),
            Condition::Anywhere(pattern) => Self::anywhere(pattern, scope),
            Condition::Ip(addresses) => {
                let (first, last) = addresses.bounds();
                Self::related(Related::Source { first, last }, scope)
            }
            Condition::Facet(facet, value) => {
                let value = Text::from(value.as_deref().unwrap_or_default());
                Self::related(Related::Facet(*facet, value), scope)
            }
            Condition::Method(method) => {
                Self::related(Related::Term(Term::new(Field::Method, method)), scope)
            }
            Condition::Response(numbers) => Self::related(Related::Status(*numbers), scope),
            Condition::Status(status) => Self::Direct(Direct::Status(*status)),
            Condition::Hits(numbers) => Self::Direct(Direct::Number("a.hits", *numbers)),
            Condition::Blocked(numbers) => Self::Direct(Direct::Number("a.blocked", *numbers)),
            Condition::Sources(numbers) => Self::Direct(Direct::Number(SOURCE_COUNT, *numbers)),
            Condition::FirstSeen(range) => Self::Direct(Direct::Time("a.first_seen", *range)),
            Condition::LastSeen(range) => Self::Direct(Direct::Time("a.last_seen", *range)),
            Condition::Mark(marks) => Self::Direct(Direct::Mark(*marks)),
            Condition::RequestId(id) => Self::Direct(Direct::Request(*id)),
            Condition::EdgeRequestId(id) => Self::Direct(Direct::EdgeRequest(id.clone())),
            Condition::Attack(id) => Self::Direct(Direct::Attack(*id)),
            // Every attack with such a hit counts it: without one, no hit is read.
            Condition::Action(HitAction::Blocked) => Self::Direct(Direct::Number("a.blocked", SOME)),
            Condition::Action(HitAction::Suspicious) => Self::Direct(Direct::Number("a.suspicious", SOME)),
            // Conditions on hits only.
            Condition::Score(_) | Condition::Action(_) | Condition::At(_) => Self::All(Vec::new()),
        }
    }

    /// A condition on the hit `h`.
    fn of_hit(condition: &Condition, lookup: HitLookup) -> Option<Self> {
        Some(Self::Direct(match condition {
            Condition::Payload(pattern) => Direct::PayloadOfHit(TextSearch::payload(pattern), lookup),
            Condition::Ip(addresses) => {
                let (first, last) = addresses.bounds();
                Direct::SourceOfHit { first, last }
            }
            Condition::Facet(facet, value) => Direct::FacetOfHit(*facet, value.as_deref().map(Text::from)),
            Condition::Score(numbers) => Direct::Number("h.score", *numbers),
            Condition::Action(action) => Direct::ActionOfHit(*action),
            Condition::Method(method) => Direct::Equal("h.method", terms::method(method)),
            Condition::Response(numbers) => Direct::Number("h.status", *numbers),
            Condition::At(range) => Direct::Time("h.at", *range),
            Condition::RequestId(id) => Direct::RequestOfHit(*id),
            Condition::EdgeRequestId(id) => Direct::EdgeRequestOfHit(id.clone()),
            Condition::Anywhere(pattern) => return Some(Self::anywhere_in_hit(pattern, lookup)),
            _ => return None,
        }))
    }

    fn anywhere_in_hit(pattern: &Pattern, lookup: HitLookup) -> Self {
        let strategy = match lookup {
            HitLookup::Each => ScanStrategy::PerAttack,
            HitLookup::Collect => ScanStrategy::Collect,
        };
        let mut plans = vec![
            Self::Text(TextSearch::anywhere_in_attack(pattern), strategy),
            Self::Direct(Direct::PayloadOfHit(TextSearch::payload_part(pattern), lookup)),
        ];
        if let Some(text) = pattern.as_text() {
            if let Ok(id) = text.parse() {
                plans.push(Self::Direct(Direct::RequestOfHit(id)));
            }
            plans.push(Self::Direct(Direct::EdgeRequestOfHit(text.to_owned())));
        }
        Self::Any(plans)
    }

    fn field(column: &'static str, field: Field, pattern: &Pattern, scope: SearchScope<'_>) -> Self {
        match pattern.as_text() {
            Some(text) => Self::equal(column, field, text, scope),
            None => Self::text(TextSearch::field(field, pattern), scope),
        }
    }

    /// A column equals a text. For a page, attacks without the term are skipped where the term is
    /// rare.
    fn equal(column: &'static str, field: Field, text: &str, scope: SearchScope<'_>) -> Self {
        let direct = Self::Direct(Direct::Equal(column, Text::from(text)));
        if let SearchScope::Page { .. } = scope {
            let term = Related::Term(Term::new(field, text));
            return Self::All(vec![Self::related(term, scope), direct]);
        }
        direct
    }

    fn anywhere(pattern: &Pattern, scope: SearchScope<'_>) -> Self {
        let mut plans = vec![Self::text(TextSearch::anywhere(pattern), scope)];
        if let Some(text) = pattern.as_text() {
            if let Ok(id) = text.parse() {
                plans.push(Self::Direct(Direct::Request(id)));
            }
            plans.push(Self::Direct(Direct::EdgeRequest(text.to_owned())));
        }
        Self::Any(plans)
    }

    fn related(related: Related, scope: SearchScope<'_>) -> Self {
        let strategy = match scope {
            SearchScope::Few => ScanStrategy::PerAttack,
            SearchScope::Page { max_scanned_rows, .. } => ScanStrategy::CollectUpTo(max_scanned_rows),
            SearchScope::All | SearchScope::Hits(_) => ScanStrategy::Collect,
        };
        Self::Related(related, strategy)
    }

    fn text(search: TextSearch, scope: SearchScope<'_>) -> Self {
        let strategy = match scope {
            SearchScope::Page { matches, .. } => {
                matches.ids_of(&search).map_or(ScanStrategy::PerAttack, ScanStrategy::Ids)
            }
            SearchScope::Few | SearchScope::Hits(HitLookup::Each) => ScanStrategy::PerAttack,
            SearchScope::All | SearchScope::Hits(HitLookup::Collect) => ScanStrategy::Collect,
        };
        Self::Text(search, strategy)
    }

    /// The text searches, in their order.
    pub(crate) fn into_searches(self) -> Vec<TextSearch> {
        match self {
            Self::All(plans) | Self::Any(plans) => plans.into_iter().flat_map(Self::into_searches).collect(),
            Self::Not(plan) => plan.into_searches(),
            Self::Text(search, _) => vec![search],
            Self::Direct(_) | Self::Related(..) => Vec::new(),
        }
    }

    /// Whether conditions read tables with several rows per attack.
    pub(crate) fn reads_other_tables(&self) -> bool {
        match self {
            Self::All(plans) | Self::Any(plans) => plans.iter().any(Self::reads_other_tables),
            Self::Not(plan) => plan.reads_other_tables(),
            Self::Direct(_) => false,
            Self::Related(..) | Self::Text(..) => true,
        }
    }
}
