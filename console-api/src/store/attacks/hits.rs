//! Hits: lists, details and scans.

use crate::store::{
    Store, StoreError,
    search::{
        id_set::IdSet,
        plan::{HitLookup, Plan, SearchScope},
        text_search::Matches,
    },
    sql::{
        row::{ReadRow, Row, read_all},
        statement::Statement,
        text_codec::count,
    },
};
use crate::{
    hit::{HitDetail, HitFilter, RecordedHit},
    paging::{Page, Slice},
    query::Filter,
};
use shared::{AttackType, ConnectorInfo, Decision, RequestId};
use uuid::Uuid;

/// A query of hits and their requests, completed by the rest of the statement.
macro_rules! hits {
    ($($rest:literal),+ $(,)?) => {
        concat!(
            "select h.id, h.request_id, h.attack_id, h.type, h.point, h.parameter, h.payload, h.severity, h.at, ",
            "h.findings, h.country, h.network, h.user_agent, h.http_version, h.connector as connector_name, h.node, h.rule, ",
            "h.signature, h.score, h.seen_by, r.client_ip, r.method, r.host, r.path, r.query, r.outcome, r.reason, r.mode, r.mode_source, ",
            "r.delivery, r.enforced, r.decided_by, r.response_status, r.edge_request_id, r.connector ",
            "from hits h join requests r on r.request_id = h.request_id ",
            $($rest),+
        )
    };
}

impl ReadRow for RecordedHit {
    const TABLE: &'static str = "hits";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let attack_type = AttackType::from(row.get::<String>("type")?.as_str());
        let connector: Option<ConnectorInfo> = row.optional("connector", Row::json)?;
        Ok(Self {
            id: row.parse("id")?,
            request_id: row.parse("request_id")?,
            attack_id: row.parse("attack_id")?,
            title: attack_type.title().to_owned(),
            attack_type,
            point: row.json("point")?,
            parameter: row.text("parameter")?,
            payload: row.optional("payload", Row::text)?,
            severity: row.optional("severity", Row::word)?,
            at: row.time("at")?,
            client_ip: row.parse("client_ip")?,
            method: row.text("method")?,
            host: row.text("host")?,
            path: row.text("path")?,
            query: row.text("query")?,
            decision: Decision::read(row)?,
            response_status: row.optional("response_status", Row::number)?,
            edge_request_id: row.get("edge_request_id")?,
            application: connector.and_then(|connector| connector.application),
            findings: row.json("findings")?,
            country: row.optional("country", Row::text)?,
            network: row.optional("network", Row::text)?,
            user_agent: row.optional("user_agent", Row::text)?,
            http_version: row.optional("http_version", Row::text)?,
            connector: row.optional("connector_name", Row::text)?,
            node: row.optional("node", Row::text)?,
            rule: row.optional("rule", Row::text)?,
            signature: row.optional("signature", Row::text)?,
            score: row.get("score")?,
            seen_by: row.get("seen_by")?,
        })
    }
}

/// A query of hits `h`. The conditions follow.
pub(crate) fn select() -> Statement {
    Statement::new(hits!("where "))
}

/// A page of the hits that meet a condition on `$1`, the latest first.
macro_rules! page_of_hits {
    ($condition:literal) => {
        hits!(
            "where ",
            $condition,
            " and ($2 is null or h.at < $2 or (h.at = $2 and h.id < $3)) order by h.at desc, h.id desc limit $4"
        )
    };
}

impl Statement {
    /// Continues a condition: `hits h` meets the conditions on hits of a filter on their attacks.
    fn push_matches_in_attack(&mut self, filter: &Filter) -> &mut Self {
        let Some(hits) = Plan::of_hits(filter, HitLookup::Each) else { return self };
        self.push(" and exists (select 1 from attacks a where a.id = h.attack_id and ");
        self.push_plan(&hits).push(")")
    }

