//! Integration tests: events of the four triggers, with a fake node.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod certificates;
mod handler;
mod harness;
mod node;
mod parameters;
mod stages;
mod tls;

const VIEWER_REQUEST: &str = include_str!("../../fixtures/viewer-request.json");
const ORIGIN_REQUEST: &str = include_str!("../../fixtures/origin-request.json");
const ORIGIN_RESPONSE: &str = include_str!("../../fixtures/origin-response.json");
const VIEWER_RESPONSE: &str = include_str!("../../fixtures/viewer-response.json");
