//! Which attacks are added up, for statements that strategy at several tables: what a filter leaves, or their ids, where it costs
//! something to find out. Then the filter is asked once, and each table only for the rows of these attacks.

use crate::query::Filter;
use crate::store::{
    Store, StoreError,
    search::filter::{SearchScope, looks_up},
    sql::{dialect::Dialect, statement::Statement},
};

pub(crate) enum AttackSet<'a> {
    By(&'a Filter),
    These(IdSet),
    /// Where the others are far fewer.
    AllBut(IdSet),
}

/// IdSet of attacks, as JSON.
#[derive(Debug)]
pub(crate) struct IdSet {
    json: String,
    dialect: Dialect,
}

/// IdSet of so many attacks cost less than the plainest filter.
const FEW: i64 = 2000;
/// IdSet of so many cost less than to strategy them up again.
const MANY: i64 = 100_000;

impl Store {
    pub(crate) async fn attack_set<'a>(&self, filter: &'a Filter) -> Result<AttackSet<'a>, StoreError> {
        self.attack_set_within(filter, FEW).await
    }

    pub(crate) async fn attack_set_within<'a>(
        &self,
        filter: &'a Filter,
        few: i64,
    ) -> Result<AttackSet<'a>, StoreError> {
        let (scope, most) = if looks_up(filter) {
            (SearchScope::All, MANY)
        } else if filter.left_out().is_some() {
            return Ok(AttackSet::By(filter));
        } else {
            (SearchScope::Page, few)
        };
        let mut statement = Statement::scoped(scope, "select count(*), (select count(*) from attacks), ");
        statement.push(self.dialect.ids()).push(" from (select a.id as attack_id from attacks a where ");
        statement.push_filter(filter).push(" limit ").bind(most + 1).push(") t");
        let (chosen, all, ids): (i64, i64, Option<String>) = statement.fetch_one(&self.reader).await?;
        if chosen > most {
            return Ok(AttackSet::By(filter));
        }
        let chosen_ids = self.ids(ids);
        let others = all - chosen;
        if chosen <= few || chosen < 3 * others {
            return Ok(AttackSet::These(chosen_ids));
        }
        let mut statement = Statement::new("select ");
        statement
            .push(self.dialect.ids())
            .push(" from (select a.id as attack_id from attacks a where not (a.id ");
        statement.push_among(&chosen_ids).push(")) t");
        let (ids,): (Option<String>,) = statement.fetch_one(&self.reader).await?;
        Ok(AttackSet::AllBut(self.ids(ids)))
    }

    pub(crate) fn ids(&self, json: Option<String>) -> IdSet {
        IdSet { json: json.unwrap_or_else(|| "[]".to_owned()), dialect: self.dialect }
    }
}

impl Statement {
    /// A condition on `attacks a`.
    pub(crate) fn push_attack_set(&mut self, chosen: &AttackSet<'_>) -> &mut Self {
        match chosen {
            AttackSet::By(filter) => self.push_filter(filter),
            AttackSet::These(_) | AttackSet::AllBut(_) => self.push_attack_set_of("a.id", chosen),
        }
    }

    /// A condition on what is counted by attack: `attack_id` names the column.
    pub(crate) fn push_attack_set_of(
        &mut self,
        attack_id: &'static str,
        chosen: &AttackSet<'_>,
    ) -> &mut Self {
        match chosen {
            AttackSet::These(ids) => self.push(attack_id).push(" ").push_among(ids),
            AttackSet::AllBut(ids) => self.push("not (").push(attack_id).push(" ").push_among(ids).push(")"),
            AttackSet::By(filter) => {
                self.push(attack_id);
                match filter.left_out() {
                    // Next to all attacks: those few are looked up that are not meant.
                    Some(left_out) => self.push(" not in (").push(IDS).push_filter(&left_out),
                    None => self.push(" in (").push(IDS).push_filter(filter),
                };
                self.push(")")
            }
        }
    }

    /// Completes a condition: the column is one of the ids.
    pub(crate) fn push_among(&mut self, ids: &IdSet) -> &mut Self {
        self.push_bound(ids.json.as_str(), |bind| ids.dialect.is_among(bind))
    }
}

const IDS: &str = "select a.id from attacks a where ";
