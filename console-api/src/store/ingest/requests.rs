//! Requests and their decisions.

use crate::facet::{self, Facet};
use crate::query::HitAction;
use crate::store::{
    Connection, StoreError,
    delivery::webhooks,
    ingest::{facets, not_inspected, responses, rule_hits, sources, statuses, time_buckets},
    requests::DECISION,
    sql::{
        bulk::{self, Insert, Query},
        dialect::Dialect,
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::{Text, json, word},
    },
};
use shared::{
    ConnectorInfo, DecidedBy, Decision, Delivery, Enforced, Outcome, RecordedRequest, RequestId, Trigger,
};
use std::{cmp::Ordering, net::IpAddr};

/// A stored request: the parts that later records change or refer to.
pub(crate) struct StoredRequest {
    pub(crate) connector: Option<ConnectorInfo>,
    /// As reported first. Hits of later reports count for this source, too.
    pub(crate) client_ip: IpAddr,
    pub(crate) decision: Decision,
    pub(crate) response_status: Option<i64>,
}

impl ReadRow for StoredRequest {
    const TABLE: &'static str = "requests";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            connector: row.optional("connector", Row::json)?,
            client_ip: row.parse("client_ip")?,
            decision: Decision::read(row)?,
            response_status: row.get("response_status")?,
        })
    }
}

/// A request, if it is known.
pub(crate) async fn stored(
    connection: &mut Connection,
    id: RequestId,
) -> Result<Option<StoredRequest>, StoreError> {
    let mut statement = Statement::new("select request_id, connector, client_ip, response_status, ");
    statement.push(DECISION).push(" from requests where request_id = ").bind(id.to_string());
    statement.fetch_optional(connection).await
}

/// Stores a request, or merges the decision into the known one. Returns whether that changed
/// anything.
pub(crate) async fn record(
    connection: &mut Connection,
    request: &RecordedRequest,
    decision: &Decision,
) -> Result<bool, StoreError> {
    let id = request.request_id;
    let Some(known) = stored(connection, id).await? else {
        insert(connection, &[(request, decision)]).await?;
        responses::apply_pending(connection, id).await?;
        if not_inspected::has_entry(connection, id).await? {
            passed(connection, id).await?;
        }
        return Ok(true);
    };
    let order = stage_order(known.connector.as_ref(), request.connector.as_ref());
    // A response proves that the block of a later stage had no effect.
    let order = if known.response_status.is_some() { Ordering::Equal } else { order };
    let merged = merge(known.decision.clone(), decision, order);
    let is_changed = decide(connection, id, &known, &merged).await?;
    if is_changed && order.is_lt() && merged.outcome == decision.outcome {
        decided_by_origin_stage(connection, request).await?;
    }
    Ok(is_changed)
}

/// The order of the stages of two records: origin-request follows viewer-request.
fn stage_order(known: Option<&ConnectorInfo>, other: Option<&ConnectorInfo>) -> Ordering {
    let is_later = |connector: Option<&ConnectorInfo>| {
        connector.and_then(|connector| connector.event.as_ref()).is_some_and(Trigger::is_origin)
    };
    is_later(known).cmp(&is_later(other))
}

/// Stores the stage that decided.
async fn decided_by_origin_stage(
    connection: &mut Connection,
    request: &RecordedRequest,
) -> Result<(), StoreError> {
    sqlx::query("update requests set connector = $2 where request_id = $1")
        .bind(request.request_id.to_string())
        .bind(request.connector.as_ref().map(json))
        .execute(connection)
        .await?;
    Ok(())
}

