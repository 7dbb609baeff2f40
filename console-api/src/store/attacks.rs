//! Attacks: lists, details and their marks.

pub(crate) mod groups;
pub(crate) mod hits;
pub(crate) mod marks;
pub(crate) mod stats;

use crate::store::{
    Store, StoreError,
    search::{
        id_set::AttackSet,
        plan::{HitLookup, Plan, SOURCE_COUNT, SearchScope},
        text_search::MAX_RARE_MATCHES,
    },
    sql::{
        self,
        bulk::among,
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::{Text, count, json},
    },
};
use crate::{
    attack::{Attack, AttackDetail, AttackStatus, Order, SortKey, Source},
    facet::{EDGE, LOG},
    paging::{Cursor, Page, Slice},
    query::Filter,
};
use shared::AttackType;
use std::collections::{BTreeMap, HashMap};
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
            "(select count(*) from attack_facets f where f.attack_id = a.id and f.facet = 'seen_by' and f.value = 'edge' \
             and f.hits > 0) as by_edge, ",
            "(select count(*) from attack_facets f where f.attack_id = a.id and f.facet = 'seen_by' and f.value = 'log' \
             and f.hits > 0) as by_log, ",
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
            seen_by: [("by_edge", EDGE), ("by_log", LOG)]
                .into_iter()
                .filter_map(|(column, value)| match row.count(column) {
                    Ok(0) => None,
                    counted => Some(counted.map(|_| value.to_owned())),
                })
                .collect::<Result<_, _>>()?,
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

/// A query of attacks `a`. The conditions follow.
pub(crate) fn select() -> Statement {
    Statement::new(attacks!("where "))
}

/// The selected hits of an attack.
struct SelectedHits {
    attack: String,
    hits: u64,
    blocked: u64,
    suspicious: u64,
    sources: u64,
    /// Of the latest one.
    payload: Option<String>,
}

impl ReadRow for SelectedHits {
    const TABLE: &'static str = "hits";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            attack: row.get("id")?,
            hits: row.count("hits")?,
            blocked: row.count("blocked")?,
            suspicious: row.count("suspicious")?,
            sources: row.count("sources")?,
            payload: row.optional("payload", Row::text)?,
        })
    }
}

