//! Response statuses: hits per attack and status, so that statistics do not read hits.

use crate::store::{
    Connection, StoreError,
    ingest::grouping::{HitCounts, NewHit},
    sql::{
        bulk::{self, Insert, Query},
        dialect::Dialect,
    },
};
use shared::RequestId;
use std::collections::BTreeMap;

const ADD: &str = "on conflict (attack_id, status) do update set hits = attack_statuses.hits + excluded.hits, \
                   suspicious = attack_statuses.suspicious + excluded.suspicious";
/// The counters of hits with a status, bind `$2`. A condition on the hits `h` of the requests `r`
/// follows.
const COUNTED: &str = "insert into attack_statuses (attack_id, status, hits, suspicious) \
                       select h.attack_id, cast($2 as bigint), count(*), \
                       cast(sum(case when r.outcome = 'suspicious' then 1 else 0 end) as bigint) \
                       from hits h join requests r on r.request_id = h.request_id where h.request_id";

/// Counts new hits with a known response status, each with the id of its attack.
pub(crate) async fn add(connection: &mut Connection, hits: &[(&str, &NewHit<'_>)]) -> Result<(), StoreError> {
    let mut counts: BTreeMap<(&str, i64), HitCounts> = BTreeMap::new();
    for (attack, hit) in hits {
        if let Some(status) = hit.status {
            counts.entry((attack, status)).or_default().count(hit);
        }
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let insert = Insert {
        into: "insert into attack_statuses (attack_id, status, hits, suspicious)",
        columns: 4,
        after: ADD,
    };
    let bind = |query: Query, ((attack, status), counts): &((&str, i64), HitCounts)| {
        query.bind((*attack).to_owned()).bind(*status).bind(counts.hits).bind(counts.suspicious)
    };
    Ok(insert.rows(connection, &counts, bind).await?)
}

/// Counts the hits of requests for their first status.
pub(crate) async fn first_responses(
    connection: &mut Connection,
    ids: &[String],
    status: i64,
) -> Result<(), StoreError> {
    let add = format!("group by h.attack_id {ADD}");
    bulk::statement_among(Dialect::of(connection), COUNTED, ids, &add)
        .bind(status)
        .execute(connection)
        .await?;
    Ok(())
}

/// Counts the hits of a request for another status.
pub(crate) async fn change(
    connection: &mut Connection,
    id: RequestId,
    old: Option<i64>,
    new: i64,
) -> Result<(), StoreError> {
    if let Some(old) = old {
        // A request has at most one hit of a type, and an attack has one type.
        sqlx::query(
            "update attack_statuses set hits = hits - 1, suspicious = suspicious - \
             (select count(*) from requests where request_id = $1 and outcome = 'suspicious') where status = $2 \
             and attack_id in (select attack_id from hits where request_id = $1)",
        )
        .bind(id.to_string())
        .bind(old)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "delete from attack_statuses where status = $2 and hits <= 0 \
             and attack_id in (select attack_id from hits where request_id = $1)",
        )
        .bind(id.to_string())
        .bind(old)
        .execute(&mut *connection)
        .await?;
    }
    let more = format!("{COUNTED} = $1 group by h.attack_id {ADD}");
    sqlx::query(sqlx::AssertSqlSafe(more)).bind(id.to_string()).bind(new).execute(connection).await?;
    Ok(())
}

/// Counts the hits of a request as no longer suspicious.
pub(crate) async fn clear_suspicious(connection: &mut Connection, id: RequestId) -> Result<(), StoreError> {
    sqlx::query(
        "update attack_statuses set suspicious = suspicious - 1 \
         where status = (select response_status from requests where request_id = $1) \
         and attack_id in (select attack_id from hits where request_id = $1)",
    )
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves the counters of one attack to another.
pub(crate) async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    let moved = format!(
        "insert into attack_statuses (attack_id, status, hits, suspicious) \
         select $2, status, hits, suspicious from attack_statuses where attack_id = $1 {ADD}"
    );
    sqlx::query(sqlx::AssertSqlSafe(moved)).bind(from).bind(into).execute(&mut *connection).await?;
    sqlx::query("delete from attack_statuses where attack_id = $1").bind(from).execute(connection).await?;
    Ok(())
}
