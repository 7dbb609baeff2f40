//! Time buckets: hits per attack and interval, so that time series do not read hits.

use crate::attack::BUCKET;
use crate::store::{
    Connection, StoreError,
    ingest::grouping::{HitCounts, NewHit},
    sql::bulk::{Insert, Query},
};
use shared::RequestId;
use std::collections::BTreeMap;

/// The start of the bucket of a time.
pub(crate) fn slot(at: i64) -> i64 {
    at - at.rem_euclid(BUCKET)
}

/// Counts new hits, each with the id of its attack.
pub(crate) async fn add(connection: &mut Connection, hits: &[(&str, &NewHit<'_>)]) -> Result<(), StoreError> {
    let mut slots: BTreeMap<(&str, i64), HitCounts> = BTreeMap::new();
    for (attack, hit) in hits {
        slots.entry((attack, slot(hit.at()))).or_default().count(hit);
    }
    let slots: Vec<_> = slots.into_iter().collect();
    let insert = Insert {
        into: "insert into attack_times (attack_id, slot, hits, blocked, suspicious)",
        columns: 5,
        after: "on conflict (attack_id, slot) do update set hits = attack_times.hits + excluded.hits, \
                blocked = attack_times.blocked + excluded.blocked, \
                suspicious = attack_times.suspicious + excluded.suspicious",
    };
    let bind = |query: Query, ((attack, slot), counts): &((&str, i64), HitCounts)| {
        let query = query.bind((*attack).to_owned()).bind(*slot);
        query.bind(counts.hits).bind(counts.blocked).bind(counts.suspicious)
    };
    Ok(insert.rows(connection, &slots, bind).await?)
}

/// Changes the counters for the hits of a request.
pub(crate) async fn change(
    connection: &mut Connection,
    id: RequestId,
    blocked: i64,
    suspicious: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "update attack_times set blocked = blocked + $2, suspicious = suspicious + $4 where exists (select 1 from hits h where h.request_id = $1 \
         and h.attack_id = attack_times.attack_id and h.at - h.at % $3 = attack_times.slot)",
    )
    .bind(id.to_string())
    .bind(blocked)
    .bind(BUCKET)
    .bind(suspicious)
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves the counters of one attack to another.
pub(crate) async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into attack_times (attack_id, slot, hits, blocked, suspicious) \
         select $2, slot, hits, blocked, suspicious from attack_times where attack_id = $1 \
         on conflict (attack_id, slot) do update set hits = attack_times.hits + excluded.hits, \
         blocked = attack_times.blocked + excluded.blocked, \
         suspicious = attack_times.suspicious + excluded.suspicious",
    )
    .bind(from)
    .bind(into)
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from attack_times where attack_id = $1").bind(from).execute(connection).await?;
    Ok(())
}
