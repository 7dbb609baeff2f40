//! Webhooks and their queued deliveries.

pub(crate) mod deliveries;
pub(crate) mod webhooks;
