//! Recorded requests for simulations.

use crate::attack::Mark;
use crate::store::{
    Store, StoreError,
    sql::{
        bulk::statement_among,
        row::{Record, Row, read_all},
    },
};
use shared::{Decision, RecordedRequest, RequestId};
use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};
use uuid::Uuid;

impl Record for (RecordedRequest, Decision) {
    const TABLE: &'static str = "requests";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok((RecordedRequest::read(row)?, Decision::read(row)?))
    }
}

impl Record for (Uuid, Mark) {
    const TABLE: &'static str = "attacks";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok((row.parse("id")?, row.word("mark")?))
    }
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
        let rows = statement_among(self.dialect, query, &ids, "").fetch_all(&self.reader).await?;
        Ok(read_all(&rows)?.into_iter().collect())
    }

    /// Requests with their decisions, the latest first.
    pub async fn requests(&self, ids: &[RequestId]) -> Result<Vec<(RecordedRequest, Decision)>, StoreError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let query = "select request_id, at, connector, client_ip, method, scheme, http_version, host, path, query, headers, \
                     body, body_bytes, body_truncated, outcome, reason, mode, mode_source, delivery, enforced, decided_by \
                     from requests where request_id";
        let rows = statement_among(self.dialect, query, &ids, "").fetch_all(&self.reader).await?;
        let mut requests: Vec<(RecordedRequest, Decision)> = read_all(&rows)?;
        requests.sort_by_key(|(request, _)| Reverse((request.at, request.request_id)));
        Ok(requests)
    }
}
