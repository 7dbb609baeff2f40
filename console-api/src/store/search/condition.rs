//! SQL conditions on the table `attacks a`, rendered from a plan.

use super::plan::{Direct, Plan, Related, ScanStrategy};
use crate::{
    attack::{AttackStatus, Marks},
    facet::Facet,
    query::{HitAction, Numbers, TimeRange},
    store::sql::{address, statement::Statement, text_codec::Text},
};

/// The attack `a` is suspicious, in the form of the index of these attacks.
const IS_SUSPICIOUS: &str = "a.hits - a.suspicious = 0";

/// SQL for the rows `t` of a table with several rows per attack. A condition on them follows.
pub(crate) struct Rows {
    pub(crate) of_all: &'static str,
    /// Only the rows of the attack `a`.
    pub(crate) of_one: &'static str,
}

const SOURCES: Rows =
    Rows { of_all: "attack_sources t where ", of_one: "attack_sources t where t.attack_id = a.id and " };
const STATUSES: Rows =
    Rows { of_all: "attack_statuses t where ", of_one: "attack_statuses t where t.attack_id = a.id and " };
const FACETS: Rows =
    Rows { of_all: "attack_facets t where ", of_one: "attack_facets t where t.attack_id = a.id and " };
const TERMS: Rows =
    Rows { of_all: "attack_terms t where ", of_one: "attack_terms t where t.attack_id = a.id and " };

/// The column of the hit `h`. Null: not known.
pub(crate) fn facet_column(facet: Facet) -> &'static str {
    match facet {
        Facet::Country => "h.country",
        Facet::Network => "h.network",
        Facet::UserAgent => "h.user_agent",
        Facet::HttpVersion => "h.http_version",
        Facet::Connector => "h.connector",
        Facet::Node => "h.node",
        Facet::Rule => "h.rule",
        Facet::Signature => "h.signature",
        Facet::Severity => "h.severity",
        Facet::Score => "cast(h.score as text)",
        Facet::SeenBy => "h.seen_by",
    }
}

impl Statement {
    pub(crate) fn push_plan(&mut self, plan: &Plan) -> &mut Self {
        match plan {
            Plan::All(plans) => self.push_list(plans, " and ", "true"),
            Plan::Any(plans) => self.push_list(plans, " or ", "false"),
            // A comparison with null does not hold, so its negation does.
            Plan::Not(plan) => self.push("not coalesce((").push_plan(plan).push("), false)"),
            Plan::Direct(condition) => self.push_direct(condition),
            Plan::Related(related, strategy) => self.push_related(related, strategy),
            Plan::Text(search, strategy) => self.push_search(search, strategy),
        }
    }

    fn push_list(&mut self, plans: &[Plan], between: &'static str, none: &'static str) -> &mut Self {
        let Some((first, others)) = plans.split_first() else { return self.push(none) };
        self.push("(").push_plan(first);
        for plan in others {
            self.push(between).push_plan(plan);
        }
        self.push(")")
    }

