//! Columns of hits that an older version did not store. Address keys and term ids cannot be computed
//! in SQL.

use crate::store::{
    Connection, StoreError,
    ingest::requests::{is_enforced, is_suspicious},
    requests::DECISION,
    search::terms::{self, Term},
    sql::{
        address,
        dialect::Dialect,
        row::{ReadRow, Row},
        statement::Statement,
    },
};
use shared::Decision;
use sqlx::Connection as _;
use std::net::IpAddr;

/// Hits per transaction.
const BATCH: usize = 1000;

struct IncompleteHit {
    id: String,
    payload: Option<String>,
    client_ip: IpAddr,
    method: String,
    status: Option<i64>,
    decision: Decision,
}

impl ReadRow for IncompleteHit {
    const TABLE: &'static str = "hits";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            payload: row.optional("payload", Row::text)?,
            client_ip: row.parse("client_ip")?,
            method: row.text("method")?,
            status: row.get("response_status")?,
            decision: Decision::read(row)?,
        })
    }
}

/// Fills the columns of all hits, then the counters of blocked hits by source, severity and what saw them.
pub(crate) async fn complete(connection: &mut Connection) -> Result<(), StoreError> {
    // Takes no write lock, which a running server may hold.
    let incomplete = sqlx::query("select 1 from hits where ip is null limit 1");
    if incomplete.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(());
    }
    let begin = Dialect::of(connection).begin_write();
    loop {
        let mut transaction = connection.begin_with(begin).await?;
        let mut statement =
            Statement::new("select h.id, h.payload, r.client_ip, r.method, r.response_status, ");
        statement.push(DECISION);
        statement
            .push(" from hits h join requests r on r.request_id = h.request_id where h.ip is null limit ");
        statement.bind(i64::try_from(BATCH).expect("a small number"));
        let hits: Vec<IncompleteHit> = statement.fetch_all(&mut *transaction).await?;
        for hit in &hits {
            fill(&mut transaction, hit).await?;
        }
        let is_last = hits.len() < BATCH;
        if is_last {
            sqlx::query(
                "update attack_sources set blocked = coalesce((select cast(sum(h.blocked) as bigint) from hits h \
                 where h.attack_id = attack_sources.attack_id and h.ip = attack_sources.ip), 0)",
            )
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "update attack_facets set blocked = coalesce((select cast(sum(h.blocked) as bigint) from hits h \
                 where h.attack_id = attack_facets.attack_id and coalesce(h.severity, '') = attack_facets.value), 0), \
                 suspicious = coalesce((select cast(sum(h.suspicious) as bigint) from hits h \
                 where h.attack_id = attack_facets.attack_id and coalesce(h.severity, '') = attack_facets.value), 0) \
                 where facet = 'severity'",
            )
            .execute(&mut *transaction)
            .await?;
            sqlx::query(
                "update attack_facets set blocked = coalesce((select cast(sum(h.blocked) as bigint) from hits h \
                 where h.attack_id = attack_facets.attack_id and coalesce(h.seen_by, '') = attack_facets.value), 0), \
                 suspicious = coalesce((select cast(sum(h.suspicious) as bigint) from hits h \
                 where h.attack_id = attack_facets.attack_id and coalesce(h.seen_by, '') = attack_facets.value), 0) \
                 where facet = 'seen_by'",
            )
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        if is_last {
            return Ok(());
        }
    }
}

async fn fill(connection: &mut Connection, hit: &IncompleteHit) -> Result<(), StoreError> {
    sqlx::query(
        "update hits set ip = $2, method = $3, status = $4, blocked = $5, suspicious = $6, payload_id = $7 where id = $1",
    )
    .bind(&hit.id)
    .bind(address::key(hit.client_ip))
    .bind(terms::method(&hit.method))
    .bind(hit.status)
    .bind(i64::from(is_enforced(&hit.decision)))
    .bind(i64::from(is_suspicious(&hit.decision)))
    .bind(hit.payload.as_deref().map(|payload| Term::payload(payload).id()))
    .execute(connection)
    .await?;
    Ok(())
}
