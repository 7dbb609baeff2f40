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
/// Bounded: an environment lives for hours, a dead node may too. Beyond the bound the oldest go, and a log line says so.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<VecDeque<NotInspected>>);

impl Ledger {
    const MAX_ENTRIES: usize = 10_000;
    /// One call tells of at most this many, so that no call grows large.
    const MAX_PER_CALL: usize = 200;

    pub fn note(&self, request_id: RequestId, reason: NotInspectedReason) {
        let entry = NotInspected { id: Uuid::new_v4(), request_id, reason, at: Timestamp::now() };
        let mut entries = self.entries();
        if entries.len() == Self::MAX_ENTRIES {
            entries.pop_front();
            log_line(&[("message", "the ledger is full: forgot its oldest request not inspected")]);
        }
        entries.push_back(entry);
    }

    /// What the next call should tell.
    pub fn pending(&self) -> Vec<NotInspected> {
        self.entries().iter().take(Self::MAX_PER_CALL).cloned().collect()
    }

    /// Forgets what a call that succeeded has told.
    pub fn told(&self, told: &[NotInspected]) {
        if !told.is_empty() {
            self.entries().retain(|entry| !told.iter().any(|gone| gone.id == entry.id));
        }
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<NotInspected>> {
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

/// One line of JSON for CloudWatch, where each field can be searched.
pub fn log_line(fields: &[(&str, &str)]) {
    let line: serde_json::Map<_, _> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    eprintln!("{}", serde_json::Value::Object(line));
}

/// The line each request without a verdict leaves.
pub fn log_not_inspected(request_id: RequestId, reason: &NotInspectedReason, cause: &str) {
    log_line(&[
        ("message", "not inspected"),
        ("request_id", &request_id.to_string()),
        ("reason", reason.as_str()),
        ("cause", cause),
    ]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_until_a_call_that_told_it_succeeded() {
        let ledger = Ledger::default();
        ledger.note(RequestId::derive("E1", "a"), NotInspectedReason::NodeTimeout);
        let told = ledger.pending();
        ledger.note(RequestId::derive("E1", "b"), NotInspectedReason::NodeTimeout);
        assert_eq!(ledger.pending().len(), 2, "telling alone forgets nothing");
        ledger.told(&told);
        let left = ledger.pending();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].request_id, RequestId::derive("E1", "b"));
    }

    #[test]
    fn the_ledger_is_bounded_and_drops_its_oldest() {
        let ledger = Ledger::default();
        for n in 0..=Ledger::MAX_ENTRIES {
            ledger.note(RequestId::derive("E1", &n.to_string()), NotInspectedReason::NodeTimeout);
        }
        assert_eq!(ledger.entries().len(), Ledger::MAX_ENTRIES);
        assert_eq!(ledger.pending()[0].request_id, RequestId::derive("E1", "1"));
        assert_eq!(ledger.pending().len(), Ledger::MAX_PER_CALL);
    }
}
