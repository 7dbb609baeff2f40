//! What happens when the node is silent: the request goes its fail mode's way, and is remembered until the node knows.

use crate::node_client::CallError;
use jiff::Timestamp;
use shared::{NotInspected, NotInspectedReason, RequestId};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// The requests of this execution environment that no node has inspected, until a call that told of them succeeded.
///
/// Bounded: an environment lives for hours, a dead node may too. Beyond the bound the oldest go, and the caller is told.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Untold>);

#[derive(Debug, Default)]
struct Untold {
    entries: VecDeque<NotInspected>,
    /// Of these only the number matters: the parameters exempt them, and there may be many.
    bypassed: u64,
}

/// The ledger had to forget its oldest entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Forgot;

impl Ledger {
    const MAX_ENTRIES: usize = 10_000;
    /// One call tells of at most this many, so that no call grows large.
    const MAX_PER_CALL: usize = 200;

    pub fn note(&self, request_id: RequestId, reason: NotInspectedReason) -> Result<(), Forgot> {
        let entry = NotInspected { id: Uuid::new_v4(), request_id, reason, at: Timestamp::now() };
        let entries = &mut self.untold().entries;
        entries.push_back(entry);
        if entries.len() <= Self::MAX_ENTRIES {
            return Ok(());
        }
        entries.pop_front();
        Err(Forgot)
    }

    pub fn note_bypassed(&self) {
        let untold = &mut *self.untold();
        untold.bypassed = untold.bypassed.saturating_add(1);
    }

    /// What the next call should tell.
    pub fn pending(&self) -> Vec<NotInspected> {
        self.untold().entries.iter().take(Self::MAX_PER_CALL).cloned().collect()
    }

    pub fn bypassed(&self) -> Option<u64> {
        Some(self.untold().bypassed).filter(|count| *count > 0)
    }

    /// Forgets what a call that succeeded has told.
    pub fn told(&self, told: &[NotInspected], bypassed: Option<u64>) {
        let untold = &mut *self.untold();
        untold.bypassed = untold.bypassed.saturating_sub(bypassed.unwrap_or_default());
        if !told.is_empty() {
            untold.entries.retain(|entry| !told.iter().any(|gone| gone.id == entry.id));
        }
    }

    fn untold(&self) -> MutexGuard<'_, Untold> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reason code of a failed call.
pub fn reason(error: &CallError) -> NotInspectedReason {
    match error {
        CallError::BreakerOpen => NotInspectedReason::BreakerOpen,
        CallError::Deadline(_) => NotInspectedReason::NodeTimeout,
        CallError::Connection(_) => NotInspectedReason::NodeUnreachable,
        CallError::Status(_) => NotInspectedReason::NodeError,
        CallError::Broken(_) | CallError::Reply(_) | CallError::ForeignVerdict => {
            NotInspectedReason::NodeReply
        }
        CallError::Encode(_) => NotInspectedReason::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(ledger: &Ledger, id: &str) -> Result<(), Forgot> {
        ledger.note(RequestId::derive("E1", id), NotInspectedReason::NodeTimeout)
    }

    #[test]
    fn an_entry_stays_until_a_call_that_told_it_succeeded() {
        let ledger = Ledger::default();
        note(&ledger, "a").unwrap();
        ledger.note_bypassed();
        let (told, bypassed) = (ledger.pending(), ledger.bypassed());
        note(&ledger, "b").unwrap();
        ledger.note_bypassed();
        assert_eq!(
            (ledger.pending().len(), ledger.bypassed()),
            (2, Some(2)),
            "telling alone forgets nothing"
        );
        ledger.told(&told, bypassed);
        assert_eq!((ledger.pending().len(), ledger.bypassed()), (1, Some(1)));
        assert_eq!(ledger.pending()[0].request_id, RequestId::derive("E1", "b"));
    }

    #[test]
    fn the_ledger_is_bounded_and_says_when_it_drops_its_oldest() {
        let ledger = Ledger::default();
        for n in 0..Ledger::MAX_ENTRIES {
            note(&ledger, &n.to_string()).unwrap();
        }
        assert_eq!(note(&ledger, "one more"), Err(Forgot));
        assert_eq!(ledger.untold().entries.len(), Ledger::MAX_ENTRIES);
        assert_eq!(ledger.pending()[0].request_id, RequestId::derive("E1", "1"));
        assert_eq!(ledger.pending().len(), Ledger::MAX_PER_CALL);
    }
}
