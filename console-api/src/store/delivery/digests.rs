//! Digests: attacks that wait to be sent together, and the room for messages.

use crate::store::{
    Connection, Store, StoreError, attacks,
    delivery::deliveries::{self, About, MAX_PENDING, NewDelivery},
    sql::{
        bulk::{Insert, Query},
        dialect::Dialect,
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::{count, json},
    },
};
use crate::{
    attack::{Attack, AttackDigest, CountryHits, HostCount, Source, TypeCount},
    webhook::{Digest, Webhook},
};
use jiff::Timestamp;
use shared::AttackType;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Types, hosts, sources and countries in a digest.
const TOP: i64 = 5;
/// Attacks in a digest.
const LISTED: i64 = 10;

/// The ids of the attacks of a digest; those merged since have the id of the other attack.
const OF_DIGEST: &str = "(select coalesce((select r.new_id from attack_redirects r where r.old_id = d.attack_id), \
     d.attack_id) from digest_attacks d where d.delivery_id = ";

/// An attack that a webhook is notified of by a digest.
#[derive(Debug)]
pub struct Collected {
    pub webhook: Uuid,
    pub attack: Uuid,
}

/// Hits of an attack from a country.
struct CountryOfAttack {
    attack: Uuid,
    hits: CountryHits,
}

impl ReadRow for CountryOfAttack {
    const TABLE: &'static str = "attack_facets";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { attack: row.parse("attack_id")?, hits: CountryHits::read(row)? })
    }
}

impl ReadRow for CountryHits {
    const TABLE: &'static str = "attack_facets";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { country: row.text("value")?, hits: row.count("hits")? })
    }
}

impl ReadRow for TypeCount {
    const TABLE: &'static str = "attacks";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let attack_type = AttackType::from(row.get::<String>("type")?.as_str());
        let title = attack_type.title().to_owned();
        Ok(Self { attack_type, title, attacks: row.count("attacks")?, hits: row.count("hits")? })
    }
}

impl ReadRow for HostCount {
    const TABLE: &'static str = "attacks";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { host: row.text("host")?, attacks: row.count("attacks")?, hits: row.count("hits")? })
    }
}

impl Store {
    /// The number of messages that a webhook has room for in this minute; `None`: any number.
    pub async fn room(&self, webhook: &Webhook, now: Timestamp) -> Result<Option<usize>, StoreError> {
        let Some(limit) = webhook.draft.rate_limit else { return Ok(None) };
        let mut connection = self.reader.acquire().await?;
        let messages = messages(&mut connection, webhook.id, now).await?;
        Ok(Some(usize::try_from(i64::from(limit) - messages).unwrap_or_default()))
    }

    /// The webhooks with attacks that wait for a digest, and the time since which they wait.
    pub async fn waiting_digests(&self) -> Result<BTreeMap<Uuid, Timestamp>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select webhook_id, min(matched_at) from digest_attacks where delivery_id is null group by webhook_id",
        )
        .fetch_all(&self.reader)
        .await?;
        let time = |(webhook, at): (String, i64)| {
            let bad = |column| StoreError::bad_row("digest_attacks", &webhook, column);
            let at = Timestamp::from_millisecond(at).map_err(|_| bad("matched_at"))?;
            Ok((webhook.parse().map_err(|_| bad("webhook_id"))?, at))
        };
        rows.into_iter().map(time).collect()
    }

    /// Queues the digest of the attacks that matched before the end of a period, in one transaction
    /// with the mark that they are in it. `false`: nothing was queued, because another console did,
    /// the webhook has no room, or retention deleted the attacks.
    pub async fn queue_digest(
        &self,
        webhook: &Webhook,
        (from, to): (Timestamp, Timestamp),
        now: Timestamp,
        body: impl FnOnce(&AttackDigest) -> String + Send,
    ) -> Result<bool, StoreError> {
        let mut change = self.begin_write().await?;
        // Two consoles that count the same messages would queue one more than the limit.
        if !deliveries::lock(&mut change, webhook.id).await? || !has_room(&mut change, webhook, now).await? {
            return Ok(false);
        }
        let id = Uuid::now_v7();
        let claimed = sqlx::query(
            "update digest_attacks set delivery_id = $2 \
             where webhook_id = $1 and delivery_id is null and matched_at < $3",
        )
        .bind(webhook.id.to_string())
        .bind(id.to_string())
        .bind(to.as_millisecond())
        .execute(&mut *change)
        .await?;
        if claimed.rows_affected() == 0 {
            return Ok(false);
        }
        let digest = read(&mut change, id, (from, to)).await?;
        if let Some(digest) = &digest {
            let about = About::Event(Digest::EVENT);
            let delivery = NewDelivery { webhook: webhook.id, about, body: body(digest) };
            deliveries::insert(&mut change, id, &delivery, now).await?;
        }
        change.commit().await?;
        Ok(digest.is_some())
    }

    /// The countries of attacks, those with the most hits first.
    pub async fn countries_of(
        &self,
        attacks: &[Attack],
    ) -> Result<BTreeMap<Uuid, Vec<CountryHits>>, StoreError> {
        if attacks.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids: Vec<Uuid> = attacks.iter().map(|attack| attack.id).collect();
        let mut connection = self.reader.acquire().await?;
        countries(&mut connection, &ids).await
    }
}

