//! Sources: hits per attack and source address, so that statistics do not read hits.

use crate::store::{
    Connection, StoreError,
    ingest::grouping::{HitCounts, NewHit},
    sql::{
        address,
        bulk::{Insert, Query},
    },
};
use shared::RequestId;
use std::{collections::BTreeMap, net::IpAddr};

/// Counts new hits, each with the id of its attack.
pub(crate) async fn add(connection: &mut Connection, hits: &[(&str, &NewHit<'_>)]) -> Result<(), StoreError> {
    let mut sources: BTreeMap<(&str, String), HitCounts> = BTreeMap::new();
    for (attack, hit) in hits {
        sources.entry((attack, address::key(hit.client_ip))).or_default().count(hit);
    }
    let sources: Vec<_> = sources.into_iter().collect();
    let insert = Insert {
        into: "insert into attack_sources (attack_id, ip, hits, blocked, suspicious)",
        columns: 5,
        after: "on conflict (attack_id, ip) do update set hits = attack_sources.hits + excluded.hits, \
                blocked = attack_sources.blocked + excluded.blocked, \
                suspicious = attack_sources.suspicious + excluded.suspicious",
    };
    let bind = |query: Query, ((attack, ip), counts): &((&str, String), HitCounts)| {
        let query = query.bind((*attack).to_owned()).bind(ip.clone());
        query.bind(counts.hits).bind(counts.blocked).bind(counts.suspicious)
    };
    Ok(insert.rows(connection, &sources, bind).await?)
}

/// Changes the counters for the hits of a request.
pub(crate) async fn change(
    connection: &mut Connection,
    (id, client_ip): (RequestId, IpAddr),
    blocked: i64,
    suspicious: i64,
) -> Result<(), StoreError> {
    sqlx::query(
        "update attack_sources set blocked = blocked + $3, suspicious = suspicious + $4 where ip = $2 \
         and attack_id in (select attack_id from hits where request_id = $1)",
    )
    .bind(id.to_string())
    .bind(address::key(client_ip))
    .bind(blocked)
    .bind(suspicious)
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves the counters of one attack to another.
pub(crate) async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into attack_sources (attack_id, ip, hits, blocked, suspicious) \
         select $2, ip, hits, blocked, suspicious from attack_sources where attack_id = $1 \
         on conflict (attack_id, ip) do update set hits = attack_sources.hits + excluded.hits, \
         blocked = attack_sources.blocked + excluded.blocked, \
         suspicious = attack_sources.suspicious + excluded.suspicious",
    )
    .bind(from)
    .bind(into)
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from attack_sources where attack_id = $1").bind(from).execute(connection).await?;
    Ok(())
}
