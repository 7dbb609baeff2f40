//! Webhooks and their queued deliveries.

pub(crate) mod attempts;
pub(crate) mod deliveries;
pub(crate) mod digests;
pub(crate) mod events;
pub(crate) mod sealed_webhook;
pub(crate) mod webhooks;
