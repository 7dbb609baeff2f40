//! Which attacks are added up, for statements that look at several tables: what a filter leaves, or their ids, where it costs
//! something to find out. Then the filter is asked once, and each table only for the rows of these attacks.

use super::{
    Store, StoreError,
    dialect::Dialect,
    filter::{Reach, looks_up},
    statement::Statement,
};
use crate::query::Filter;

pub(super) enum Chosen<'a> {
    By(&'a Filter),
    These(Ids),
    /// Where the others are far fewer.
    AllBut(Ids),
}

/// Ids of attacks, as JSON.
#[derive(Debug)]
pub(super) struct Ids {
    json: String,
    dialect: Dialect,
}

/// Ids of so many attacks cost less than the plainest filter.
const FEW: i64 = 2000;
/// Ids of so many cost less than to look them up again.
const MANY: i64 = 100_000;

impl Store {
    pub(super) async fn chosen<'a>(&self, filter: &'a Filter) -> Result<Chosen<'a>, StoreError> {
        self.chosen_beyond(filter, FEW).await
    }

    pub(super) async fn chosen_beyond<'a>(
        &self,
        filter: &'a Filter,
        few: i64,
    ) -> Result<Chosen<'a>, StoreError> {
        let (reach, most) = if looks_up(filter) {
            (Reach::All, MANY)
        } else if filter.left_out().is_some() {
            return Ok(Chosen::By(filter));
        } else {
            (Reach::Page, few)
        };
        let mut statement = Statement::reaching(reach, "select count(*), (select count(*) from attacks), ");
        statement.push(self.dialect.ids()).push(" from (select a.id as attack_id from attacks a where ");
        statement.push_filter(filter).push(" limit ").bind(most + 1).push(") t");
        let (chosen, all, ids): (i64, i64, Option<String>) = statement.fetch_one(&self.reader).await?;
        if chosen > most {
            return Ok(Chosen::By(filter));
        }
        let chosen_ids = self.ids(ids);
        let others = all - chosen;
        if chosen <= few || chosen < 3 * others {
            return Ok(Chosen::These(chosen_ids));
        }
        let mut statement = Statement::new("select ");
        statement
            .push(self.dialect.ids())
            .push(" from (select a.id as attack_id from attacks a where not (a.id ");
        statement.push_among(&chosen_ids).push(")) t");
        let (ids,): (Option<String>,) = statement.fetch_one(&self.reader).await?;
        Ok(Chosen::AllBut(self.ids(ids)))
    }

    pub(super) fn ids(&self, json: Option<String>) -> Ids {
        Ids { json: json.unwrap_or_else(|| "[]".to_owned()), dialect: self.dialect }
    }
}

impl Statement {
    /// A condition on `attacks a`.
    pub(super) fn push_chosen(&mut self, chosen: &Chosen<'_>) -> &mut Self {
        match chosen {
            Chosen::By(filter) => self.push_filter(filter),
            Chosen::These(_) | Chosen::AllBut(_) => self.push_chosen_of("a.id", chosen),
        }
    }

    /// A condition on what is counted by attack: `attack_id` names the column.
    pub(super) fn push_chosen_of(&mut self, attack_id: &'static str, chosen: &Chosen<'_>) -> &mut Self {
        match chosen {
            Chosen::These(ids) => self.push(attack_id).push(" ").push_among(ids),
            Chosen::AllBut(ids) => self.push("not (").push(attack_id).push(" ").push_among(ids).push(")"),
            Chosen::By(filter) => {
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
    pub(super) fn push_among(&mut self, ids: &Ids) -> &mut Self {
        self.push_bound(ids.json.as_str(), |bind| ids.dialect.is_among(bind))
    }
}

const IDS: &str = "select a.id from attacks a where ";
