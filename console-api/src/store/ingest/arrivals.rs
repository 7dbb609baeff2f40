//! Arrivals: the order in which hits are stored. Nodes deliver some hits late, so that their times and
//! ids do not tell which hits are new.

use crate::store::{
    Connection, Store, StoreError,
    attacks::{self, hits},
    search::plan::{HitLookup, Plan, SearchScope},
    sql::statement::Statement,
};
use crate::{attack::Attack, hit::RecordedHit, query::Filter};
use std::ops::Range;

/// The number of a new batch of hits. Transactions that store hits run one after another: a batch with
/// a greater number is committed later.
pub(super) async fn next(connection: &mut Connection) -> Result<i64, StoreError> {
    let number = sqlx::query_scalar(
        "insert into arrivals (one, number) values (1, 1) \
         on conflict (one) do update set number = arrivals.number + 1 returning number",
    );
    Ok(number.fetch_one(connection).await?)
}

/// The batches after `start`, up to `end`.
type Arrivals = Range<i64>;

impl Statement {
    /// A condition on hits.
    fn push_arrived(&mut self, column: &'static str, arrivals: &Arrivals) -> &mut Self {
        self.push(column).push(" > ").bind(arrivals.start);
        self.push(" and ").push(column).push(" <= ").bind(arrivals.end)
    }

    /// Further conditions on the hits `h`.
    fn push_reported(&mut self, filter: &Filter) -> &mut Self {
        if !filter.selects_suspicious() {
            self.push(" and h.suspicious = 0");
        }
        match Plan::of_hits(filter, HitLookup::Each) {
            Some(hits) => self.push(" and ").push_plan(&hits),
            None => self,
        }
    }
}

impl Store {
    /// The number of the last batch of hits.
    pub async fn last_arrival(&self) -> Result<i64, StoreError> {
        let number = sqlx::query_scalar("select number from arrivals where one = 1");
        Ok(number.fetch_optional(&self.reader).await?.unwrap_or_default())
    }

    /// The latest of the hits of some batches that match a filter, the first to arrive first.
    pub async fn arrived_hits(
        &self,
        filter: &Filter,
        arrivals: Arrivals,
        limit: u32,
    ) -> Result<Vec<RecordedHit>, StoreError> {
        let of_attacks = filter.of_attacks();
        let mut statement = hits::select();
        statement.push("h.id in (select h.id from hits h cross join attacks a where a.id = h.attack_id and ");
        statement.push_arrived("h.arrival", &arrivals).push_reported(filter);
        statement.push(" and ").push_plan(&Plan::new(&of_attacks, SearchScope::Few));
        statement.push(" order by h.arrival desc, h.id desc limit ").bind(i64::from(limit));
        statement.push(") order by h.arrival, h.id");
        statement.fetch_all(&self.searcher).await
    }

    /// The latest of the attacks that match a filter and got hits in some batches, the latest seen last.
    pub async fn arrived_attacks(
        &self,
        filter: &Filter,
        arrivals: Arrivals,
        limit: u32,
    ) -> Result<Vec<Attack>, StoreError> {
        let mut statement = attacks::select();
        statement.push("a.id in (select n.attack_id from hits n where ");
        statement.push_arrived("n.arrival", &arrivals);
        statement.push(") and exists (select 1 from hits h where h.attack_id = a.id and ");
        statement.push_arrived("h.arrival", &arrivals).push_reported(filter).push(") and ");
        statement.push_plan(&Plan::new(&filter.of_attacks(), SearchScope::Few));
        statement.push(" order by a.last_seen desc, a.id desc limit ").bind(i64::from(limit));
        let mut attacks = statement.fetch_all(&self.searcher).await?;
        attacks.reverse();
        self.counted(&self.searcher, attacks, Plan::of_hits(filter, HitLookup::Each).as_ref()).await
    }
}
