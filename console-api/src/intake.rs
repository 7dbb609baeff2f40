//! How many deliveries are taken in at once. The database takes them one after the other; those beyond a few would only
//! fill the memory, so their nodes are told to come back. They keep the records until then.

use crate::error::ApiError;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const AT_ONCE: usize = 8;

#[derive(Clone)]
pub struct Intake(Arc<Semaphore>);

impl Default for Intake {
    fn default() -> Self {
        Self::of(AT_ONCE)
    }
}

impl Intake {
    pub fn of(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once)))
    }

    /// A place for one delivery, held until it is settled.
    pub fn enter(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        self.0.clone().try_acquire_owned().map_err(|_| ApiError::Busy)
    }
}
