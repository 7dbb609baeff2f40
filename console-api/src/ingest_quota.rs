//! Admission of batches from nodes: bounded concurrency, and a record rate per token.
//!
//! The database writes batches one after the other, so more concurrent ones would only use memory.
//! A rejected node keeps its records and retries.

use crate::error::ApiError;
use jiff::Timestamp;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const MAX_CONCURRENT: usize = 8;
/// The burst of a token, in seconds of its rate.
const BURST_SECONDS: f64 = 10.0;

#[derive(Clone)]
pub struct IngestQuota {
    permits: Arc<Semaphore>,
    /// Records per second for each token.
    rate: Option<u32>,
    accounts: Arc<Mutex<HashMap<String, Account>>>,
}

/// The remaining quota of a token; negative after a batch that exceeded it.
struct Account {
    records: f64,
    at: Timestamp,
}

impl Default for IngestQuota {
    fn default() -> Self {
        Self::of(MAX_CONCURRENT)
    }
}

impl IngestQuota {
    pub fn of(max_concurrent: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(max_concurrent)), rate: None, accounts: Arc::default() }
    }

    /// With a record rate for each token.
    #[must_use]
    pub fn limited(self, rate: Option<u32>) -> Self {
        Self { rate, ..self }
    }

    /// A permit for one batch of a token, held until the batch is stored.
    pub fn enter(&self, token: &str, now: Timestamp) -> Result<OwnedSemaphorePermit, ApiError> {
        self.account(token, 0, now).map_err(|seconds| ApiError::TooManyRecords { seconds })?;
        self.permits.clone().try_acquire_owned().map_err(|_| ApiError::Busy)
    }

    /// Counts the records of a batch. A batch is never cut: the excess delays the next one.
    pub fn charge(&self, token: &str, records: usize, now: Timestamp) {
        // The batch is already admitted.
        let _ = self.account(token, records, now);
    }

    /// Subtracts records from a token's account; the seconds to wait if it is empty.
    fn account(&self, token: &str, records: usize, now: Timestamp) -> Result<(), u64> {
        let Some(rate) = self.rate.map(f64::from) else { return Ok(()) };
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let full = rate * BURST_SECONDS;
        let account = accounts.entry(token.to_owned()).or_insert(Account { records: full, at: now });
        let seconds = now.duration_since(account.at).as_secs_f64().max(0.0);
        account.records = (account.records + seconds * rate).min(full);
        account.at = account.at.max(now);
        if account.records <= 0.0 && records == 0 {
            let wait = (-account.records / rate).ceil().max(1.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds")]
            return Err(wait as u64);
        }
        #[expect(clippy::cast_precision_loss, reason = "a batch has fewer than 2^52 records")]
        let records = records as f64;
        account.records -= records;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn rejects_a_token_until_its_quota_is_refilled() {
        let quota = IngestQuota::default().limited(Some(100));
        let start = Timestamp::UNIX_EPOCH;
        let enter = |seconds| quota.enter("one", start + SignedDuration::from_secs(seconds)).map(drop);
        assert!(enter(0).is_ok());
        quota.charge("one", 1500, start);
        assert!(matches!(enter(0), Err(ApiError::TooManyRecords { seconds: 5 })));
        assert!(matches!(enter(3), Err(ApiError::TooManyRecords { seconds: 2 })));
        assert!(quota.enter("two", start).is_ok(), "other tokens have their own quota");
        assert!(enter(6).is_ok());
        assert!(enter(-100).is_ok(), "a clock that is set back uses no quota");
    }
}