    /// Further conditions on `hits h`.
    fn push_hit_filter(&mut self, filter: &HitFilter, matches: &Matches) {
        if filter.filter != Filter::default() {
            let attacks = Plan::new(&filter.filter.of_attacks(), SearchScope::page(matches));
            self.push(" and exists (select 1 from attacks a where a.id = h.attack_id and ");
            self.push_plan(&attacks).push(")");
        }
        self.push_matches_in_attack(&filter.filter);
        if let Some(from) = filter.time_range.from {
            self.push(" and h.at >= ").bind(from.as_millisecond());
        }
        if let Some(to) = filter.time_range.to {
            self.push(" and h.at < ").bind(to.as_millisecond());
        }
    }
}

/// Hits of at most this many attacks are read attack by attack, others in the order of time.
const FEW_ATTACKS: i64 = 2_000;
/// As many hits of these attacks cost less than a search in the order of time.
const FEW_HITS: i64 = 300_000;

impl Store {
    /// The hits that match a filter, the latest first. Suspicious ones only if the filter selects
    /// them.
    pub async fn hits_matching(
        &self,
        filter: &Filter,
        slice: &Slice,
    ) -> Result<Page<RecordedHit>, StoreError> {
        self.hits_matching_within(FEW_HITS, filter, slice, None).await
    }

    /// The same for hits up to a batch of arrivals, and those that an older console stored without
    /// one.
    pub async fn hits_matching_up_to(
        &self,
        last_arrival: i64,
        filter: &Filter,
        slice: &Slice,
    ) -> Result<Page<RecordedHit>, StoreError> {
        self.hits_matching_within(FEW_HITS, filter, slice, Some(last_arrival)).await
    }

    /// Matching hits for a batch of many: the hits of few attacks would be read again for each
    /// batch.
    pub async fn batch_of_hits(
        &self,
        filter: &Filter,
        slice: &Slice,
    ) -> Result<Vec<RecordedHit>, StoreError> {
        Ok(self.hits_matching_within(i64::from(slice.limit), filter, slice, None).await?.items)
    }

    async fn hits_matching_within(
        &self,
        few_hits: i64,
        filter: &Filter,
        slice: &Slice,
        last_arrival: Option<i64>,
    ) -> Result<Page<RecordedHit>, StoreError> {
        let attacks = filter.of_attacks();
        let matches = self.matches(&attacks).await?;
        let plan = Plan::new(&attacks, SearchScope::page(&matches));
        // The details of hits are read for those of the page only.
        let mut statement = Statement::new(hits!(
            "where h.id in (select h.id from hits h cross join attacks a where a.id = h.attack_id and "
        ));
        // The sum keeps SQLite from the order of time where it has to read few attacks.
        let at = if let Some(ids) = self.few_attacks(few_hits, &attacks, &plan).await? {
            statement.push("h.attack_id ").push_among(&ids);
            "h.at + 0"
        } else {
            statement.push_plan(&plan);
            if let Some((at, _)) = slice.bounds() {
                statement.push(" and h.at <= ").bind(at);
            }
            "h.at"
        };
        if !filter.selects_suspicious() {
            statement.push(" and h.suspicious = 0");
        }
        if let Some(last) = last_arrival {
            statement.push(" and (h.arrival is null or h.arrival <= ").bind(last).push(")");
        }
        if let Some(hits) = Plan::of_hits(filter, HitLookup::Each) {
            statement.push(" and ").push_plan(&hits);
        }
        statement.push(" and ").push_newest_by((at, "h.id"), slice);
        statement.push(") order by h.at desc, h.id desc");
        Ok(Page::cut(statement.fetch_all(&self.searcher).await?, slice.limit))
    }

