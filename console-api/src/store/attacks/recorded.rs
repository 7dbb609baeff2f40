//! Recorded requests for simulations.

use crate::attack::Mark;
use crate::store::{
    Store, StoreError,
    ingest::requests::{DecisionRow, RequestRow},
    sql::{bulk::among, text_codec::Columns},
};
use shared::{Decision, RecordedRequest, RequestId};
use sqlx::FromRow;
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};
use uuid::Uuid;

#[derive(FromRow)]
struct DecidedRow {
    #[sqlx(flatten)]
    request: RequestRow,
    #[sqlx(flatten)]
    decision: DecisionRow,
}

impl Store {
    /// The marks of attacks that have one.
    pub async fn marks_of(
        &self,
        attacks: impl Iterator<Item = Uuid>,
    ) -> Result<HashMap<Uuid, Mark>, StoreError> {
        let ids: BTreeSet<String> = attacks.map(|id| id.to_string()).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        let query = "select id, mark from attacks where mark is not null and id";
        let rows: Vec<(String, String)> = among(self.dialect, query, &ids).fetch_all(&self.reader).await?;
        let read = |(id, mark): (String, String)| {
            let columns = Columns { table: "attacks", id: &id };
            Ok((columns.parse("id", &id)?, columns.word("mark", &mark)?))
        };
        rows.into_iter().map(read).collect()
    }

    /// Requests with their decisions, the latest first.
    pub async fn requests(&self, ids: &[RequestId]) -> Result<Vec<(RecordedRequest, Decision)>, StoreError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let query = "select request_id, at, connector, client_ip, method, scheme, http_version, host, path, query, headers, \
                     body, body_bytes, body_truncated, outcome, reason, mode, mode_source, delivery, enforced, decided_by \
                     from requests where request_id";
        let rows: Vec<DecidedRow> = among(self.dialect, query, &ids).fetch_all(&self.reader).await?;
        let read = |DecidedRow { request, decision }: DecidedRow| {
            let request = RecordedRequest::try_from(request)?;
            let id = request.request_id.to_string();
            let decision = decision.read(&Columns { table: "requests", id: &id })?;
            Ok((request, decision))
        };
        let mut requests = rows.into_iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        requests.sort_by_key(|(request, _)| Reverse((request.at, request.request_id)));
        Ok(requests)
    }
}
