//! The whole system on one machine: the stack of all parts, and the tests and benches that run
//! against it.
//!
//! - [`binaries`]: the other crates' programs and the bundles.
//! - [`stack`]: starts, stops and kills the whole system.
//! - [`console`]: a client of the console's REST API.
//! - [`faulty_node`]: a node that misbehaves.
//! - [`tap`]: records when the functions call the node.
//! - [`exclusive`]: one test at a time.
//! - [`browser`], [`visit`]: Chromium, in front of the console.
//! - [`screenshots`]: the images of the documentation.
//! - [`chaos`]: load runs with kills, then a check for lost hits.
//! - [`mod@bench`]: the request function compared with a Python function that does the same work.
//! - [`bench_page`]: load times of pages.
//! - [`bench_sim`]: throughput of the simulator.

pub mod bench;
pub mod bench_page;
pub mod bench_sim;
pub mod binaries;
pub mod browser;
pub mod chaos;
pub mod console;
pub mod exclusive;
pub mod faulty_node;
mod markdown;
pub mod screenshots;
pub mod soak;
pub mod stack;
pub mod tap;
pub mod visit;
