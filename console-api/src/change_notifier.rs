//! Tells nodes that wait when rules or lists change.

use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Shared by the calls that change something and those that wait.
#[derive(Debug, Clone)]
pub struct ChangeNotifier(Arc<watch::Sender<State>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The server ends: nobody should wait any longer.
    Closed,
}

/// Waits for changes since it was made.
pub struct Waiting(watch::Receiver<State>);

impl ChangeNotifier {
    pub fn announce(&self) {
        self.0.send_modify(|_| {});
    }

    pub fn close(&self) {
        self.0.send_replace(State::Closed);
    }

    pub fn subscribe(&self) -> Waiting {
        Waiting(self.0.subscribe())
    }
}

impl Default for ChangeNotifier {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::Open)))
    }
}

impl Waiting {
    /// Whether waiting still makes sense.
    pub fn is_open(&self) -> bool {
        *self.0.borrow() == State::Open
    }

    /// Until the next change, or for as long as this.
    pub async fn change(&mut self, at_most: Duration) {
        // The sender outlives the calls, so the only error is that time is up.
        let _ = timeout(at_most, self.0.changed()).await;
    }
}