/// The statement of the sources with the most hits of a set of attacks.
fn top_sources(set: &AttackSet) -> Statement {
    let mut statement = Statement::new("select ");
    if set.selects_hits() {
        statement.push("h.ip as ip, count(*) as hits from ").push_selected_hits(set);
        statement.push(" group by h.ip");
    } else {
        statement.push("s.ip as ip, s.hits as hits from attack_sources s where ");
        statement.push_attack_set_of("s.attack_id", set);
    }
    statement.push(" order by hits desc, ip limit ").bind(TOP_SOURCES);
    statement
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
    fn push_order(&mut self, order: Order, hits: Option<&Plan>) -> &mut Self {
        let direction = if order.descending { " desc" } else { " asc" };
        self.push(" order by ").push_position(order.by, hits);
        self.push(direction).push(", a.id").push(direction)
    }

    /// The value that the attack `a` is sorted by: numbers are those of the selected hits.
    fn push_position(&mut self, key: SortKey, hits: Option<&Plan>) -> &mut Self {
        let Some((hits, number)) = hits.zip(number_of_hits(key)) else { return self.push(column(key)) };
        self.push("(select ").push(number).push(" from hits h where h.attack_id = a.id and ");
        self.push_plan(hits).push(")")
    }

    /// Continues a condition: the attack `a` has a selected hit.
    fn push_has_selected_hits(&mut self, hits: Option<&Plan>) -> &mut Self {
        let Some(hits) = hits else { return self };
        self.push(" and exists (select 1 from hits h where h.attack_id = a.id and ").push_plan(hits).push(")")
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

/// A number of hits `h` that attacks are sorted by.
fn number_of_hits(key: SortKey) -> Option<&'static str> {
    match key {
        SortKey::FirstSeen | SortKey::LastSeen => None,
        SortKey::Hits => Some("count(*)"),
        SortKey::Blocked => Some("coalesce(sum(h.blocked), 0)"),
        SortKey::Sources => Some("count(distinct h.ip)"),
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
    /// The attacks that match a filter: those with hits that match it, if it has conditions on hits.
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
        let (hits, filter) = (Plan::of_hits(filter, HitLookup::Each), filter.of_attacks());
        let matches = self.matches_up_to(limits.max_rare_matches, &filter).await?;
        let is_common = matches.has_common_text();
        let newest_first = order.by == SortKey::LastSeen && order.descending;
        if !is_common || newest_first {
            let plan = Plan::new(&filter, SearchScope::page(&matches));
            let next = is_common.then_some(limits.next);
            let page = self.page_of_attacks((&plan, hits.as_ref()), next, order, slice).await?;
            if !is_common || page.next_cursor.is_some() {
                return Ok(page);
            }
        }
        let plan = Plan::new(&filter, SearchScope::All);
        self.page_of_attacks((&plan, hits.as_ref()), None, order, slice).await
    }

    /// `next`: the number of attacks to search, the latest first.
    async fn page_of_attacks(
        &self,
        (plan, hits): (&Plan, Option<&Plan>),
        next: Option<i64>,
        order: Order,
        slice: &Slice,
    ) -> Result<Page<Attack>, StoreError> {
        // The details of attacks are read for those of the page only.
        let mut statement = Statement::new(attacks!("where a.id in (select a.id from attacks a where "));
        if let Some(next) = next {
            statement.push_next(slice, next);
        }
        statement.push_plan(plan).push_has_selected_hits(hits);
        let beyond = if order.descending { " < " } else { " > " };
        if let Some((position, id)) = slice.bounds() {
            statement.push(" and (").push_position(order.by, hits).push(beyond).bind(position);
            statement.push(" or (").push_position(order.by, hits).push(" = ").bind(position);
            statement.push(" and a.id").push(beyond).bind(id).push("))");
        }
        statement.push_order(order, hits).push(" limit ").bind(i64::from(slice.limit) + 1).push(")");
        statement.push_order(order, hits);
        let items = self.counted(&self.searcher, statement.fetch_all(&self.searcher).await?, hits).await?;
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
        let (hits, filter) = (Plan::of_hits(filter, HitLookup::Each), filter.of_attacks());
        let mut statement = Statement::new(attacks!("where "));
        let matches = self.matches(&filter).await?;
        statement.push_plan(&Plan::new(&filter, SearchScope::page(&matches)));
        statement.push_has_selected_hits(hits.as_ref());
        if let Some(after) = after {
            statement.push(" and a.id > ").bind(after.to_string());
        }
        statement.push(" order by a.id limit ").bind(i64::from(limit));
        self.counted(&self.searcher, statement.fetch_all(&self.searcher).await?, hits.as_ref()).await
    }

    /// Attacks with the numbers of their selected hits.
    pub(crate) async fn counted(
        &self,
        from: impl sql::statement::Source,
        mut attacks: Vec<Attack>,
        hits: Option<&Plan>,
    ) -> Result<Vec<Attack>, StoreError> {
        let Some(hits) = hits.filter(|_| !attacks.is_empty()) else { return Ok(attacks) };
        let ids: Vec<_> = attacks.iter().map(|attack| attack.id).collect();
        let mut statement = Statement::new(
            "select m.*, (select x.payload from hits x where x.id = m.latest) as payload from (select a.id as id, \
             count(*) as hits, cast(sum(h.blocked) as bigint) as blocked, \
             cast(sum(h.suspicious) as bigint) as suspicious, count(distinct h.ip) as sources, max(h.id) as latest \
             from attacks a join hits h on h.attack_id = a.id where a.id ",
        );
        statement.push_among(&self.ids(Some(json(&ids)))).push(" and ").push_plan(hits);
        statement.push(" group by a.id) m");
        let selected: Vec<SelectedHits> = statement.fetch_all(from).await?;
        let mut selected: HashMap<_, _> =
            selected.into_iter().map(|hits| (hits.attack.clone(), hits)).collect();
        for attack in &mut attacks {
            if let Some(of) = selected.remove(&attack.id.to_string()) {
                (attack.hits, attack.blocked, attack.suspicious) = (of.hits, of.blocked, of.suspicious);
                (attack.sources, attack.payload) = (of.sources, of.payload);
            }
        }
        Ok(attacks)
    }

    /// The attacks of these ids that match a filter.
    pub async fn attacks_among(&self, filter: &Filter, ids: &[String]) -> Result<Vec<Attack>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let hits = Plan::of_hits(filter, HitLookup::Each);
        let mut statement = Statement::new(attacks!("where "));
        statement.push_plan(&Plan::new(&filter.of_attacks(), SearchScope::Few));
        statement.push_has_selected_hits(hits.as_ref()).push(" and a.id in (");
        for (n, id) in ids.iter().enumerate() {
            statement.push(if n == 0 { "" } else { ", " }).bind(id.as_str());
        }
        statement.push(") order by a.id");
        self.counted(&self.reader, statement.fetch_all(&self.reader).await?, hits.as_ref()).await
    }

    /// Type, host and path of the attacks among these ids that still exist.
    pub async fn attack_titles(&self, ids: &[String]) -> Result<BTreeMap<String, String>, StoreError> {
        let query = "select id, type, host, path from attacks where id";
        let rows: Vec<(String, String, Text, Text)> =
            among(self.dialect, query, ids).fetch_all(&self.reader).await?;
        let title = |(id, attack_type, host, path): (String, String, Text, Text)| {
            let attack_type = AttackType::from(attack_type.as_str());
            (id, format!("{} at {}{}", attack_type.title(), String::from(host), String::from(path)))
        };
        Ok(rows.into_iter().map(title).collect())
    }

    /// The attack of this id, or the one it was merged into.
    pub async fn attack(&self, id: Uuid) -> Result<Option<Attack>, StoreError> {
        let mut statement = Statement::new(attacks!(
            "where a.id = coalesce((select r.new_id from attack_redirects r where r.old_id = "
        ));
        statement.bind(id.to_string()).push("), ").bind(id.to_string()).push(")");
        statement.fetch_optional(&self.reader).await
    }

    /// Adds the counters of an attack: of all hits, or of those that match the conditions on hits.
    pub async fn attack_detail(&self, attack: Attack, filter: &Filter) -> Result<AttackDetail, StoreError> {
        let set = self.only_attack(attack.id, filter);
        let top_sources = top_sources(&set).fetch_all(&self.reader).await?;
        let statuses: Vec<(i64, i64)> = stats::statuses_of(&set).fetch_tuples(&self.reader).await?;
        let response_statuses =
            statuses.into_iter().map(|(status, n)| (status.to_string(), count(n))).collect();
        let hits = Plan::of_hits(filter, HitLookup::Each);
        let mut counted = self.counted(&self.reader, vec![attack], hits.as_ref()).await?;
        let attack = counted.pop().expect("one attack was counted");
        Ok(AttackDetail { attack, top_sources, response_statuses })
    }
}
