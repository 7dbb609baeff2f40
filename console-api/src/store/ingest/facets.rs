//! Facets: hits per attack and value of a facet, so that statistics do not read hits.

use crate::facet::Facet;
use crate::store::{
    Connection, StoreError,
    ingest::grouping::{HitCounts, NewHit},
    sql::{
        bulk::{Insert, Query},
        text_codec::Text,
    },
};
use shared::RequestId;
use std::collections::BTreeMap;

const ADD: &str = "on conflict (attack_id, facet, value) do update set hits = attack_facets.hits + excluded.hits, \
     blocked = attack_facets.blocked + excluded.blocked, \
     suspicious = attack_facets.suspicious + excluded.suspicious";

/// The row of the hit `h` for the facet of the row.
const IS_OF_HIT: &str = "value = (select case attack_facets.facet when 'country' then coalesce(h.country, '') \
     when 'network' then coalesce(h.network, '') when 'user_agent' then coalesce(h.user_agent, '') \
     when 'http_version' then coalesce(h.http_version, '') when 'connector' then coalesce(h.connector, '') \
     when 'node' then coalesce(h.node, '') when 'rule' then coalesce(h.rule, '') \
     when 'signature' then coalesce(h.signature, '') when 'severity' then coalesce(h.severity, '') \
     when 'seen_by' then coalesce(h.seen_by, '') else coalesce(cast(h.score as text), '') end \
     from hits h where h.request_id = $1 and h.attack_id = attack_facets.attack_id)";

/// Counts new hits, each with the id of its attack.
pub(crate) async fn add(connection: &mut Connection, hits: &[(&str, &NewHit<'_>)]) -> Result<(), StoreError> {
    let mut values: BTreeMap<(&str, Facet, &str), HitCounts> = BTreeMap::new();
    for (attack, hit) in hits {
        for facet in Facet::ALL {
            let value = hit.facets.get(facet).unwrap_or_default();
            values.entry((attack, facet, value)).or_default().count(hit);
        }
    }
    let values: Vec<_> = values.into_iter().collect();
    let insert = Insert {
        into: "insert into attack_facets (attack_id, facet, value, hits, blocked, suspicious)",
        columns: 6,
        after: ADD,
    };
    let bind = |query: Query, ((attack, facet, value), counts): &((&str, Facet, &str), HitCounts)| {
        let query = query.bind((*attack).to_owned()).bind(facet.name()).bind(Text::from(*value));
        query.bind(counts.hits).bind(counts.blocked).bind(counts.suspicious)
    };
    Ok(insert.rows(connection, &values, bind).await?)
}

/// Changes the counters for the hits of a request.
pub(crate) async fn change(
    connection: &mut Connection,
    id: RequestId,
    blocked: i64,
    suspicious: i64,
) -> Result<(), StoreError> {
    let update = format!(
        "update attack_facets set blocked = blocked + $2, suspicious = suspicious + $3 \
         where attack_id in (select attack_id from hits where request_id = $1) and {IS_OF_HIT}"
    );
    sqlx::query(sqlx::AssertSqlSafe(update))
        .bind(id.to_string())
        .bind(blocked)
        .bind(suspicious)
        .execute(connection)
        .await?;
    Ok(())
}

/// Moves the hits of a request to another value of a facet with a column of its own.
pub(crate) async fn move_to(
    connection: &mut Connection,
    id: RequestId,
    facet: Facet,
    value: Option<&str>,
) -> Result<(), StoreError> {
    let name = facet.name();
    let of_request =
        format!("attack_id in (select attack_id from hits where request_id = $1) and facet = '{name}'");
    let of_hit = "from hits h where h.request_id = $1 and h.attack_id = attack_facets.attack_id";
    let take = format!(
        "update attack_facets set hits = hits - 1, blocked = blocked - (select h.blocked {of_hit}), \
         suspicious = suspicious - (select h.suspicious {of_hit}) where {of_request} and {IS_OF_HIT}"
    );
    let add = format!(
        "insert into attack_facets (attack_id, facet, value, hits, blocked, suspicious) \
         select attack_id, '{name}', coalesce({name}, ''), 1, blocked, suspicious from hits where request_id = $1 {ADD}"
    );
    let id = id.to_string();
    sqlx::query(sqlx::AssertSqlSafe(take)).bind(&id).execute(&mut *connection).await?;
    let update = format!("update hits set {name} = $2 where request_id = $1");
    sqlx::query(sqlx::AssertSqlSafe(update)).bind(&id).bind(value).execute(&mut *connection).await?;
    sqlx::query(sqlx::AssertSqlSafe(add)).bind(&id).execute(&mut *connection).await?;
    let unused = format!("delete from attack_facets where {of_request} and hits = 0");
    sqlx::query(sqlx::AssertSqlSafe(unused)).bind(&id).execute(connection).await?;
    Ok(())
}

/// Moves the counters of one attack to another.
pub(crate) async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    let moved = format!(
        "insert into attack_facets (attack_id, facet, value, hits, blocked, suspicious) \
         select $2, facet, value, hits, blocked, suspicious from attack_facets where attack_id = $1 {ADD}"
    );
    sqlx::query(sqlx::AssertSqlSafe(moved)).bind(from).bind(into).execute(&mut *connection).await?;
    sqlx::query("delete from attack_facets where attack_id = $1").bind(from).execute(connection).await?;
    Ok(())
}
