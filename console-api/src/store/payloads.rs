//! The different payloads of an attack, in lower case, so that words are looked for in few texts: most hits of an attack try
//! what others tried.

use super::{
    Connection, StoreError,
    bulk::{Insert, Query},
    grouping::NewHit,
    words::Text,
};
use shared::Finding;
use std::collections::BTreeSet;

/// Keeps the payloads of new hits, each with the id of its attack.
pub(super) async fn add(connection: &mut Connection, hits: &[(&str, &NewHit<'_>)]) -> Result<(), StoreError> {
    let payload = |(attack, new): &(&'_ str, &NewHit<'_>)| {
        let payload = &new.hit.findings.first()?.payload;
        // What nodes send is no longer, and an index of PostgreSQL's takes no more than a few times this.
        let bounded: String = payload.chars().take(Finding::PAYLOAD_CHARS).collect();
        Some(((*attack).to_owned(), bounded.to_lowercase()))
    };
    let payloads: BTreeSet<(String, String)> = hits.iter().filter_map(payload).collect();
    let payloads: Vec<_> = payloads.into_iter().collect();
    let insert = Insert {
        into: "insert into attack_payloads (attack_id, payload)",
        columns: 2,
        after: "on conflict (attack_id, payload) do nothing",
    };
    let bind = |query: Query, (attack, payload): &(String, String)| {
        query.bind(attack.clone()).bind(Text::from(payload.as_str()))
    };
    Ok(insert.rows(connection, &payloads, bind).await?)
}

/// Moves the payloads of one attack to another.
pub(super) async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into attack_payloads (attack_id, payload) select $2, payload from attack_payloads where attack_id = $1 \
         on conflict (attack_id, payload) do nothing",
    )
    .bind(from)
    .bind(into)
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from attack_payloads where attack_id = $1").bind(from).execute(connection).await?;
    Ok(())
}
