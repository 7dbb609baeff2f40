//! Ledger of requests that were not inspected, kept until a node has acknowledged them.

use jiff::Timestamp;
use shared::{NotInspected, NotInspectedReason, RequestId};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// Requests of this execution environment that were not inspected.
///
/// Bounded, as an outage may last for hours: a full ledger drops its oldest entry.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Pending>);

#[derive(Debug, Default)]
struct Pending {
    entries: VecDeque<NotInspected>,
    /// Requests that the parameters exempt are only counted, as there may be many.
    bypassed: u64,
}

/// A full ledger dropped its oldest entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Dropped;

impl Ledger {
    const MAX_ENTRIES: usize = 10_000;
    /// Limits the size of a call.
    const MAX_PER_CALL: usize = 200;

    pub fn record(&self, request_id: RequestId, reason: NotInspectedReason) -> Result<(), Dropped> {
        let entry = NotInspected { id: Uuid::new_v4(), request_id, reason, at: Timestamp::now() };
        let entries = &mut self.lock().entries;
        entries.push_back(entry);
        if entries.len() <= Self::MAX_ENTRIES {
            return Ok(());
        }
        entries.pop_front();
        Err(Dropped)
    }

    pub fn record_bypassed(&self) {
        let pending = &mut *self.lock();
        pending.bypassed = pending.bypassed.saturating_add(1);
    }

    /// The entries for the next call.
    pub fn pending(&self) -> Vec<NotInspected> {
        self.lock().entries.iter().take(Self::MAX_PER_CALL).cloned().collect()
    }

    pub fn bypassed(&self) -> Option<u64> {
        Some(self.lock().bypassed).filter(|count| *count > 0)
    }

    /// Removes the entries that a successful call has reported.
    pub fn acknowledge(&self, reported: &[NotInspected], bypassed: Option<u64>) {
        let pending = &mut *self.lock();
        pending.bypassed = pending.bypassed.saturating_sub(bypassed.unwrap_or_default());
        if !reported.is_empty() {
            pending.entries.retain(|entry| !reported.iter().any(|known| known.id == entry.id));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(ledger: &Ledger, id: &str) -> Result<(), Dropped> {
        ledger.record(RequestId::derive("E1", id), NotInspectedReason::NodeTimeout)
    }

    #[test]
    fn keeps_an_entry_until_it_is_acknowledged() {
        let ledger = Ledger::default();
        record(&ledger, "a").unwrap();
        ledger.record_bypassed();
        let (reported, bypassed) = (ledger.pending(), ledger.bypassed());
        record(&ledger, "b").unwrap();
        ledger.record_bypassed();
        assert_eq!(
            (ledger.pending().len(), ledger.bypassed()),
            (2, Some(2)),
            "reporting alone removes nothing"
        );
        ledger.acknowledge(&reported, bypassed);
        assert_eq!((ledger.pending().len(), ledger.bypassed()), (1, Some(1)));
        assert_eq!(ledger.pending()[0].request_id, RequestId::derive("E1", "b"));
    }

    #[test]
    fn drops_its_oldest_entry_when_full() {
        let ledger = Ledger::default();
        for n in 0..Ledger::MAX_ENTRIES {
            record(&ledger, &n.to_string()).unwrap();
        }
        assert_eq!(record(&ledger, "one more"), Err(Dropped));
        assert_eq!(ledger.lock().entries.len(), Ledger::MAX_ENTRIES);
        assert_eq!(ledger.pending()[0].request_id, RequestId::derive("E1", "1"));
        assert_eq!(ledger.pending().len(), Ledger::MAX_PER_CALL);
    }
}
