//! Reading attacks.

use super::{
    Store, StoreError,
    words::{Columns, Text, count},
};
use crate::{
    attack::{Attack, AttackDetail, AttackFilter, AttackStatus, Source},
    paging::{Page, Slice},
};
use jiff::Timestamp;
use shared::AttackType;
use sqlx::FromRow;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How many sources an attack's detail names.
const TOP_SOURCES: i64 = 10;

/// A query on attacks: the columns of [`Row`], and the rest of the statement.
macro_rules! attacks {
    ($rest:literal) => {
        concat!(
            "select a.id, a.type, a.point, a.parameter, a.host, a.path, a.first_seen, a.last_seen, a.hits, a.blocked, ",
            "(select count(*) from attack_sources s where s.attack_id = a.id) as sources, ",
            "(select h.payload from hits h where h.attack_id = a.id order by h.at desc, h.id desc limit 1) as payload ",
            "from attacks a ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: String,
    r#type: String,
    point: String,
    parameter: Text,
    host: Text,
    path: Text,
    first_seen: i64,
    last_seen: i64,
    hits: i64,
    blocked: i64,
    sources: i64,
    payload: Option<Text>,
}

impl TryFrom<Row> for Attack {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "attacks", id: &row.id };
        let attack_type = AttackType::from(row.r#type.as_str());
        Ok(Self {
            id: columns.parse("id", &row.id)?,
            title: attack_type.title().to_owned(),
            attack_type,
            point: columns.json("point", &row.point)?,
            parameter: row.parameter.into(),
            host: row.host.into(),
            path: row.path.into(),
            status: AttackStatus::of(count(row.hits), count(row.blocked)),
            first_seen: columns.time("first_seen", row.first_seen)?,
            last_seen: columns.time("last_seen", row.last_seen)?,
            hits: count(row.hits),
            blocked: count(row.blocked),
            sources: count(row.sources),
            payload: row.payload.map(String::from),
        })
    }
}

impl Store {
    /// The attacks a filter leaves, the one seen last first.
    pub async fn attacks(&self, filter: &AttackFilter, slice: &Slice) -> Result<Page<Attack>, StoreError> {
        let (at, id) = slice.bounds().unzip();
        let rows: Vec<Row> = sqlx::query_as(attacks!(
            "where ($1 is null or a.type = $1) and ($2 is null or a.host = $2) and ($3 is null or a.path = $3) \
             and ($4 is null or a.parameter = $4) and ($5 is null or a.last_seen >= $5) \
             and ($6 is null or a.first_seen < $6) \
             and ($7 is null or exists (select 1 from attack_sources s where s.attack_id = a.id and s.ip = $7)) \
             and ($8 is null or $8 = case when a.blocked = 0 then 'monitoring' when a.blocked < a.hits \
             then 'partially_blocked' else 'blocked' end) \
             and ($9 is null or a.last_seen < $9 or (a.last_seen = $9 and a.id < $10)) \
             order by a.last_seen desc, a.id desc limit $11"
        ))
        .bind(filter.attack_type.as_ref().map(AttackType::as_str))
        .bind(filter.host.as_deref().map(Text::from))
        .bind(filter.path.as_deref().map(Text::from))
        .bind(filter.parameter.as_deref().map(Text::from))
        .bind(filter.from.map(Timestamp::as_millisecond))
        .bind(filter.to.map(Timestamp::as_millisecond))
        .bind(filter.ip.map(|ip| ip.to_string()))
        .bind(filter.status.map(AttackStatus::as_str))
        .bind(at)
        .bind(id)
        .bind(i64::from(slice.limit) + 1)
        .fetch_all(&self.reader)
        .await?;
        let items = rows.into_iter().map(Attack::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(items, slice.limit))
    }

    /// The attack of this id, or the one it was merged into.
    pub async fn attack(&self, id: Uuid) -> Result<Option<Attack>, StoreError> {
        let row: Option<Row> = sqlx::query_as(attacks!(
            "where a.id = coalesce((select r.new_id from attack_redirects r where r.old_id = $1), $1)"
        ))
        .bind(id.to_string())
        .fetch_optional(&self.reader)
        .await?;
        row.map(Attack::try_from).transpose()
    }

    /// Adds what an attack's hits add up to.
    pub async fn attack_detail(&self, attack: Attack) -> Result<AttackDetail, StoreError> {
        let top_sources = self.top_sources(attack.id).await?;
        let response_statuses = self.response_statuses(attack.id).await?;
        Ok(AttackDetail { attack, top_sources, response_statuses })
    }

    async fn top_sources(&self, id: Uuid) -> Result<Vec<Source>, StoreError> {
        let id = id.to_string();
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select ip, hits from attack_sources where attack_id = $1 order by hits desc, ip limit $2",
        )
        .bind(&id)
        .bind(TOP_SOURCES)
        .fetch_all(&self.reader)
        .await?;
        let columns = Columns { table: "attack_sources", id: &id };
        let source =
            |(ip, hits): (String, i64)| Ok(Source { ip: columns.parse("ip", &ip)?, hits: count(hits) });
        rows.into_iter().map(source).collect()
    }

    async fn response_statuses(&self, id: Uuid) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "select r.response_status, count(*) from hits h join requests r on r.request_id = h.request_id \
             where h.attack_id = $1 and r.response_status is not null group by r.response_status",
        )
        .bind(id.to_string())
        .fetch_all(&self.reader)
        .await?;
        Ok(rows.into_iter().map(|(status, n)| (status.to_string(), count(n))).collect())
    }
}
