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
        into: "insert into attack_sources (attack_id, ip, hits, suspicious)",
        columns: 4,
        after: "on conflict (attack_id, ip) do update set hits = attack_sources.hits + excluded.hits, \
                suspicious = attack_sources.suspicious + excluded.suspicious",
    };
    let bind = |query: Query, ((attack, ip), counts): &((&str, String), HitCounts)| {
        query.bind((*attack).to_owned()).bind(ip.clone()).bind(counts.hits).bind(counts.suspicious)
    };
    Ok(insert.rows(connection, &sources, bind).await?)
}

/// Counts the hits of a request as no longer suspicious.
pub(crate) async fn clear_suspicious(
    connection: &mut Connection,
    id: RequestId,
    client_ip: IpAddr,
) -> Result<(), StoreError> {
    sqlx::query(
        "update attack_sources set suspicious = suspicious - 1 where ip = $2 \
         and attack_id in (select attack_id from hits where request_id = $1)",
    )
    .bind(id.to_string())
    .bind(address::key(client_ip))
    .execute(connection)
    .await?;
    Ok(())
}

/// Moves the counters of one attack to another.
pub(crate) async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into attack_sources (attack_id, ip, hits, suspicious) \
         select $2, ip, hits, suspicious from attack_sources where attack_id = $1 \
         on conflict (attack_id, ip) do update set hits = attack_sources.hits + excluded.hits, \
         suspicious = attack_sources.suspicious + excluded.suspicious",
    )
    .bind(from)
    .bind(into)
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from attack_sources where attack_id = $1").bind(from).execute(connection).await?;
    Ok(())
}
