//! Warnings about permitted behavior.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

const REMEMBERED: usize = 100;

/// Warnings about permitted behavior with unexpected effects in production. Each text is logged
/// once while it is remembered.
#[derive(Debug, Default)]
pub(super) struct Warnings(Mutex<VecDeque<String>>);

impl Warnings {
    pub(super) fn warn(&self, text: String) {
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.contains(&text) {
            return;
        }
        tracing::warn!("{text}");
        if texts.len() == REMEMBERED {
            texts.pop_front();
        }
        texts.push_back(text);
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
