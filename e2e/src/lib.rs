//! The whole system on one machine: the stack of all parts, and the tests and benches that run against it.
//!
//! - [`binaries`]: the other crates' programs and the bundles.
//! - [`stack`]: starts, stops and kills the whole system.
//! - [`console`]: a client of the console's REST API.
//! - [`faulty_node`]: a node that misbehaves.
//! - [`tap`]: records when the functions call the node.
//! - [`scenarios`]: what users are promised, shown.
//! - [`browser`], [`browsing`]: Chromium, and the UI tests.
//! - [`chaos`]: load and kills, then a check of every promise.
//! - [`mod@bench`]: the request function compared with a Python function that does the same work.
//! - [`bench_sim`]: throughput of the simulator.

pub mod bench;
pub mod bench_sim;
pub mod binaries;
pub mod browser;
pub mod browsing;
pub mod chaos;
pub mod console;
pub mod faulty_node;
pub mod scenarios;
pub mod stack;
pub mod tap;
