//! Fuzz targets of everything that programs read from each other and from users, except requests
//! under inspection, whose targets are in `node/engine/src/fuzzing.rs`.
//!
//! A target returns whether the input was valid, so that a test can check that its seeds reach the
//! code behind the parser.

mod edge;
mod logs;
mod messages;

pub use edge::{configure, connector_event, mark, verdict};
pub use logs::access_log;
pub use messages::{call_signature, ingest, message, ruleset};

use console_api::query::Filter;
use jiff::Timestamp;

/// A function that a fuzzer calls with its inputs.
pub type Target = fn(&[u8]) -> bool;

/// All targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("access_log", access_log),
    ("call_signature", call_signature),
    ("configure", configure),
    ("connector_event", connector_event),
    ("ingest", ingest),
    ("mark", mark),
    ("message", message),
    ("ruleset", ruleset),
    ("search", search),
    ("verdict", verdict),
];

/// A search of attacks. What it prints parses to the same filter.
pub fn search(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let now = Timestamp::UNIX_EPOCH;
    let Ok(filter) = Filter::parse(&text, now) else { return false };
    let printed = filter.to_string();
    assert_eq!(Filter::parse(&printed, now), Ok(filter), "{printed}");
    true
}
