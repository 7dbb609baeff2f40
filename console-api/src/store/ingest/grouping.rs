//! Grouping of hits into attacks, and the counters of attacks. The rules are those of
//! [`crate::grouping`].

use crate::facet::{self, Facet, Facets};
use crate::grouping::{AttackKey, MAX_GAP, Span, chains, main_finding};
use crate::store::{
    Connection, StoreError,
    attacks::marks,
    delivery::webhooks,
    ingest::{arrivals, facets, requests, rule_hits, sources, statuses, time_buckets},
    search::terms::{self, Term},
    sql::{
        address,
        bulk::{self, Insert, Query},
        dialect::Dialect,
        text_codec::{Text, json, word},
    },
};
use shared::{Decision, Hit, RecordedRequest};
use sqlx::FromRow;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};
use uuid::Uuid;

/// A new hit of a stored request.
pub(crate) struct NewHit<'a> {
    pub(crate) request: &'a RecordedRequest,
    pub(crate) hit: &'a Hit,
    /// The stored decision on the request.
    pub(crate) decision: &'a Decision,
    /// The stored source of the request.
    pub(crate) client_ip: IpAddr,
    /// The status of the response, if known.
    pub(crate) status: Option<i64>,
    pub(crate) facets: Facets,
}

impl NewHit<'_> {
    pub(crate) fn at(&self) -> i64 {
        self.request.at.as_millisecond()
    }
}

/// Numbers of hits.
#[derive(Default)]
pub(crate) struct HitCounts {
    pub(crate) hits: i64,
    pub(crate) blocked: i64,
    pub(crate) suspicious: i64,
}

impl HitCounts {
    pub(crate) fn count(&mut self, hit: &NewHit<'_>) {
        self.hits += 1;
        self.blocked += i64::from(requests::is_enforced(hit.decision));
        self.suspicious += i64::from(requests::is_suspicious(hit.decision));
    }
}

/// A member of a chain: a known attack or a new hit.
enum Link<'a> {
    Known(String),
    New(Box<NewHit<'a>>),
}

/// New hits of one attack.
struct Growth<'a> {
    /// The id of the attack.
    id: String,
    key: AttackKey,
    hits: Vec<NewHit<'a>>,
}

/// Stores hits in their attacks. New attacks are created; attacks that a hit joins are merged, and
/// the oldest id stays.
pub(crate) async fn add(connection: &mut Connection, hits: Vec<NewHit<'_>>) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (hits.iter().map(NewHit::at).min(), hits.iter().map(NewHit::at).max())
    else {
        return Ok(());
    };
    let mut by_key: BTreeMap<String, (AttackKey, Vec<Span<Link<'_>>>)> = BTreeMap::new();
    for hit in hits {
        let (key, at) = (AttackKey::of(hit.request, hit.hit), hit.at());
        let (_, spans) = by_key.entry(key.hash()).or_insert_with(|| (key, Vec::new()));
        spans.push(Span { first: at, last: at, of: Link::New(Box::new(hit)) });
    }
    let keys: Vec<String> = by_key.keys().cloned().collect();
    for known in near(connection, &keys, first, last).await? {
        if let Some((_, spans)) = by_key.get_mut(&known.key_hash) {
            spans.push(Span { first: known.first_seen, last: known.last_seen, of: Link::Known(known.id) });
        }
    }
    let mut growths = Vec::new();
    for (key, spans) in by_key.into_values() {
        for chain in chains(spans) {
            growths.extend(grow(connection, &key, chain).await?);
        }
    }
    store(connection, &growths).await
}

#[derive(FromRow)]
struct KnownAttack {
    id: String,
    key_hash: String,
    first_seen: i64,
    last_seen: i64,
}

/// The attacks with these keys that hits of this time range may belong to.
async fn near(
    connection: &mut Connection,
    key_hashes: &[String],
    first: i64,
    last: i64,
) -> Result<Vec<KnownAttack>, StoreError> {
    let gap = i64::try_from(MAX_GAP.as_millis()).expect("an hour fits");
    let query = "select id, key_hash, first_seen, last_seen from attacks \
                 where last_seen >= $2 and first_seen <= $3 and key_hash";
    let known = bulk::among(Dialect::of(connection), query, key_hashes)
        .bind(first.saturating_sub(gap))
        .bind(last.saturating_add(gap));
    Ok(known.fetch_all(connection).await?)
}

/// Merges the attacks of a chain. `None` if it has no new hits.
async fn grow<'a>(
    connection: &mut Connection,
    key: &AttackKey,
    chain: Vec<Span<Link<'a>>>,
) -> Result<Option<Growth<'a>>, StoreError> {
    let (mut known, mut hits) = (Vec::new(), Vec::new());
    for span in chain {
        match span.of {
            Link::Known(id) => known.push(id),
            Link::New(hit) => hits.push(*hit),
        }
    }
    if hits.is_empty() {
        return Ok(None);
    }
    // Version 7 ids sort by creation time: the smallest is the oldest attack.
    known.sort();
    let mut known = known.into_iter();
    let id = known.next().unwrap_or_else(|| Uuid::now_v7().to_string());
    for other in known {
        merge(connection, &other, &id).await?;
    }
    Ok(Some(Growth { id, key: key.clone(), hits }))
}

