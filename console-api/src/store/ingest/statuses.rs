//! Response statuses: hits per attack and status, so that statistics do not read hits.

use crate::store::{
    Connection, StoreError,
    ingest::grouping::NewHit,
    sql::{
        bulk::{self, Insert, Query},
        dialect::Dialect,
    },
};
use shared::RequestId;
use std::collections::BTreeMap;

const ADD: &str = "on conflict (attack_id, status) do update set hits = attack_statuses.hits + excluded.hits";

/// Counts new hits with a known response status, each with the id of its attack.
pub(crate) async fn add(connection: &mut Connection, hits: &[(&str, &NewHit<'_>)]) -> Result<(), StoreError> {
    let mut counts: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    for (attack, hit) in hits {
        if let Some(status) = hit.status {
            *counts.entry((attack, status)).or_default() += 1;
        }
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let insert =
        Insert { into: "insert into attack_statuses (attack_id, status, hits)", columns: 3, after: ADD };
    let bind = |query: Query, ((attack, status), hits): &((&str, i64), i64)| {
        query.bind((*attack).to_owned()).bind(*status).bind(*hits)
    };
    Ok(insert.rows(connection, &counts, bind).await?)
}

/// Counts the hits of requests for their first status.
pub(crate) async fn first_answers(
    connection: &mut Connection,
    ids: &[String],
    status: i64,
) -> Result<(), StoreError> {
    let more = "insert into attack_statuses (attack_id, status, hits) \
                select attack_id, cast($2 as bigint), count(*) from hits where request_id";
    let add = format!("group by attack_id {ADD}");
    bulk::statement_among(Dialect::of(connection), more, ids, &add).bind(status).execute(connection).await?;
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
            "update attack_statuses set hits = hits - 1 where status = $2 \
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
    let more = format!(
        "insert into attack_statuses (attack_id, status, hits) \
         select attack_id, cast($2 as bigint), count(*) from hits where request_id = $1 group by attack_id {ADD}"
    );
    sqlx::query(sqlx::AssertSqlSafe(more)).bind(id.to_string()).bind(new).execute(connection).await?;
    Ok(())
}

/// Moves the counters of one attack to another.
pub(crate) async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    let moved = format!(
        "insert into attack_statuses (attack_id, status, hits) \
         select $2, status, hits from attack_statuses where attack_id = $1 {ADD}"
    );
    sqlx::query(sqlx::AssertSqlSafe(moved)).bind(from).bind(into).execute(&mut *connection).await?;
    sqlx::query("delete from attack_statuses where attack_id = $1").bind(from).execute(connection).await?;
    Ok(())
}
