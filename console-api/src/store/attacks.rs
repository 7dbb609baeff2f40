//! Attacks: lists, details and their marks.

pub(crate) mod groups;
pub(crate) mod hits;
pub(crate) mod marks;
pub(crate) mod stats;

use crate::store::{
    Store, StoreError,
    search::{
        plan::{Plan, SOURCE_COUNT, SearchScope},
        text_search::MAX_RARE_MATCHES,
    },
    sql::{
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::count,
    },
};
use crate::{
    attack::{Attack, AttackDetail, AttackStatus, Order, SortKey, Source},
    paging::{Cursor, Page, Slice},
    query::Filter,
};
use shared::AttackType;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Sources in the details of an attack.
const TOP_SOURCES: i64 = 10;

/// A query of attacks, completed by the rest of the statement.
macro_rules! attacks {
    ($rest:literal) => {
        concat!(
            "select a.id, a.type, a.point, a.parameter, a.host, a.path, a.first_seen, a.last_seen, a.hits, a.blocked, a.suspicious, ",
            "a.mark, a.mark_note, a.mark_by, a.mark_at, a.mark_revision, ",
            "(select count(*) from attack_sources s where s.attack_id = a.id) as sources, ",
            "(select h.payload from hits h where h.attack_id = a.id order by h.at desc, h.id desc limit 1) as payload ",
            "from attacks a ",
            $rest
        )
    };
}

impl ReadRow for Attack {
    const TABLE: &'static str = "attacks";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let attack_type = AttackType::from(row.get::<String>("type")?.as_str());
        let (hits, blocked) = (row.count("hits")?, row.count("blocked")?);
        let suspicious = row.count("suspicious")?.min(hits);
        Ok(Self {
            id: row.parse("id")?,
            title: attack_type.title().to_owned(),
            attack_type,
            point: row.json("point")?,
            parameter: row.text("parameter")?,
            host: row.text("host")?,
            path: row.text("path")?,
            status: AttackStatus::of(hits - suspicious, blocked),
            first_seen: row.time("first_seen")?,
            last_seen: row.time("last_seen")?,
            hits,
            blocked,
            suspicious,
            sources: row.count("sources")?,
            payload: row.optional("payload", Row::text)?,
            revision: row.number("mark_revision")?,
            mark: marks::read(row)?,
        })
    }
}

impl ReadRow for Source {
    const TABLE: &'static str = "attack_sources";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self { ip: row.address("ip")?, hits: row.count("hits")? })
    }
}

fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::FirstSeen => "a.first_seen",
        SortKey::LastSeen => "a.last_seen",
        SortKey::Hits => "a.hits",
        SortKey::Blocked => "a.blocked",
        SortKey::Sources => SOURCE_COUNT,
    }
}

impl Statement {
    fn push_order(&mut self, order: Order) -> &mut Self {
        let direction = if order.descending { " desc" } else { " asc" };
        self.push(" order by ").push(column(order.by)).push(direction).push(", a.id").push(direction)
    }

    /// The next attacks of a list, the latest first.
    fn push_next(&mut self, slice: &Slice, attacks: i64) {
        self.push("a.last_seen >= coalesce((select r.last_seen from attacks r where r.last_seen <= ")
            .bind(slice.bounds().map_or(i64::MAX, |(position, _)| position))
            .push(" order by r.last_seen desc limit 1 offset ")
            .bind(attacks)
            .push("), ")
            .bind(i64::MIN)
            .push(") and ");
    }
}

/// Thresholds of the search for a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageLimits {
    /// Texts with more matches than this are common.
    pub(crate) max_rare_matches: i64,
    /// The number of attacks in which a page with common texts is searched first.
    pub(crate) next: i64,
}

const LIMITS: PageLimits = PageLimits { max_rare_matches: MAX_RARE_MATCHES, next: 2000 };

impl Store {
    /// The attacks that match a filter.
    pub async fn attacks(
        &self,
        filter: &Filter,
        order: Order,
        slice: &Slice,
    ) -> Result<Page<Attack>, StoreError> {
        self.attacks_within(LIMITS, filter, order, slice).await
    }

