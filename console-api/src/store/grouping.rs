//! Puts hits into attacks, and keeps the attacks' counters. What belongs together is said in [`crate::grouping`].

use super::{
    Connection, StoreError, address, requests,
    words::{Text, json, word},
};
use crate::grouping::{AttackKey, MAX_GAP};
use shared::{Hit, RecordedRequest};
use sqlx::FromRow;
use uuid::Uuid;

/// Stores a hit in the attack it belongs to. Says whether it was new: a request has one hit of a type, whoever tells of it.
pub(super) async fn record(
    connection: &mut Connection,
    request: &RecordedRequest,
    hit: &Hit,
) -> Result<bool, StoreError> {
    if is_known(connection, request, hit).await? {
        return Ok(false);
    }
    let at = request.at.as_millisecond();
    let attack = attack_at(connection, &AttackKey::of(request, hit), at).await?;
    insert(connection, request, hit, &attack).await?;
    let blocked = requests::is_held(connection, request.request_id).await?;
    extend(connection, &attack, at, blocked).await?;
    count_source(connection, &attack, request).await?;
    Ok(true)
}

async fn is_known(
    connection: &mut Connection,
    request: &RecordedRequest,
    hit: &Hit,
) -> Result<bool, StoreError> {
    let known = sqlx::query("select 1 from hits where request_id = $1 and type = $2")
        .bind(request.request_id.to_string())
        .bind(hit.attack_type.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(known.is_some())
}

/// The attack a hit at this time belongs to. It is made when there is none; two the hit joins become one, which keeps the
/// id people have known longer.
async fn attack_at(connection: &mut Connection, key: &AttackKey, at: i64) -> Result<String, StoreError> {
    let gap = i64::try_from(MAX_GAP.as_millis()).expect("an hour fits");
    let near: Vec<(String,)> = sqlx::query_as(
        "select id from attacks where key_hash = $1 and last_seen >= $2 and first_seen <= $3 order by id",
    )
    .bind(key.hash())
    .bind(at.saturating_sub(gap))
    .bind(at.saturating_add(gap))
    .fetch_all(&mut *connection)
    .await?;
    let mut near = near.into_iter().map(|(id,)| id);
    let Some(attack) = near.next() else { return open(connection, key, at).await };
    for other in near {
        merge(connection, &other, &attack).await?;
    }
    Ok(attack)
}

async fn open(connection: &mut Connection, key: &AttackKey, at: i64) -> Result<String, StoreError> {
    // Version 7 ids sort by when they were made: the smaller of two is the older attack.
    let id = Uuid::now_v7().to_string();
    sqlx::query(
        "insert into attacks (id, key_hash, type, point, parameter, host, path, first_seen, last_seen, hits, blocked) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8, 0, 0)",
    )
    .bind(&id)
    .bind(key.hash())
    .bind(key.attack_type.as_str())
    .bind(json(&key.point))
    .bind(Text::from(key.point.to_string().as_str()))
    .bind(Text::from(key.host.as_str()))
    .bind(Text::from(key.path.as_str()))
    .bind(at)
    .execute(connection)
    .await?;
    Ok(id)
}

async fn insert(
    connection: &mut Connection,
    request: &RecordedRequest,
    hit: &Hit,
    attack: &str,
) -> Result<(), StoreError> {
    let worst = hit.findings.first();
    sqlx::query(
        "insert into hits (id, request_id, type, attack_id, at, point, parameter, payload, severity, findings) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(hit.id.to_string())
    .bind(request.request_id.to_string())
    .bind(hit.attack_type.as_str())
    .bind(attack)
    .bind(request.at.as_millisecond())
    .bind(json(&hit.point))
    .bind(Text::from(hit.point.to_string().as_str()))
    .bind(worst.map(|finding| Text::from(finding.payload.as_str())))
    .bind(worst.map(|finding| word(&finding.severity)))
    .bind(json(&hit.findings))
    .execute(connection)
    .await?;
    Ok(())
}

async fn extend(connection: &mut Connection, attack: &str, at: i64, blocked: bool) -> Result<(), StoreError> {
    sqlx::query(
        "update attacks set hits = hits + 1, blocked = blocked + $3, \
         first_seen = case when first_seen < $2 then first_seen else $2 end, \
         last_seen = case when last_seen > $2 then last_seen else $2 end where id = $1",
    )
    .bind(attack)
    .bind(at)
    .bind(i64::from(blocked))
    .execute(connection)
    .await?;
    Ok(())
}

async fn count_source(
    connection: &mut Connection,
    attack: &str,
    request: &RecordedRequest,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into attack_sources (attack_id, ip, hits) values ($1, $2, 1) \
         on conflict (attack_id, ip) do update set hits = attack_sources.hits + 1",
    )
    .bind(attack)
    .bind(address::key(request.client_ip))
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(FromRow)]
struct Totals {
    first_seen: i64,
    last_seen: i64,
    hits: i64,
    blocked: i64,
}

/// Moves everything of one attack into another, and leaves a redirect behind.
async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    add_totals(connection, from, into).await?;
    move_parts(connection, from, into).await?;
    sqlx::query("delete from attacks where id = $1").bind(from).execute(&mut *connection).await?;
    sqlx::query("update attack_redirects set new_id = $2 where new_id = $1")
        .bind(from)
        .bind(into)
        .execute(&mut *connection)
        .await?;
    sqlx::query("insert into attack_redirects (old_id, new_id) values ($1, $2)")
        .bind(from)
        .bind(into)
        .execute(connection)
        .await?;
    Ok(())
}

async fn add_totals(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    let add: Totals =
        sqlx::query_as("select first_seen, last_seen, hits, blocked from attacks where id = $1")
            .bind(from)
            .fetch_one(&mut *connection)
            .await?;
    sqlx::query(
        "update attacks set hits = hits + $2, blocked = blocked + $3, \
         first_seen = case when first_seen < $4 then first_seen else $4 end, \
         last_seen = case when last_seen > $5 then last_seen else $5 end where id = $1",
    )
    .bind(into)
    .bind(add.hits)
    .bind(add.blocked)
    .bind(add.first_seen)
    .bind(add.last_seen)
    .execute(connection)
    .await?;
    Ok(())
}

async fn move_parts(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    sqlx::query("update hits set attack_id = $2 where attack_id = $1")
        .bind(from)
        .bind(into)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "insert into attack_sources (attack_id, ip, hits) select $2, ip, hits from attack_sources where attack_id = $1 \
         on conflict (attack_id, ip) do update set hits = attack_sources.hits + excluded.hits",
    )
    .bind(from)
    .bind(into)
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from attack_sources where attack_id = $1").bind(from).execute(connection).await?;
    Ok(())
}
