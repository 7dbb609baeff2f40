//! Sets of attacks for statements that read several tables: a plan, or the ids. Where a filter is
//! expensive, it is evaluated once, and each table is read only for the rows of these attacks.
//! Suspicious hits are counted only where the filter selects suspicious attacks. Where it has
//! conditions on hits, statements read the hits that meet them instead of counters by attack.

use crate::{
    query::Filter,
    store::{
        Store, StoreError,
        search::{
            plan::{HitLookup, Plan, SearchScope},
            text_search::Matches,
        },
        sql::{dialect::Dialect, statement::Statement, text_codec::json},
    },
};
use uuid::Uuid;

/// The attacks that match a filter, and the hits of them that count.
#[derive(Debug)]
pub(crate) struct AttackSet {
    members: Members,
    counts_suspicious: bool,
    /// The condition on hits, if some hits of the attacks are selected.
    hits: Option<Plan>,
}

#[derive(Debug)]
enum Members {
    Matching {
        plan: Plan,
        /// The excluded attacks, if the filter consists of negations only. The usual ones are in
        /// indexes of their own.
        excluded: Option<Plan>,
    },
    /// The attacks of these ids.
    These(IdSet),
    /// All attacks but these, which are far fewer.
    AllBut(IdSet),
}

/// Ids of attacks, as JSON.
#[derive(Debug)]
pub(crate) struct IdSet {
    json: String,
    dialect: Dialect,
}

/// This number of ids costs less than the cheapest filter.
const MAX_CHEAP_IDS: i64 = 2000;
/// This number of ids costs less than a second scan of related rows.
const MAX_IDS: i64 = 100_000;

impl Members {
    fn matching(filter: &Filter) -> Self {
        let excluded = filter.left_out().map(|excluded| Plan::new(&excluded, SearchScope::All));
        Self::Matching { plan: Plan::new(filter, SearchScope::All), excluded }
    }
}

impl Store {
    pub(crate) async fn attack_set(&self, filter: &Filter) -> Result<AttackSet, StoreError> {
        self.attack_set_within(filter, MAX_CHEAP_IDS).await
    }

    pub(crate) async fn attack_set_within(
        &self,
        filter: &Filter,
        max_cheap: i64,
    ) -> Result<AttackSet, StoreError> {
        let members = self.members(&filter.of_attacks(), max_cheap).await?;
        let hits = Plan::of_hits(filter, HitLookup::Collect);
        Ok(AttackSet { members, counts_suspicious: filter.selects_suspicious(), hits })
    }

    /// One attack, with all of its hits or those that match a filter.
    pub(crate) fn only_attack(&self, id: Uuid, filter: &Filter) -> AttackSet {
        let members = Members::These(self.ids(Some(json(&[id]))));
        AttackSet { members, counts_suspicious: true, hits: Plan::of_hits(filter, HitLookup::Each) }
    }

    async fn members(&self, filter: &Filter, max_cheap: i64) -> Result<Members, StoreError> {
        let plan = Plan::new(filter, SearchScope::All);
        let (plan, most) = if plan.reads_other_tables() {
            (plan, MAX_IDS)
        } else if filter.left_out().is_some() {
            return Ok(Members::matching(filter));
        } else {
            (Plan::new(filter, SearchScope::page(&Matches::default())), max_cheap)
        };
        let mut statement = Statement::new("select count(*), (select count(*) from attacks), ");
        statement.push(self.dialect.ids()).push(" from (select a.id as attack_id from attacks a where ");
        statement.push_plan(&plan).push(" limit ").bind(most + 1).push(") t");
        let (matching, all, ids): (i64, i64, Option<String>) = statement.fetch_tuple(&self.searcher).await?;
        if matching > most {
            return Ok(Members::matching(filter));
        }
        let ids = self.ids(ids);
        let others = all - matching;
        if matching <= max_cheap || matching < 3 * others {
            return Ok(Members::These(ids));
        }
        let mut statement = Statement::new("select ");
        statement
            .push(self.dialect.ids())
            .push(" from (select a.id as attack_id from attacks a where not (a.id ");
        statement.push_among(&ids).push(")) t");
        let (others,): (Option<String>,) = statement.fetch_tuple(&self.searcher).await?;
        Ok(Members::AllBut(self.ids(others)))
    }

    pub(crate) fn ids(&self, json: Option<String>) -> IdSet {
        IdSet { json: json.unwrap_or_else(|| "[]".to_owned()), dialect: self.dialect }
    }
}

impl AttackSet {
    /// Whether some hits of the attacks are selected: counters by attack count others, too.
    pub(crate) fn selects_hits(&self) -> bool {
        self.hits.is_some()
    }
}

impl Statement {
    /// The selected hits `h` of the attacks `a`: tables and a condition, which can be continued.
    pub(crate) fn push_selected_hits(&mut self, set: &AttackSet) -> &mut Self {
        self.push("hits h join attacks a on a.id = h.attack_id where ");
        self.push_attack_set_of("h.attack_id", set);
        if !set.counts_suspicious {
            self.push(" and h.suspicious = 0");
        }
        if let Some(hits) = &set.hits {
            self.push(" and ").push_plan(hits);
        }
        self
    }

    /// A condition on `attacks a`.
    pub(crate) fn push_attack_set(&mut self, set: &AttackSet) -> &mut Self {
        match &set.members {
            Members::Matching { plan, .. } => self.push_plan(plan),
            Members::These(_) | Members::AllBut(_) => self.push_attack_set_of("a.id", set),
        }
    }

    /// A condition on counters by attack: `attack_id` names the column.
    pub(crate) fn push_attack_set_of(&mut self, attack_id: &'static str, set: &AttackSet) -> &mut Self {
        match &set.members {
            Members::These(ids) => self.push(attack_id).push(" ").push_among(ids),
            Members::AllBut(ids) => self.push("not (").push(attack_id).push(" ").push_among(ids).push(")"),
            Members::Matching { excluded: Some(excluded), .. } => {
                self.push(attack_id).push(" not in (").push(IDS).push_plan(excluded).push(")")
            }
            Members::Matching { plan, excluded: None } => {
                self.push(attack_id).push(" in (").push(IDS).push_plan(plan).push(")")
            }
        }
    }

    /// The sum of the counted hits of the rows `alias` of a table of counters by attack.
    pub(crate) fn push_hits(&mut self, alias: &'static str, set: &AttackSet) -> &mut Self {
        self.push("cast(sum(").push(alias).push(".hits");
        if !set.counts_suspicious {
            self.push(" - ").push(alias).push(".suspicious");
        }
        self.push(") as bigint)")
    }

    /// Continues a condition: the row `alias` has counted hits.
    pub(crate) fn push_has_hits(&mut self, alias: &'static str, set: &AttackSet) -> &mut Self {
        if set.counts_suspicious {
            return self;
        }
        self.push(" and ").push(alias).push(".hits > ").push(alias).push(".suspicious")
    }

    /// Completes a condition: the column is one of the ids.
    pub(crate) fn push_among(&mut self, ids: &IdSet) -> &mut Self {
        self.push_bound(ids.json.as_str(), |bind| ids.dialect.is_among(bind))
    }
}

const IDS: &str = "select a.id from attacks a where ";
