//! How much is taken in. The database takes deliveries one after the other; those beyond a few would only fill the memory, so
//! their nodes are told to come back, and so is a node that delivers more than its share. They keep the records until then.

use crate::error::ApiError;
use jiff::Timestamp;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const AT_ONCE: usize = 8;
/// What a token may deliver at once after it was silent, in seconds of its rate.
const BURST_SECONDS: f64 = 10.0;

#[derive(Clone)]
pub struct Intake {
    places: Arc<Semaphore>,
    /// Records a second, for each token.
    rate: Option<u32>,
    accounts: Arc<Mutex<HashMap<String, Account>>>,
}

/// What a token may still deliver; less than nothing after a batch that was larger than that.
struct Account {
    records: f64,
    at: Timestamp,
}

impl Default for Intake {
    fn default() -> Self {
        Self::of(AT_ONCE)
    }
}

impl Intake {
    pub fn of(at_once: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(at_once)), rate: None, accounts: Arc::default() }
    }

    /// With a limit for each token.
    #[must_use]
    pub fn limited(self, rate: Option<u32>) -> Self {
        Self { rate, ..self }
    }

    /// A place for one delivery of a token, held until it is settled.
    pub fn enter(&self, token: &str, now: Timestamp) -> Result<OwnedSemaphorePermit, ApiError> {
        self.account(token, 0, now).map_err(|seconds| ApiError::TooManyRecords { seconds })?;
        self.places.clone().try_acquire_owned().map_err(|_| ApiError::Busy)
    }

    /// Counts what a token delivered. A batch is never cut: what is too much is made up for by the next.
    pub fn charge(&self, token: &str, records: usize, now: Timestamp) {
        // It is in already, so there is nobody to tell.
        let _ = self.account(token, records, now);
    }

    /// Takes records off a token's account; when there was nothing left on it, the seconds until there is.
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
        #[expect(clippy::cast_precision_loss, reason = "a batch has no 2^52 records")]
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
    fn a_token_that_delivered_its_share_comes_back_when_there_is_more() {
        let intake = Intake::default().limited(Some(100));
        let start = Timestamp::UNIX_EPOCH;
        let enter = |seconds| intake.enter("one", start + SignedDuration::from_secs(seconds)).map(drop);
        assert!(enter(0).is_ok());
        intake.charge("one", 1500, start);
        assert!(matches!(enter(0), Err(ApiError::TooManyRecords { seconds: 5 })));
        assert!(matches!(enter(3), Err(ApiError::TooManyRecords { seconds: 2 })));
        assert!(intake.enter("two", start).is_ok(), "others have their own share");
        assert!(enter(6).is_ok());
        assert!(enter(-100).is_ok(), "a clock that goes back costs nothing");
    }
}