    pub(crate) async fn attacks_within(
        &self,
        limits: PageLimits,
        filter: &Filter,
        order: Order,
        slice: &Slice,
    ) -> Result<Page<Attack>, StoreError> {
        let matches = self.matches_up_to(limits.max_rare_matches, filter).await?;
        let is_common = matches.has_common_text();
        let newest_first = order.by == SortKey::LastSeen && order.descending;
        if !is_common || newest_first {
            let plan = Plan::new(filter, SearchScope::page(&matches));
            let next = is_common.then_some(limits.next);
            let page = self.page_of_attacks(&plan, next, order, slice).await?;
            if !is_common || page.next_cursor.is_some() {
                return Ok(page);
            }
        }
        self.page_of_attacks(&Plan::new(filter, SearchScope::All), None, order, slice).await
    }

    /// `next`: the number of attacks to search, the latest first.
    async fn page_of_attacks(
        &self,
        plan: &Plan,
        next: Option<i64>,
        order: Order,
        slice: &Slice,
    ) -> Result<Page<Attack>, StoreError> {
        // The details of attacks are read for those of the page only.
        let mut statement = Statement::new(attacks!("where a.id in (select a.id from attacks a where "));
        if let Some(next) = next {
            statement.push_next(slice, next);
        }
        statement.push_plan(plan);
        let beyond = if order.descending { " < " } else { " > " };
        if let Some((position, id)) = slice.bounds() {
            let column = column(order.by);
            statement.push(" and (").push(column).push(beyond).bind(position);
            statement.push(" or (").push(column).push(" = ").bind(position);
            statement.push(" and a.id").push(beyond).bind(id).push("))");
        }
        statement.push_order(order).push(" limit ").bind(i64::from(slice.limit) + 1).push(")");
        statement.push_order(order);
        let items = statement.fetch_all(&self.searcher).await?;
        Ok(Page::cut_at(items, slice.limit, |attack: &Attack| Cursor {
            list: order.text(),
            position: order.by.of(attack),
            id: attack.id.to_string(),
        }))
    }

    /// The attacks that match a filter in the order of their ids, which is stable while attacks
    /// grow.
    pub async fn attacks_after(
        &self,
        filter: &Filter,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<Attack>, StoreError> {
        let mut statement = Statement::new(attacks!("where "));
        let matches = self.matches(filter).await?;
        statement.push_plan(&Plan::new(filter, SearchScope::page(&matches)));
        if let Some(after) = after {
            statement.push(" and a.id > ").bind(after.to_string());
        }
        statement.push(" order by a.id limit ").bind(i64::from(limit));
        statement.fetch_all(&self.searcher).await
    }

    /// The attacks of these ids that match a filter.
    pub async fn attacks_among(&self, filter: &Filter, ids: &[String]) -> Result<Vec<Attack>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = Statement::new(attacks!("where "));
        statement.push_plan(&Plan::new(filter, SearchScope::Few)).push(" and a.id in (");
        for (n, id) in ids.iter().enumerate() {
            statement.push(if n == 0 { "" } else { ", " }).bind(id.as_str());
        }
        statement.push(") order by a.id");
        statement.fetch_all(&self.reader).await
    }

    /// The attack of this id, or the one it was merged into.
    pub async fn attack(&self, id: Uuid) -> Result<Option<Attack>, StoreError> {
        let mut statement = Statement::new(attacks!(
            "where a.id = coalesce((select r.new_id from attack_redirects r where r.old_id = "
        ));
        statement.bind(id.to_string()).push("), ").bind(id.to_string()).push(")");
        statement.fetch_optional(&self.reader).await
    }

    /// Adds the counters of an attack.
    pub async fn attack_detail(&self, attack: Attack) -> Result<AttackDetail, StoreError> {
        let top_sources = self.top_sources(attack.id).await?;
        let response_statuses = self.response_statuses(attack.id).await?;
        Ok(AttackDetail { attack, top_sources, response_statuses })
    }

    async fn top_sources(&self, id: Uuid) -> Result<Vec<Source>, StoreError> {
        let mut statement = Statement::new("select ip, hits from attack_sources where attack_id = ");
        statement.bind(id.to_string()).push(" order by hits desc, ip limit ").bind(TOP_SOURCES);
        statement.fetch_all(&self.reader).await
    }

    async fn response_statuses(&self, id: Uuid) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows: Vec<(i64, i64)> =
            sqlx::query_as("select status, hits from attack_statuses where attack_id = $1")
                .bind(id.to_string())
                .fetch_all(&self.reader)
                .await?;
        Ok(rows.into_iter().map(|(status, n)| (status.to_string(), count(n))).collect())
    }
}