/// Merges two decisions on one request. The more severe outcome wins, then that of a connector over
/// that of a log. Of two nodes, "not enforced"
/// wins over "enforced"; of two stages, the later one wins: the earlier let the request pass.
fn merge(known: Decision, other: &Decision, order: Ordering) -> Decision {
    let enforced = match (known.enforced, other.enforced) {
        (_, enforced) if order.is_lt() => enforced,
        (enforced, _) if order.is_gt() => enforced,
        (Enforced::No, _) | (_, Enforced::No) => Enforced::No,
        (Enforced::Yes, _) | (_, Enforced::Yes) => Enforced::Yes,
        (Enforced::Unknown, Enforced::Unknown) => Enforced::Unknown,
    };
    let rank = |it: &Decision| (severity(it.outcome), it.delivery != Delivery::Log);
    let is_worse = rank(other) > rank(&known);
    let decision = if is_worse { other.clone() } else { known };
    Decision { enforced, ..decision }
}

fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Suspicious => 0,
        Outcome::Monitored => 1,
        Outcome::Blocked => 2,
    }
}

/// Records that the request reached the origin, for any decision of the node.
pub(crate) async fn passed(connection: &mut Connection, id: RequestId) -> Result<bool, StoreError> {
    let Some(known) = stored(connection, id).await? else { return Ok(false) };
    let merged = Decision { enforced: Enforced::No, ..known.decision.clone() };
    decide(connection, id, &known, &merged).await
}

/// Whether the decision blocked the request, and it is not known to have reached the origin.
pub(crate) fn is_enforced(decision: &Decision) -> bool {
    HitAction::of(decision) == HitAction::Blocked
}

/// Whether the request is no attack at its sensitivity.
pub(crate) fn is_suspicious(decision: &Decision) -> bool {
    HitAction::of(decision) == HitAction::Suspicious
}

/// Replaces a decision, and updates the counters of the attacks.
async fn decide(
    connection: &mut Connection,
    id: RequestId,
    StoredRequest { client_ip, decision: old, .. }: &StoredRequest,
    new: &Decision,
) -> Result<bool, StoreError> {
    if old == new {
        return Ok(false);
    }
    sqlx::query(
        "update requests set outcome = $2, reason = $3, mode = $4, mode_source = $5, delivery = $6, enforced = $7, \
         decided_by = $8 where request_id = $1",
    )
    .bind(id.to_string())
    .bind(word(&new.outcome))
    .bind(new.reason.as_ref().map(word))
    .bind(word(&new.mode))
    .bind(&new.mode_source)
    .bind(word(&new.delivery))
    .bind(word(&new.enforced))
    .bind(decided_by(new))
    .execute(&mut *connection)
    .await?;
    rule_hits::change(connection, id, old, new).await?;
    let blocked = i64::from(is_enforced(new)) - i64::from(is_enforced(old));
    let suspicious = i64::from(is_suspicious(new)) - i64::from(is_suspicious(old));
    if blocked != 0 || suspicious != 0 {
        change_counters(connection, (id, *client_ip), blocked, suspicious).await?;
    }
    let rule = facet::rule(&new.decided_by);
    if rule != facet::rule(&old.decided_by) {
        facets::move_to(connection, id, Facet::Rule, rule.as_deref()).await?;
    }
    let seen_by = facet::seen_by(new);
    if seen_by != facet::seen_by(old) {
        facets::move_to(connection, id, Facet::SeenBy, Some(seen_by)).await?;
    }
    Ok(true)
}

