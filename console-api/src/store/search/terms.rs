//! Search terms: the texts of the fields of attacks and their hits. Each distinct text is stored
//! once, in lower case, with the attacks that have it, so that searches read few texts and no hits.

use crate::store::{
    Connection, StoreError,
    sql::{
        bulk::{Insert, Query},
        dialect::Dialect,
        text_codec::{Text, json},
    },
};
use crate::{
    grouping::{AttackKey, main_finding},
    query::Field,
};
use sha2::{Digest, Sha256};
use shared::{Finding, Hit, RecordedRequest};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, BTreeSet};

/// A text of a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Term {
    field: &'static str,
    text: String,
}

/// The length of a term id: a prefix of a SHA-256 without practical collisions.
const ID_BYTES: usize = 16;

impl Term {
    pub(crate) fn new(field: Field, text: &str) -> Self {
        Self { field: field.name(), text: Text::from(text).stored().to_lowercase() }
    }

    pub(crate) fn payload(payload: &str) -> Self {
        Self::new(Field::Payload, bounded(payload))
    }

    /// The terms of an attack.
    pub(crate) fn of_attack(key: &AttackKey) -> [Self; 4] {
        [
            Self::new(Field::Type, key.attack_type.as_str()),
            Self::new(Field::Parameter, &key.point.to_string()),
            Self::new(Field::Host, &key.host),
            Self::new(Field::Path, &key.path),
        ]
    }

    /// The terms of a hit.
    pub(crate) fn of_hit(request: &RecordedRequest, hit: &Hit) -> impl Iterator<Item = Self> + use<> {
        let worst = main_finding(hit);
        let method = Self::new(Field::Method, &request.method);
        let payload = worst.map(|finding| Self::payload(&finding.payload));
        [Some(method), payload].into_iter().flatten()
    }

    pub(crate) fn id(&self) -> Vec<u8> {
        let digest = Sha256::new().chain_update(self.field).chain_update([0]).chain_update(&self.text);
        digest.finalize()[..ID_BYTES].to_vec()
    }
}

/// The maximum length of a stored method in bytes: it fits an index.
const METHOD_BYTES: usize = 64;

/// A method as hits have it: in upper case, cut to a length.
pub(crate) fn method(method: &str) -> Text {
    Text::from(&method[..method.floor_char_boundary(METHOD_BYTES)].to_ascii_uppercase()[..])
}

/// Cuts a payload to the length that nodes send at most.
fn bounded(payload: &str) -> &str {
    let end = payload.char_indices().nth(Finding::PAYLOAD_CHARS).map_or(payload.len(), |(end, _)| end);
    &payload[..end]
}

/// Adds terms of attacks, which are given by id.
pub(crate) async fn add(
    connection: &mut Connection,
    terms: BTreeSet<(&str, Term)>,
) -> Result<(), sqlx::Error> {
    let mut new = BTreeMap::new();
    let mut links = Vec::with_capacity(terms.len());
    for (attack, term) in terms {
        let id = term.id();
        links.push((attack.to_owned(), id.clone()));
        new.insert(id, term);
    }
    let insert = Insert {
        into: "insert into terms (id, field, text)",
        columns: 3,
        after: "on conflict (id) do nothing",
    };
    let bind = |query: Query, (id, term): &(Vec<u8>, Term)| {
        query.bind(id.clone()).bind(term.field).bind(term.text.clone())
    };
    insert.rows(connection, &new.into_iter().collect::<Vec<_>>(), bind).await?;
    let insert = Insert {
        into: "insert into attack_terms (attack_id, term_id)",
        columns: 2,
        after: "on conflict (attack_id, term_id) do nothing",
    };
    let bind = |query: Query, (attack, id): &(String, Vec<u8>)| query.bind(attack.clone()).bind(id.clone());
    insert.rows(connection, &links, bind).await
}

/// Moves the terms of one attack to another.
pub(crate) async fn merge(connection: &mut Connection, from: &str, into: &str) -> Result<(), StoreError> {
    sqlx::query(
        "insert into attack_terms (attack_id, term_id) select $2, term_id from attack_terms where attack_id = $1 \
         on conflict (attack_id, term_id) do nothing",
    )
    .bind(from)
    .bind(into)
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from attack_terms where attack_id = $1").bind(from).execute(connection).await?;
    Ok(())
}

/// Deletes the terms of attacks, and the texts that no other attack has.
pub(crate) async fn delete(connection: &mut Connection, attacks: &[String]) -> Result<(), StoreError> {
    let among = Dialect::of(connection).is_among(1);
    let attacks = json(&attacks);
    let texts = format!(
        "delete from terms where id in (select term_id from attack_terms where attack_id {among}) \
         and not exists (select 1 from attack_terms t where t.term_id = terms.id and not (t.attack_id {among}))"
    );
    sqlx::query(AssertSqlSafe(texts)).bind(&attacks).execute(&mut *connection).await?;
    let ties = format!("delete from attack_terms where attack_id {among}");
    sqlx::query(AssertSqlSafe(ties)).bind(&attacks).execute(connection).await?;
    Ok(())
}