async fn store(connection: &mut Connection, growths: &[Growth<'_>]) -> Result<(), StoreError> {
    let attacks = Insert {
        into: "insert into attacks (id, key_hash, type, point, parameter, host, path, first_seen, last_seen, hits, blocked, suspicious)",
        columns: 12,
        after: "on conflict (id) do update set hits = attacks.hits + excluded.hits, \
                blocked = attacks.blocked + excluded.blocked, suspicious = attacks.suspicious + excluded.suspicious, \
                first_seen = case when excluded.first_seen < attacks.first_seen then excluded.first_seen \
                else attacks.first_seen end, \
                last_seen = case when excluded.last_seen > attacks.last_seen then excluded.last_seen \
                else attacks.last_seen end",
    };
    attacks.rows(connection, growths, bind_attack).await?;
    let grown: Vec<&str> = growths.iter().map(|growth| growth.id.as_str()).collect();
    webhooks::record_growth(connection, &grown).await?;
    let hits: Vec<(&str, &NewHit<'_>)> =
        growths.iter().flat_map(|growth| growth.hits.iter().map(|hit| (growth.id.as_str(), hit))).collect();
    let insert = Insert {
        into: "insert into hits (id, request_id, type, attack_id, at, point, parameter, payload, severity, findings, \
               ip, method, status, blocked, suspicious, payload_id, country, network, user_agent, http_version, \
               connector, node, rule, signature, seen_by, score, arrival)",
        columns: 27,
        after: "",
    };
    let arrival = arrivals::next(connection).await?;
    insert.rows(connection, &hits, |query, hit| bind_hit(query, hit).bind(arrival)).await?;
    time_buckets::add(connection, &hits).await?;
    statuses::add(connection, &hits).await?;
    rule_hits::add(connection, &hits).await?;
    terms::add(connection, terms_of(growths)).await?;
    facets::add(connection, &hits).await?;
    sources::add(connection, &hits).await
}

/// The new terms of grown attacks, each with the id of its attack.
fn terms_of<'a>(growths: &'a [Growth<'_>]) -> BTreeSet<(&'a str, Term)> {
    let of_growth = |growth: &'a Growth<'_>| {
        let of_hits = growth.hits.iter().flat_map(|new| Term::of_hit(new.request, new.hit));
        Term::of_attack(&growth.key).into_iter().chain(of_hits).map(|term| (growth.id.as_str(), term))
    };
    growths.iter().flat_map(of_growth).collect()
}

fn bind_attack(query: Query, growth: &Growth<'_>) -> Query {
    let (key, hits) = (&growth.key, &growth.hits);
    let mut counts = HitCounts::default();
    for hit in hits {
        counts.count(hit);
    }
    query
        .bind(growth.id.clone())
        .bind(key.hash())
        .bind(key.attack_type.as_str().to_owned())
        .bind(json(&key.point))
        .bind(Text::from(key.point.to_string().as_str()))
        .bind(Text::from(key.host.as_str()))
        .bind(Text::from(key.path.as_str()))
        .bind(hits.iter().map(NewHit::at).min())
        .bind(hits.iter().map(NewHit::at).max())
        .bind(counts.hits)
        .bind(counts.blocked)
        .bind(counts.suspicious)
}

fn bind_hit(query: Query, (attack, new): &(&str, &NewHit<'_>)) -> Query {
    let NewHit { request, hit, facets, .. } = new;
    let worst = main_finding(hit);
    let query = query
        .bind(hit.id.to_string())
        .bind(request.request_id.to_string())
        .bind(hit.attack_type.as_str().to_owned())
        .bind((*attack).to_owned())
        .bind(request.at.as_millisecond())
        .bind(json(&hit.point))
        .bind(Text::from(hit.point.to_string().as_str()))
        .bind(worst.map(|finding| Text::from(finding.payload.as_str())))
        .bind(worst.map(|finding| word(&finding.severity)))
        .bind(json(&hit.findings))
        .bind(address::key(new.client_ip))
        .bind(terms::method(&request.method))
        .bind(new.status)
        .bind(i64::from(requests::is_enforced(new.decision)))
        .bind(i64::from(requests::is_suspicious(new.decision)))
        .bind(worst.map(|finding| Term::payload(&finding.payload).id()));
    let texts = [
        Facet::Country,
        Facet::Network,
        Facet::UserAgent,
        Facet::HttpVersion,
        Facet::Connector,
        Facet::Node,
        Facet::Rule,
        Facet::Signature,
        Facet::SeenBy,
    ];
    let query = texts.into_iter().fold(query, |query, facet| query.bind(facets.get(facet).map(Text::from)));
    query.bind(facet::score(hit))
}

#[derive(FromRow)]
struct Totals {
    first_seen: i64,
    last_seen: i64,
    hits: i64,
    blocked: i64,
    suspicious: i64,
    mark_revision: i64,
}

/// Moves all rows of one attack to another, and adds a redirect.
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
    let add: Totals = sqlx::query_as(
        "select first_seen, last_seen, hits, blocked, suspicious, mark_revision from attacks where id = $1",
    )
    .bind(from)
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query(
        "update attacks set hits = hits + $2, blocked = blocked + $3, suspicious = suspicious + $6, \
         first_seen = case when first_seen < $4 then first_seen else $4 end, \
         last_seen = case when last_seen > $5 then last_seen else $5 end where id = $1",
    )
    .bind(into)
    .bind(add.hits)
    .bind(add.blocked)
    .bind(add.first_seen)
    .bind(add.last_seen)
    .bind(add.suspicious)
    .execute(&mut *connection)
    .await?;
    if add.mark_revision > 0 {
        marks::merge(connection, from, into).await?;
    }
    Ok(())
}

async fn move_parts(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    sqlx::query("update hits set attack_id = $2 where attack_id = $1")
        .bind(from)
        .bind(into)
        .execute(&mut *connection)
        .await?;
    sources::merge(connection, from, into).await?;
    statuses::merge(connection, from, into).await?;
    terms::merge(connection, from, into).await?;
    facets::merge(connection, from, into).await?;
    time_buckets::merge(connection, from, into).await
}
