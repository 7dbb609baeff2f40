//! Events of the four triggers against a node that answers as told: what CloudFront gets back, and what the node gets.

#![expect(clippy::unwrap_used, reason = "a test fails by it; clippy exempts only functions marked as tests")]

mod certificates;
mod handler;
mod node;
mod parameters;
mod tls;
mod world;

const VIEWER_REQUEST: &str = include_str!("../../fixtures/viewer-request.json");
const ORIGIN_REQUEST: &str = include_str!("../../fixtures/origin-request.json");
const ORIGIN_RESPONSE: &str = include_str!("../../fixtures/origin-response.json");
const VIEWER_RESPONSE: &str = include_str!("../../fixtures/viewer-response.json");