    fn push_direct(&mut self, condition: &Direct) -> &mut Self {
        match condition {
            Direct::Equal(column, text) => self.push(column).push(" = ").bind(text.clone()),
            Direct::Number(column, numbers) => self.push_numbers(column, *numbers),
            Direct::Time(column, range) => self.push_time_range(column, *range),
            Direct::Status(AttackStatus::Suspicious) => self.push(IS_SUSPICIOUS),
            Direct::Status(status) => self
                .push(
                    "case when a.hits = a.suspicious then 'suspicious' when a.blocked = 0 then 'monitoring' \
                     when a.blocked < a.hits - a.suspicious then 'partially_blocked' else 'blocked' end = ",
                )
                .bind(status.as_str()),
            Direct::Mark(Marks::None) => self.push("a.mark is null"),
            Direct::Mark(Marks::Only(mark)) => self.push("a.mark = ").bind(mark.as_str()),
            Direct::Mark(Marks::Any) | Direct::ActionOfHit(HitAction::Any) => self.push("true"),
            Direct::Request(id) => self
                .push("a.id in (select h.attack_id from hits h where h.request_id = ")
                .bind(id.to_string())
                .push(")"),
            Direct::EdgeRequest(id) => self
                .push(
                    "a.id in (select h.attack_id from requests r join hits h on h.request_id = r.request_id \
                     where r.edge_request_id = ",
                )
                .bind(Text::from(id.as_str()))
                .push(")"),
            Direct::Attack(id) => self
                .push("a.id in (")
                .bind(id.to_string())
                .push(", (select new_id from attack_redirects where old_id = ")
                .bind(id.to_string())
                .push("))"),
            Direct::RequestOfHit(id) => self
                .push("h.id in (select o.id from hits o where o.request_id = ")
                .bind(id.to_string())
                .push(")"),
            Direct::EdgeRequestOfHit(id) => self
                .push(
                    "h.id in (select o.id from requests r join hits o on o.request_id = r.request_id \
                     where r.edge_request_id = ",
                )
                .bind(Text::from(id.as_str()))
                .push(")"),
            Direct::SourceOfHit { first, last } => {
                self.push("(h.ip >= ").bind(address::key(*first));
                self.push(" and h.ip <= ").bind(address::key(*last)).push(")")
            }
            Direct::FacetOfHit(facet, Some(value)) => {
                self.push(facet_column(*facet)).push(" = ").bind(value.clone())
            }
            Direct::FacetOfHit(facet, None) => self.push(facet_column(*facet)).push(" is null"),
            Direct::ActionOfHit(HitAction::Blocked) => self.push("h.blocked = 1"),
            Direct::ActionOfHit(HitAction::Passed) => self.push("(h.blocked = 0 and h.suspicious = 0)"),
            Direct::ActionOfHit(HitAction::Suspicious) => self.push("h.suspicious = 1"),
            Direct::PayloadOfHit(search, lookup) => self.push_payload_of_hit(search, *lookup),
        }
    }

    fn push_related(&mut self, related: &Related, strategy: &ScanStrategy) -> &mut Self {
        let rows = match related {
            Related::Source { .. } => &SOURCES,
            Related::Status(_) => &STATUSES,
            Related::Facet(..) => &FACETS,
            Related::Term(_) => &TERMS,
        };
        self.push_rows(rows, strategy, &|statement: &mut Self| match related {
            Related::Source { first, last } => {
                statement.push("t.ip >= ").bind(address::key(*first));
                statement.push(" and t.ip <= ").bind(address::key(*last));
            }
            Related::Status(numbers) => {
                statement.push_numbers("t.status", *numbers);
            }
            Related::Facet(facet, value) => {
                statement.push("t.facet = ").bind(facet.name());
                statement.push(" and t.value = ").bind(value.clone());
            }
            Related::Term(term) => {
                statement.push("t.term_id = ").bind(term.id());
            }
        })
    }

    /// The attack has at least one row in another table that meets a condition.
    pub(crate) fn push_rows(
        &mut self,
        rows: &Rows,
        strategy: &ScanStrategy,
        condition: &dyn Fn(&mut Self),
    ) -> &mut Self {
        match strategy {
            ScanStrategy::Ids(ids) => self.push("a.id ").push_among(ids),
            ScanStrategy::PerAttack => {
                self.push("exists (select 1 from ").push(rows.of_one);
                condition(self);
                self.push(")")
            }
            ScanStrategy::Collect => {
                self.push("a.id in (select t.attack_id from ").push(rows.of_all);
                condition(self);
                self.push(")")
            }
            ScanStrategy::CollectUpTo(most) => {
                self.push("case when (select count(*) from (select 1 from ").push(rows.of_all);
                condition(self);
                self.push(" limit ").bind(most + 1).push(") some_rows) <= ").bind(*most).push(" then ");
                self.push_rows(rows, &ScanStrategy::Collect, condition).push(" else ");
                self.push_rows(rows, &ScanStrategy::PerAttack, condition).push(" end")
            }
        }
    }

    fn push_numbers(&mut self, column: &'static str, Numbers { from, to }: Numbers) -> &mut Self {
        let number = |number| i64::try_from(number).unwrap_or(i64::MAX);
        self.push("(").push(column).push(" >= ").bind(number(from));
        if let Some(to) = to {
            self.push(" and ").push(column).push(" <= ").bind(number(to));
        }
        self.push(")")
    }

    fn push_time_range(&mut self, column: &'static str, TimeRange { from, to }: TimeRange) -> &mut Self {
        self.push("(true");
        if let Some(from) = from {
            self.push(" and ").push(column).push(" >= ").bind(from.as_millisecond());
        }
        if let Some(to) = to {
            self.push(" and ").push(column).push(" < ").bind(to.as_millisecond());
        }
        self.push(")")
    }
}