/// Stores attacks for the next digests.
pub(crate) async fn collect(
    connection: &mut Connection,
    collected: &[Collected],
    now: Timestamp,
) -> Result<(), StoreError> {
    let insert = Insert {
        into: "insert into digest_attacks (webhook_id, attack_id, matched_at)",
        columns: 3,
        after: "on conflict (webhook_id, attack_id) do nothing",
    };
    let now = now.as_millisecond();
    let bind = |query: Query, one: &Collected| {
        query.bind(one.webhook.to_string()).bind(one.attack.to_string()).bind(now)
    };
    Ok(insert.rows(connection, collected, bind).await?)
}

/// Deletes attacks of digests before a time, except ongoing ones, which would be sent again.
pub(crate) async fn delete(connection: &mut Connection, before: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "delete from digest_attacks where matched_at < $1 and delivery_id is not null and not exists \
         (select 1 from attacks a where a.id = digest_attacks.attack_id and a.last_seen >= $1)",
    )
    .bind(before.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// The messages of this minute, and those that are still pending.
async fn messages(connection: &mut Connection, webhook: Uuid, now: Timestamp) -> Result<i64, StoreError> {
    let (messages,): (i64,) = sqlx::query_as(
        "select count(*) from webhook_deliveries where webhook_id = $1 and (state = 'pending' or created_at >= $2)",
    )
    .bind(webhook.to_string())
    .bind(Digest::Minute.period(now).0.as_millisecond())
    .fetch_one(connection)
    .await?;
    Ok(messages)
}

async fn has_room(
    connection: &mut Connection,
    webhook: &Webhook,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let has_room = match webhook.draft.rate_limit {
        Some(limit) => messages(connection, webhook.id, now).await? < i64::from(limit),
        None => true,
    };
    Ok(has_room && deliveries::pending(connection, webhook.id).await? < MAX_PENDING)
}

/// The digest of a delivery; `None` without attacks.
async fn read(
    connection: &mut Connection,
    delivery: Uuid,
    (from, to): (Timestamp, Timestamp),
) -> Result<Option<AttackDigest>, StoreError> {
    let id = delivery.to_string();
    let of = |select: &'static str, rest: &'static str| {
        let mut statement = Statement::new(select);
        statement.push(OF_DIGEST).bind(id.as_str()).push(rest);
        statement
    };
    let totals = "select count(*), cast(coalesce(sum(hits), 0) as bigint), \
                  cast(coalesce(sum(blocked), 0) as bigint), min(last_seen) from attacks where id in ";
    let (attacks, hits, blocked, seen): (i64, i64, i64, Option<i64>) =
        of(totals, ")").fetch_tuple(&mut *connection).await?;
    let Some(seen) = seen else { return Ok(None) };
    let first_last_seen =
        Timestamp::from_millisecond(seen).map_err(|_| StoreError::bad_row("attacks", &id, "last_seen"))?;
    let top = |select: &'static str, rest: &'static str| {
        let mut statement = of(select, rest);
        statement.push(" limit ").bind(TOP);
        statement
    };
    let types = top(
        "select type, count(*) as attacks, cast(sum(hits) as bigint) as hits from attacks where id in ",
        ") group by type order by attacks desc, type",
    );
    let hosts = top(
        "select host, count(*) as attacks, cast(sum(hits) as bigint) as hits from attacks where id in ",
        ") group by host order by attacks desc, host",
    );
    let sources = top(
        "select ip, cast(sum(hits) as bigint) as hits from attack_sources where attack_id in ",
        ") group by ip order by hits desc, ip",
    );
    let of_countries = top(
        "select value, cast(sum(hits) as bigint) as hits from attack_facets where facet = 'country' \
         and value <> '' and attack_id in ",
        ") group by value order by hits desc, value",
    );
    Ok(Some(AttackDigest {
        from,
        to,
        attacks: count(attacks),
        hits: count(hits),
        blocked: count(blocked),
        first_last_seen,
        largest: largest(connection, &id).await?,
        types: types.fetch_all(&mut *connection).await?,
        hosts: hosts.fetch_all(&mut *connection).await?,
        sources: sources.fetch_all::<Source>(&mut *connection).await?,
        countries: of_countries.fetch_all(connection).await?,
    }))
}

/// The attacks of a digest with the most hits, with their countries.
async fn largest(
    connection: &mut Connection,
    delivery: &str,
) -> Result<Vec<(Attack, Vec<CountryHits>)>, StoreError> {
    let mut statement = attacks::select();
    statement.push("a.id in ").push(OF_DIGEST).bind(delivery);
    statement.push(") order by a.hits desc, a.id limit ").bind(LISTED);
    let attacks: Vec<Attack> = statement.fetch_all(&mut *connection).await?;
    let ids: Vec<Uuid> = attacks.iter().map(|attack| attack.id).collect();
    let mut countries = countries(connection, &ids).await?;
    let with_countries = |attack: Attack| {
        let countries = countries.remove(&attack.id).unwrap_or_default();
        (attack, countries)
    };
    Ok(attacks.into_iter().map(with_countries).collect())
}

async fn countries(
    connection: &mut Connection,
    attacks: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<CountryHits>>, StoreError> {
    let mut statement = Statement::new(
        "select attack_id, value, hits from attack_facets where facet = 'country' and value <> '' and attack_id ",
    );
    let dialect = Dialect::of(connection);
    statement.push_bound(json(&attacks), |bind| dialect.is_among(bind));
    statement.push(" order by attack_id, hits desc, value");
    let rows: Vec<CountryOfAttack> = statement.fetch_all(connection).await?;
    let mut countries: BTreeMap<Uuid, Vec<CountryHits>> = BTreeMap::new();
    for CountryOfAttack { attack, hits } in rows {
        countries.entry(attack).or_default().push(hits);
    }
    Ok(countries)
}