/// Changes the counters of attacks for the hits of a request. Outcomes only become worse:
/// `suspicious` is 0 or -1.
async fn change_counters(
    connection: &mut Connection,
    (id, client_ip): (RequestId, IpAddr),
    blocked: i64,
    suspicious: i64,
) -> Result<(), StoreError> {
    // A request has at most one hit in an attack: its hits have different types.
    sqlx::query(
        "update attacks set blocked = blocked + $2, suspicious = suspicious + $3 \
         where id in (select attack_id from hits where request_id = $1)",
    )
    .bind(id.to_string())
    .bind(blocked)
    .bind(suspicious)
    .execute(&mut *connection)
    .await?;
    sqlx::query("update hits set blocked = blocked + $2, suspicious = suspicious + $3 where request_id = $1")
        .bind(id.to_string())
        .bind(blocked)
        .bind(suspicious)
        .execute(&mut *connection)
        .await?;
    time_buckets::change(connection, id, blocked, suspicious).await?;
    sources::change(connection, (id, client_ip), blocked, suspicious).await?;
    facets::change(connection, id, blocked, suspicious).await?;
    if suspicious < 0 {
        statuses::clear_suspicious(connection, id).await?;
        let attacks: Vec<(String,)> =
            sqlx::query_as("select distinct attack_id from hits where request_id = $1")
                .bind(id.to_string())
                .fetch_all(&mut *connection)
                .await?;
        let grown: Vec<&str> = attacks.iter().map(|(id,)| id.as_str()).collect();
        webhooks::record_growth(connection, &grown).await?;
    }
    Ok(())
}

/// Stores unknown requests with their decisions.
pub(crate) async fn insert(
    connection: &mut Connection,
    requests: &[(&RecordedRequest, &Decision)],
) -> Result<(), StoreError> {
    let insert = Insert {
        into: "insert into requests (request_id, at, connector, edge_request_id, client_ip, method, scheme, http_version, \
               host, path, query, headers, body, body_bytes, body_truncated, outcome, reason, mode, mode_source, \
               delivery, enforced, decided_by)",
        columns: 22,
        after: "",
    };
    Ok(insert.rows(connection, requests, bind).await?)
}

fn bind(query: Query, (request, decision): &(&RecordedRequest, &Decision)) -> Query {
    let connector = request.connector.as_ref();
    query
        .bind(request.request_id.to_string())
        .bind(request.at.as_millisecond())
        .bind(connector.map(json))
        .bind(connector.and_then(|connector| connector.edge_request_id.clone()))
        .bind(request.client_ip.to_string())
        .bind(Text::from(request.method.as_str()))
        .bind(request.scheme.clone())
        .bind(request.http_version.clone())
        .bind(Text::from(request.host.as_str()))
        .bind(Text::from(request.path.as_str()))
        .bind(Text::from(request.query.as_str()))
        .bind(json(&request.headers))
        .bind(request.body.as_ref().map(|body| body.0.clone()))
        .bind(request.body_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)))
        .bind(if request.body_truncated { "yes" } else { "no" })
        .bind(word(&decision.outcome))
        .bind(decision.reason.as_ref().map(word))
        .bind(word(&decision.mode))
        .bind(decision.mode_source.clone())
        .bind(word(&decision.delivery))
        .bind(word(&decision.enforced))
        .bind(decided_by(decision))
}

/// `None` for most requests.
fn decided_by(decision: &Decision) -> Option<String> {
    (decision.decided_by != DecidedBy::default()).then(|| json(&decision.decided_by))
}

/// Stores the first response status of requests.
pub(crate) async fn first_responses(
    connection: &mut Connection,
    ids: &[String],
    status: i64,
) -> Result<(), StoreError> {
    for update in [
        "update requests set response_status = $2 where request_id",
        "update hits set status = $2 where request_id",
    ] {
        let update = bulk::statement_among(Dialect::of(connection), update, ids, "");
        update.bind(status).execute(&mut *connection).await?;
    }
    statuses::first_responses(connection, ids, status).await
}

/// Stores a response status. Returns whether that changed anything.
pub(crate) async fn responded(
    connection: &mut Connection,
    id: RequestId,
    old: Option<i64>,
    new: i64,
) -> Result<bool, StoreError> {
    if old == Some(new) {
        return Ok(false);
    }
    for update in [
        "update requests set response_status = $2 where request_id = $1",
        "update hits set status = $2 where request_id = $1",
    ] {
        sqlx::query(update).bind(id.to_string()).bind(new).execute(&mut *connection).await?;
    }
    statuses::change(connection, id, old, new).await?;
    Ok(true)
}
