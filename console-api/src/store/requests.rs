//! Recorded requests, and the decisions of nodes on them.

use crate::store::{
    Store, StoreError,
    sql::{
        bulk::statement_among,
        row::{ReadRow, Row, read_all},
        statement::Statement,
    },
};
use shared::{Body, Decision, LoggedResponse, RecordedRequest, RequestId};
use std::cmp::Reverse;

impl ReadRow for Decision {
    const TABLE: &'static str = "requests";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let reason: Option<String> = row.get("reason")?;
        Ok(Self {
            outcome: row.word("outcome")?,
            reason: reason.map(|reason| reason.as_str().into()),
            mode: row.word("mode")?,
            mode_source: row.get("mode_source")?,
            delivery: row.word("delivery")?,
            enforced: row.word("enforced")?,
            decided_by: row.optional("decided_by", Row::json)?.unwrap_or_default(),
        })
    }
}

impl ReadRow for RecordedRequest {
    const TABLE: &'static str = "requests";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let body: Option<Vec<u8>> = row.get("body")?;
        Ok(Self {
            request_id: row.parse("request_id")?,
            at: row.time("at")?,
            connector: row.optional("connector", Row::json)?,
            client_ip: row.parse("client_ip")?,
            method: row.text("method")?,
            scheme: row.get("scheme")?,
            http_version: row.get("http_version")?,
            host: row.text("host")?,
            path: row.text("path")?,
            query: row.text("query")?,
            headers: row.json("headers")?,
            body: body.map(Body),
            body_bytes: row.optional("body_bytes", Row::count)?,
            body_truncated: row.get::<String>("body_truncated")? == "yes",
        })
    }
}

impl ReadRow for LoggedResponse {
    const TABLE: &'static str = "requests";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        row.json("logged")
    }
}

impl ReadRow for (RecordedRequest, Decision) {
    const TABLE: &'static str = "requests";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok((RecordedRequest::read(row)?, Decision::read(row)?))
    }
}

/// The columns of a decision.
pub(crate) const DECISION: &str = "outcome, reason, mode, mode_source, delivery, enforced, decided_by";

impl Store {
    /// Whole requests, with headers and bodies, and their decisions, the latest first.
    pub async fn requests(&self, ids: &[RequestId]) -> Result<Vec<(RecordedRequest, Decision)>, StoreError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let query = format!(
            "select request_id, at, connector, client_ip, method, scheme, http_version, host, path, query, headers, \
             body, body_bytes, body_truncated, {DECISION} from requests where request_id"
        );
        let rows = statement_among(self.dialect, &query, &ids, "").fetch_all(&self.reader).await?;
        let mut requests: Vec<(RecordedRequest, Decision)> = read_all(&rows)?;
        requests.sort_by_key(|(request, _)| Reverse((request.at, request.request_id)));
        Ok(requests)
    }

    /// How CloudFront answered a request, if an access log had it.
    pub async fn logged_response(&self, id: RequestId) -> Result<Option<LoggedResponse>, StoreError> {
        let mut statement = Statement::new(
            "select request_id, logged from requests where logged is not null and request_id = ",
        );
        statement.bind(id.to_string());
        statement.fetch_optional(&self.reader).await
    }
}
