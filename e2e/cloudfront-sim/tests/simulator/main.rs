//! The simulator with small Python functions in real processes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod behaviors;
mod binary;
mod cache;
mod caching;
mod collapsing;
mod conventions;
mod edge;
mod error_caching;
mod events;
mod harness;
mod header_rules;
mod http2_tls;
mod input;
mod lambda;
mod limits;
mod process;
mod rules;
mod streaming;
mod websocket;

use harness::python;

/// The minimal client is for machines without AWS's; CI must use AWS's.
#[test]
fn ci_uses_awslambdaric() {
    eprintln!("functions run with {}", python());
    let in_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!in_ci || python().is_aws(), "CI needs awslambdaric; found {}", python());
}
