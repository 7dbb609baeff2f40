//! Hits: lists, details and scans.

use crate::store::{
    Store, StoreError,
    ingest::requests::DecisionRow,
    search::{
        plan::{Plan, SearchScope},
        text_search::Matches,
    },
    sql::{
        statement::Statement,
        text_codec::{Columns, Text, count},
    },
};
use crate::{
    hit::{HitDetail, HitFilter, RecordedHit},
    paging::{Page, Slice},
    query::Filter,
};
use shared::{AttackType, ConnectorInfo, RequestId};
use sqlx::FromRow;
use uuid::Uuid;

/// A query of hits and their requests: the columns of [`Row`], and the rest of the statement.
macro_rules! hits {
    ($($rest:literal),+ $(,)?) => {
        concat!(
            "select h.id, h.request_id, h.attack_id, h.type, h.point, h.parameter, h.payload, h.severity, h.at, ",
            "h.findings, r.client_ip, r.method, r.host, r.path, r.query, r.outcome, r.reason, r.mode, r.mode_source, ",
            "r.delivery, r.enforced, r.decided_by, r.response_status, r.edge_request_id, r.connector ",
            "from hits h join requests r on r.request_id = h.request_id ",
            $($rest),+
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: String,
    request_id: String,
    attack_id: String,
    r#type: String,
    point: String,
    parameter: Text,
    payload: Option<Text>,
    severity: Option<String>,
    at: i64,
    findings: String,
    client_ip: String,
    method: Text,
    host: Text,
    path: Text,
    query: Text,
    #[sqlx(flatten)]
    decision: DecisionRow,
    response_status: Option<i64>,
    edge_request_id: Option<String>,
    connector: Option<String>,
}

impl TryFrom<Row> for RecordedHit {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "hits", id: &row.id };
        let attack_type = AttackType::from(row.r#type.as_str());
        let connector = row.connector.map(|connector| columns.json::<ConnectorInfo>("connector", &connector));
        Ok(Self {
            id: columns.parse("id", &row.id)?,
            request_id: columns.parse("request_id", &row.request_id)?,
            attack_id: columns.parse("attack_id", &row.attack_id)?,
            title: attack_type.title().to_owned(),
            attack_type,
            point: columns.json("point", &row.point)?,
            parameter: row.parameter.into(),
            payload: row.payload.map(String::from),
            severity: row.severity.map(|severity| columns.word("severity", &severity)).transpose()?,
            at: columns.time("at", row.at)?,
            client_ip: columns.parse("client_ip", &row.client_ip)?,
            method: row.method.into(),
            host: row.host.into(),
            path: row.path.into(),
            query: row.query.into(),
            decision: row.decision.read(&columns)?,
            response_status: columns.status("response_status", row.response_status)?,
            edge_request_id: row.edge_request_id,
            application: connector.transpose()?.and_then(|connector| connector.application),
            findings: columns.json("findings", &row.findings)?,
        })
    }
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
    /// Further conditions on `hits h`.
    fn push_hit_filter(&mut self, filter: &HitFilter, matches: &Matches) {
        if filter.filter != Filter::default() {
            self.push(" and exists (select 1 from attacks a where a.id = h.attack_id and ");
            self.push_plan(&Plan::new(&filter.filter, SearchScope::page(matches))).push(")");
        }
        if let Some(from) = filter.times.from {
            self.push(" and h.at >= ").bind(from.as_millisecond());
        }
        if let Some(to) = filter.times.to {
            self.push(" and h.at < ").bind(to.as_millisecond());
        }
    }
}

impl Store {
    pub async fn hits_of_attack(&self, id: Uuid, slice: &Slice) -> Result<Page<RecordedHit>, StoreError> {
        self.page_of_hits(page_of_hits!("h.attack_id = $1"), &id.to_string(), slice).await
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
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(key)
            .bind(at)
            .bind(id)
            .bind(i64::from(slice.limit) + 1)
            .fetch_all(&self.reader)
            .await?;
        let items = rows.into_iter().map(RecordedHit::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(items, slice.limit))
    }

    /// Hits in descending order of their ids, which nodes assign in the order of time.
    pub async fn hits_before(
        &self,
        filter: &HitFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<RecordedHit>, StoreError> {
        let mut statement = Statement::new(hits!("where true"));
        let matches = self.matches(&filter.filter).await?;
        statement.push_hit_filter(filter, &matches);
        if let Some(before) = before {
            statement.push(" and h.id < ").bind(before.to_string());
        }
        statement.push(" order by h.id desc limit ").bind(i64::from(limit));
        let rows: Vec<Row> = statement.fetch_all(&self.reader).await?;
        rows.into_iter().map(RecordedHit::try_from).collect()
    }

    pub async fn count_hits(&self, filter: &HitFilter) -> Result<u64, StoreError> {
        let mut statement = Statement::new("select count(*) from hits h where true");
        let matches = self.matches(&filter.filter).await?;
        statement.push_hit_filter(filter, &matches);
        let (hits,): (i64,) = statement.fetch_one(&self.reader).await?;
        Ok(count(hits))
    }

    pub async fn hit(&self, id: Uuid) -> Result<Option<HitDetail>, StoreError> {
        let row: Option<Row> = sqlx::query_as(hits!("where h.id = $1"))
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await?;
        let Some(hit) = row.map(RecordedHit::try_from).transpose()? else { return Ok(None) };
        let request = self.request(hit.request_id).await?;
        Ok(request.map(|request| HitDetail { decision: hit.decision.clone(), hit, request }))
    }
}
