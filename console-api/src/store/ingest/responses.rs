//! Response reports. A report that arrives before its request is parked here.

use crate::store::{
    Connection, StoreError,
    ingest::requests,
    sql::{
        bulk::{Insert, Query},
        text_codec::json,
    },
};
use jiff::Timestamp;
use shared::{RequestId, ResponseReport, Trigger};

/// The longest time that a hit may stay in the spool of a node behind its report.
const PENDING_AGE_MS: i64 = 24 * 60 * 60 * 1000;
/// Most reports belong to requests without hits, so their number is limited.
const PENDING_REPORTS: i64 = 100_000;

/// Applies a report to its request, or parks it. Returns whether it changed anything.
pub(crate) async fn record(
    connection: &mut Connection,
    report: &ResponseReport,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let status = i64::from(report.status);
    match apply(connection, report.request_id, event(report), status).await? {
        Some(is_new) => {
            let logged = report.logged.as_ref().map(json);
            Ok(is_new | answered(connection, report.request_id, logged.as_deref()).await?)
        }
        None => keep(connection, report, now).await,
    }
}

/// Stores how CloudFront answered a known request. Returns whether that is new.
async fn answered(
    connection: &mut Connection,
    id: RequestId,
    logged: Option<&str>,
) -> Result<bool, StoreError> {
    let Some(logged) = logged else { return Ok(false) };
    let stored = sqlx::query("update requests set logged = $2 where request_id = $1 and logged is null")
        .bind(id.to_string())
        .bind(logged.to_owned())
        .execute(connection)
        .await?;
    Ok(stored.rows_affected() > 0)
}

/// Applies the parked reports of a request.
pub(crate) async fn apply_pending(connection: &mut Connection, id: RequestId) -> Result<(), StoreError> {
    let mut pending: Vec<(String, i64, Option<String>)> =
        sqlx::query_as("delete from pending_responses where request_id = $1 returning event, status, logged")
            .bind(id.to_string())
            .fetch_all(&mut *connection)
            .await?;
    // `viewer-response` sorts last: its status is the one the visitor saw.
    pending.sort();
    for (event, status, logged) in pending {
        let event = Some(event.as_str()).filter(|event| !event.is_empty()).map(Trigger::from);
        apply(connection, id, event.as_ref(), status).await?;
        answered(connection, id, logged.as_deref()).await?;
    }
    Ok(())
}

async fn apply(
    connection: &mut Connection,
    id: RequestId,
    event: Option<&Trigger>,
    status: i64,
) -> Result<Option<bool>, StoreError> {
    let Some(known) = requests::stored(connection, id).await? else { return Ok(None) };
    let mut is_new = requests::responded(connection, id, known.response_status, status).await?;
    let inspected_at = known.connector.and_then(|connector| connector.event);
    if proves_passage(inspected_at.as_ref(), event, status) {
        is_new |= requests::passed(connection, id).await?;
    }
    Ok(Some(is_new))
}

/// Whether a report proves that the request reached the origin, so that a block was not enforced.
///
/// CloudFront runs no response function on a response that the viewer-request function generated,
/// and no origin-response function on one that the origin-request function generated. Only a
/// viewer-response after an origin-request can be our own block page.
fn proves_passage(inspected_at: Option<&Trigger>, event: Option<&Trigger>, status: i64) -> bool {
    match event {
        Some(Trigger::OriginResponse) => true,
        Some(Trigger::ViewerResponse) => inspected_at != Some(&Trigger::OriginRequest) || status < 400,
        _ => false,
    }
}

/// Whether such a report may prove that its request reached the origin.
pub(crate) fn may_prove_passage(report: &ResponseReport) -> bool {
    matches!(event(report), Some(Trigger::OriginResponse | Trigger::ViewerResponse))
}

fn event(report: &ResponseReport) -> Option<&Trigger> {
    report.connector.as_ref().and_then(|connector| connector.event.as_ref())
}

/// Parks reports of unknown requests.
pub(crate) async fn keep_all(
    connection: &mut Connection,
    reports: &[&ResponseReport],
    now: Timestamp,
) -> Result<(), StoreError> {
    let insert = Insert {
        into: "insert into pending_responses (request_id, event, status, received_at, logged)",
        columns: 5,
        after: "",
    };
    let bind = |query: Query, report: &&ResponseReport| {
        query
            .bind(report.request_id.to_string())
            .bind(event(report).map_or("", Trigger::as_str).to_owned())
            .bind(i64::from(report.status))
            .bind(now.as_millisecond())
            .bind(report.logged.as_ref().map(json))
    };
    Ok(insert.rows(connection, reports, bind).await?)
}

async fn keep(
    connection: &mut Connection,
    report: &ResponseReport,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let result = sqlx::query(
        "insert into pending_responses (request_id, event, status, received_at, logged) \
         values ($1, $2, $3, $4, $5) on conflict (request_id, event) do update set \
         status = excluded.status, logged = coalesce(pending_responses.logged, excluded.logged) \
         where pending_responses.status <> excluded.status \
         or pending_responses.logged is null and excluded.logged is not null",
    )
    .bind(report.request_id.to_string())
    .bind(event(report).map_or("", Trigger::as_str).to_owned())
    .bind(i64::from(report.status))
    .bind(now.as_millisecond())
    .bind(report.logged.as_ref().map(json))
    .execute(connection)
    .await?;
    Ok(result.rows_affected() > 0)
}

/// Deletes the oldest parked reports.
pub(crate) async fn prune(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("delete from pending_responses where received_at < $1")
        .bind(now.as_millisecond().saturating_sub(PENDING_AGE_MS))
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "delete from pending_responses where received_at <= \
         (select received_at from pending_responses order by received_at desc limit 1 offset $1)",
    )
    .bind(PENDING_REPORTS)
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_response_that_is_not_the_block_page_proves_passage() {
        let proves = |inspected: Trigger, event: Trigger, status| {
            proves_passage(Some(&inspected), Some(&event), status)
        };
        assert!(proves(Trigger::ViewerRequest, Trigger::OriginResponse, 403));
        assert!(proves(Trigger::ViewerRequest, Trigger::ViewerResponse, 403));
        assert!(proves(Trigger::OriginRequest, Trigger::ViewerResponse, 200));
        assert!(!proves(Trigger::OriginRequest, Trigger::ViewerResponse, 403));
        assert!(!proves_passage(None, None, 200));
    }
}
