//! Retention: deletes attacks, with all of their hits, by age and by number of hits.

use crate::store::{
    Connection, Store, StoreError,
    search::terms,
    sql::{bulk::among, text_codec::json},
};
use jiff::Timestamp;
use sqlx::AssertSqlSafe;

/// Attacks deleted per transaction: ingest waits for it.
const AT_ONCE: i64 = 100;

impl Store {
    /// Deletes attacks last seen before a time, and older reports of requests that were not
    /// inspected. Returns the number of deleted hits.
    pub async fn delete_before(&self, time: Timestamp) -> Result<u64, StoreError> {
        sqlx::query("delete from not_inspected where at < $1")
            .bind(time.as_millisecond())
            .execute(&self.writer)
            .await?;
        let mut deleted = 0;
        loop {
            let oldest = self.oldest(time.as_millisecond()).await?;
            if oldest.is_empty() {
                return Ok(deleted);
            }
            deleted += self.delete_attacks(oldest.into_iter().map(|(id, _)| id).collect()).await?;
        }
    }

    /// Deletes the oldest attacks until at most this number of hits is left. Returns the number of
    /// deleted hits.
    pub async fn delete_beyond(&self, hits: u64) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            let (total,): (i64,) =
                sqlx::query_as("select cast(coalesce(sum(hits), 0) as bigint) from attacks")
                    .fetch_one(&self.reader)
                    .await?;
            let mut excess = total - i64::try_from(hits).unwrap_or(i64::MAX);
            let mut ids = Vec::new();
            for (id, hits) in self.oldest(i64::MAX).await? {
                if excess > 0 {
                    excess -= hits;
                    ids.push(id);
                }
            }
            if ids.is_empty() {
                return Ok(deleted);
            }
            deleted += self.delete_attacks(ids).await?;
        }
    }

    /// Attacks last seen before a time, the oldest first, with their number of hits.
    async fn oldest(&self, before: i64) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = sqlx::query_as(
            "select id, hits from attacks where last_seen < $1 order by last_seen, id limit $2",
        );
        Ok(rows.bind(before).bind(AT_ONCE).fetch_all(&self.reader).await?)
    }

    async fn delete_attacks(&self, attacks: Vec<String>) -> Result<u64, StoreError> {
        let mut transaction = self.begin_ingest().await?;
        let requests: Vec<(String,)> =
            among(self.dialect, "select distinct request_id from hits where attack_id", &attacks)
                .fetch_all(&mut *transaction)
                .await?;
        let requests: Vec<String> = requests.into_iter().map(|(id,)| id).collect();
        let hits = self.delete(&mut transaction, "hits where attack_id", &attacks).await?;
        self.delete(&mut transaction, "attack_sources where attack_id", &attacks).await?;
        self.delete(&mut transaction, "attack_times where attack_id", &attacks).await?;
        self.delete(&mut transaction, "attack_statuses where attack_id", &attacks).await?;
        self.delete(&mut transaction, "attack_facets where attack_id", &attacks).await?;
        terms::delete(&mut transaction, &attacks).await?;
        self.delete(&mut transaction, "attack_redirects where new_id", &attacks).await?;
        self.delete(&mut transaction, "attacks where id", &attacks).await?;
        let unused = "requests where not exists (select 1 from hits h where h.request_id = requests.request_id) \
                    and request_id";
        self.delete(&mut transaction, unused, &requests).await?;
        transaction.commit().await?;
        Ok(hits)
    }

    async fn delete(
        &self,
        connection: &mut Connection,
        rows: &'static str,
        values: &[String],
    ) -> Result<u64, StoreError> {
        let statement = format!("delete from {rows} {}", self.dialect.is_among(1));
        let result = sqlx::query(AssertSqlSafe(statement)).bind(json(&values)).execute(connection).await?;
        Ok(result.rows_affected())
    }
}
