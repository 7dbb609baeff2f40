//! Retention settings, and the task that applies them.

use crate::{
    clock::Clock,
    error::with_sources,
    store::{Store, StoreError},
};
use jiff::SignedDuration;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Retention of webhook deliveries.
const DELIVERIES: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Retention of inactive connectors.
const CONNECTORS: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Retention of refused sign-ins, which clients without credentials cause.
const REFUSED_SIGN_INS: SignedDuration = SignedDuration::from_hours(30 * 24);
const PAUSE: Duration = Duration::from_mins(10);

/// Limits of stored data; without a limit, data is kept forever.
#[derive(Debug, Clone, Copy, Default)]
pub struct Retention {
    pub days: Option<u32>,
    pub hits: Option<u64>,
}

impl Retention {
    /// Applies retention periodically until `stop`.
    pub async fn run(self, store: Store, clock: Clock, stop: CancellationToken) {
        loop {
            match self.apply(&store, clock).await {
                Ok(0) => {}
                Ok(hits) => tracing::info!(hits, "deleted old hits"),
                Err(error) => {
                    tracing::error!(error = with_sources(&error), "cannot apply retention");
                }
            }
            if stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                return;
            }
        }
    }

    /// Returns the number of deleted hits.
    pub async fn apply(self, store: &Store, clock: Clock) -> Result<u64, StoreError> {
        store.delete_deliveries(clock.now() - DELIVERIES).await?;
        store.delete_previous_secrets(clock.now()).await?;
        store.delete_connectors(clock.now() - CONNECTORS).await?;
        store.delete_refused_sign_ins(clock.now() - REFUSED_SIGN_INS).await?;
        store.delete_unknown_networks(clock.now()).await?;
        store.delete_rule_hours(clock.now()).await?;
        store.delete_old_coverage(clock.now()).await?;
        let mut deleted = 0;
        if let Some(days) = self.days {
            let limit = clock.now() - SignedDuration::from_hours(24 * i64::from(days));
            deleted += store.delete_before(limit).await?;
        }
        if let Some(hits) = self.hits {
            deleted += store.delete_beyond(hits).await?;
        }
        Ok(deleted)
    }
}
