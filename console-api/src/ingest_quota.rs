//! Admission of batches from nodes: bounded concurrency, of each token and in total, and a record rate
//! per token.
//!
//! The database writes batches one after the other, so more concurrent ones would only use memory. A
//! batch that arrives slowly occupies its token, not the database. A rejected node keeps its records
//! and retries.

use crate::error::ApiError;
use jiff::Timestamp;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Batches that are stored at a time.
const MAX_CONCURRENT: usize = 8;
/// Batches in memory, for each that is stored.
const MAX_RECEIVING: usize = 4;
/// Of `MAX_RECEIVING`: a token may be that of a whole fleet.
const MAX_OF_A_TOKEN: usize = MAX_CONCURRENT * MAX_RECEIVING / 2;
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
/// The burst of a token, in seconds of its rate.
const BURST_SECONDS: f64 = 10.0;

#[derive(Clone)]
pub struct IngestQuota {
    receiving: Arc<Semaphore>,
    storing: Arc<Semaphore>,
    /// How long a batch waits for others of its token, and a received one to be stored.
    queue_timeout: Duration,
    /// Records per second for each token.
    rate: Option<u32>,
    accounts: Arc<Mutex<HashMap<String, Account>>>,
}

/// The remaining quota of a token; negative after a batch that exceeded it.
struct Account {
    records: f64,
    at: Timestamp,
    batches: Arc<Semaphore>,
}

/// A batch that may be received.
pub struct Receiving {
    _of_token: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Default for IngestQuota {
    fn default() -> Self {
        Self::of(MAX_CONCURRENT)
    }
}

impl IngestQuota {
    pub fn of(max_concurrent: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        let (receiving, storing) = (semaphore(max_concurrent * MAX_RECEIVING), semaphore(max_concurrent));
        Self { receiving, storing, queue_timeout: QUEUE_TIMEOUT, rate: None, accounts: Arc::default() }
    }

    /// With a record rate for each token.
    #[must_use]
    pub fn limited(self, rate: Option<u32>) -> Self {
        Self { rate, ..self }
    }

    /// A permit to receive a batch of a token, held until the batch is stored.
    pub async fn receive(&self, token: &str, now: Timestamp) -> Result<Receiving, ApiError> {
        let batches = self.account(token, 0, now).map_err(|seconds| ApiError::TooManyRecords { seconds })?;
        let of_token = self.wait_for(batches).await?;
        let of_all = self.receiving.clone().try_acquire_owned().map_err(|_| ApiError::Busy)?;
        Ok(Receiving { _of_token: of_token, _of_all: of_all })
    }

    /// A permit to store a received batch.
    pub async fn store(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.wait_for(self.storing.clone()).await
    }

    async fn wait_for(&self, semaphore: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, ApiError> {
        let permit = timeout(self.queue_timeout, semaphore.acquire_owned()).await;
        permit.map_err(|_| ApiError::Busy)?.map_err(|_| ApiError::Busy)
    }

    /// Counts the hits and reports of a batch. A batch is never cut: the excess delays the next one.
    pub fn charge(&self, token: &str, records: usize, now: Timestamp) {
        // The batch is already admitted.
        let _ = self.account(token, records, now);
    }

    /// Subtracts records from a token's account; the seconds to wait if it is empty.
    fn account(&self, token: &str, records: usize, now: Timestamp) -> Result<Arc<Semaphore>, u64> {
        let full = self.rate.map_or(0.0, f64::from) * BURST_SECONDS;
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let account = accounts.entry(token.to_owned()).or_insert_with(|| Account {
            records: full,
            at: now,
            batches: Arc::new(Semaphore::new(MAX_OF_A_TOKEN)),
        });
        let Some(rate) = self.rate.map(f64::from) else { return Ok(account.batches.clone()) };
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
        Ok(account.batches.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[tokio::test]
    async fn rejects_a_token_until_its_quota_is_refilled() {
        let quota = IngestQuota::default().limited(Some(100));
        let start = Timestamp::UNIX_EPOCH;
        let enter =
            async |seconds| quota.receive("one", start + SignedDuration::from_secs(seconds)).await.map(drop);
        assert!(enter(0).await.is_ok());
        quota.charge("one", 1500, start);
        assert!(matches!(enter(0).await, Err(ApiError::TooManyRecords { seconds: 5 })));
        assert!(matches!(enter(3).await, Err(ApiError::TooManyRecords { seconds: 2 })));
        assert!(quota.receive("two", start).await.is_ok(), "other tokens have their own quota");
        assert!(enter(6).await.is_ok());
        assert!(enter(-100).await.is_ok(), "a clock that is set back uses no quota");
    }

    #[tokio::test]
    async fn slow_batches_of_a_token_do_not_occupy_others() {
        let quota = IngestQuota { queue_timeout: Duration::from_millis(50), ..IngestQuota::default() };
        let receive = |token| quota.receive(token, Timestamp::UNIX_EPOCH);
        let mut slow = Vec::new();
        for _ in 0..MAX_OF_A_TOKEN {
            slow.push(receive("one").await.unwrap());
        }
        assert!(matches!(receive("one").await, Err(ApiError::Busy)));
        let other = receive("two").await.unwrap();
        assert!(quota.store().await.is_ok());
        let (waiting, ()) = tokio::join!(receive("one"), async { drop(slow) });
        assert!(waiting.is_ok(), "a batch waits for others of its token");
        drop(other);
    }
}
