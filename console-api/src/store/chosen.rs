//! Which attacks are added up, for statements that look at several tables: what a filter leaves, or, where those are few, their
//! ids. Then the filter is asked once, and each table only for the rows of these attacks.

use super::{Store, StoreError, dialect::Dialect, searches::Found, statement::Statement, words::json};
use crate::query::Filter;
use std::sync::Arc;

pub(super) enum Chosen<'a> {
    By(&'a Filter, Arc<Found>),
    /// Ids, as JSON.
    These {
        ids: String,
        dialect: Dialect,
    },
}

/// So many attacks are few.
const FEW: u32 = 2000;

impl Store {
    pub(super) async fn chosen<'a>(&self, filter: &'a Filter) -> Result<Chosen<'a>, StoreError> {
        if filter.left_out().is_some() {
            return Ok(Chosen::By(filter, Arc::default()));
        }
        let found = Arc::new(self.find(filter).await?);
        let mut statement = Statement::new(IDS);
        statement.found = found.clone();
        statement.push_filter(filter).push(" limit ").bind(i64::from(FEW) + 1);
        let ids: Vec<(String,)> = statement.fetch_all(&self.reader).await?;
        if ids.len() > FEW as usize {
            return Ok(Chosen::By(filter, found));
        }
        let ids: Vec<String> = ids.into_iter().map(|(id,)| id).collect();
        Ok(Chosen::These { ids: json(&ids), dialect: self.dialect })
    }
}

impl Statement {
    /// A condition on `attacks a`.
    pub(super) fn push_chosen(&mut self, chosen: &Chosen<'_>) -> &mut Self {
        match chosen {
            Chosen::By(filter, found) => {
                self.found = found.clone();
                self.push_filter(filter)
            }
            Chosen::These { ids, dialect } => self.push("a.id ").push_among(*dialect, ids),
        }
    }

    /// A condition on what is counted by attack: `attack_id` names the column.
    pub(super) fn push_chosen_of(&mut self, attack_id: &'static str, chosen: &Chosen<'_>) -> &mut Self {
        let filter = match chosen {
            Chosen::By(filter, found) => {
                self.found = found.clone();
                filter
            }
            Chosen::These { ids, dialect } => {
                return self.push(attack_id).push(" ").push_among(*dialect, ids);
            }
        };
        self.push(attack_id);
        match filter.left_out() {
            // Next to all attacks: those few are looked up that are not meant.
            Some(left_out) => self.push(" not in (").push(IDS).push_filter(&left_out),
            None => self.push(" in (").push(IDS).push_filter(filter),
        };
        self.push(")")
    }

    /// Completes a condition: the column is one of the ids, which are JSON.
    pub(super) fn push_among(&mut self, dialect: Dialect, ids: &str) -> &mut Self {
        self.push_bound(ids, |bind| dialect.is_among(bind))
    }
}

const IDS: &str = "select a.id from attacks a where ";
