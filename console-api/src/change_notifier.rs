//! Change notification: wakes long-polling nodes when rules or lists change.

use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// Shared by calls that change the ruleset and calls that wait for it.
#[derive(Debug, Clone)]
pub struct ChangeNotifier(Arc<watch::Sender<State>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The server shuts down: waiting calls return.
    Closed,
}

/// Waits for changes after the subscription.
pub struct Subscription(watch::Receiver<State>);

impl ChangeNotifier {
    pub fn announce(&self) {
        self.0.send_modify(|_| {});
    }

    pub fn close(&self) {
        self.0.send_replace(State::Closed);
    }

    pub fn subscribe(&self) -> Subscription {
        Subscription(self.0.subscribe())
    }
}

impl Default for ChangeNotifier {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::Open)))
    }
}

impl Subscription {
    /// Whether the server still runs.
    pub fn is_open(&self) -> bool {
        *self.0.borrow() == State::Open
    }

    /// Returns when the server shuts down.
    pub async fn closed(mut self) {
        // The sender outlives the calls.
        let _ = self.0.wait_for(|state| *state == State::Closed).await;
    }

    /// Returns at the next change, or after this time.
    pub async fn change(&mut self, at_most: Duration) {
        // The sender outlives the calls, so the only error is the timeout.
        let _ = timeout(at_most, self.0.changed()).await;
    }
}