    /// The attacks that match a filter, if they and their hits are few.
    async fn few_attacks(
        &self,
        few_hits: i64,
        filter: &Filter,
        plan: &Plan,
    ) -> Result<Option<IdSet>, StoreError> {
        if filter.left_out().is_some() {
            return Ok(None);
        }
        let mut statement = Statement::new("select count(*), cast(coalesce(sum(t.hits), 0) as bigint), ");
        statement.push(self.dialect.ids());
        statement
            .push(" from (select a.id as attack_id, a.hits as hits from attacks a where ")
            .push_plan(plan);
        statement.push(" limit ").bind(FEW_ATTACKS + 1).push(") t");
        let (attacks, hits, ids): (i64, i64, Option<String>) = statement.fetch_tuple(&self.searcher).await?;
        Ok((attacks <= FEW_ATTACKS && hits <= few_hits).then(|| self.ids(ids)))
    }

    /// The hits of an attack that match the conditions on hits of a filter.
    pub async fn hits_of_attack(
        &self,
        id: Uuid,
        filter: &Filter,
        slice: &Slice,
    ) -> Result<Page<RecordedHit>, StoreError> {
        let mut statement = Statement::new(hits!("where h.attack_id = "));
        statement.bind(id.to_string()).push_matches_in_attack(filter);
        statement.push(" and ").push_newest_by(("h.at", "h.id"), slice);
        statement.fetch_page(&self.reader, slice).await
    }

    /// The hits of a request: one of each type.
    pub async fn hits_of_request(
        &self,
        id: RequestId,
        slice: &Slice,
    ) -> Result<Page<RecordedHit>, StoreError> {
        self.page_of_hits(page_of_hits!("h.request_id = $1"), &id.to_string(), slice).await
    }

    /// The hits of the request with this CloudFront id.
    pub async fn hits_of_edge_request(
        &self,
        id: &str,
        slice: &Slice,
    ) -> Result<Page<RecordedHit>, StoreError> {
        self.page_of_hits(page_of_hits!("r.edge_request_id = $1"), id, slice).await
    }

    async fn page_of_hits(
        &self,
        sql: &'static str,
        key: &str,
        slice: &Slice,
    ) -> Result<Page<RecordedHit>, StoreError> {
        let (at, id) = slice.bounds().unzip();
        let rows = sqlx::query(sql)
            .bind(key)
            .bind(at)
            .bind(id)
            .bind(i64::from(slice.limit) + 1)
            .fetch_all(&self.reader)
            .await?;
        Ok(Page::cut(read_all(&rows)?, slice.limit))
    }

    /// Hits in descending order of their ids, which nodes assign in the order of time.
    pub async fn hits_before(
        &self,
        filter: &HitFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<RecordedHit>, StoreError> {
        let mut statement = Statement::new(hits!("where true"));
        let matches = self.matches(&filter.filter.of_attacks()).await?;
        statement.push_hit_filter(filter, &matches);
        if let Some(before) = before {
            statement.push(" and h.id < ").bind(before.to_string());
        }
        statement.push(" order by h.id desc limit ").bind(i64::from(limit));
        statement.fetch_all(&self.reader).await
    }

    pub async fn count_hits(&self, filter: &HitFilter) -> Result<u64, StoreError> {
        let mut statement = Statement::new("select count(*) from hits h where true");
        let matches = self.matches(&filter.filter.of_attacks()).await?;
        statement.push_hit_filter(filter, &matches);
        let (hits,): (i64,) = statement.fetch_tuple(&self.reader).await?;
        Ok(count(hits))
    }

    pub async fn hit(&self, id: Uuid) -> Result<Option<HitDetail>, StoreError> {
        let mut statement = Statement::new(hits!("where h.id = "));
        statement.bind(id.to_string());
        let Some(hit) = statement.fetch_optional::<RecordedHit>(&self.reader).await? else { return Ok(None) };
        let request = self.requests(&[hit.request_id]).await?.pop();
        let logged = self.logged_response(hit.request_id).await?;
        Ok(request.map(|(request, decision)| HitDetail { hit, request, decision, logged }))
    }
}
