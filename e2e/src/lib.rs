//! The whole path of a request on one machine: what stands in for AWS, the stack of all parts, and the scenarios.
//!
//! In place of AWS, and of nothing else of the project's:
//!
//! - [`http1`]: a byte-exact HTTP/1.1 server and client; everything here speaks through it. HTTP/2 and TLS, too.
//! - [`lambda`]: the Lambda emulator. Runs a function's zip the way the managed Python runtime does.
//! - [`cloudfront`]: a distribution with its cache, calling functions at its four triggers.
//! - [`origin`]: a sample origin that remembers what reached it.
//! - [`certificates`]: for whoever listens with TLS.
//! - [`clock`]: the time of day, that tests move forward.
//! - [`faults`]: what goes wrong on purpose.
//! - [`admin`], [`access_log`], [`metrics`]: what people see of a running simulator.
//! - [`random`]: what a seed decides.
//!
//! The real parts around it:
//!
//! - [`binaries`]: builds the other crates' programs and the bundles.
//! - [`stack`]: starts, stops and kills the whole system.
//! - [`console`]: the console as somebody with a token sees it.
//! - [`faulty_node`]: does what nodes should not.
//! - [`tap`]: sees when the functions call the node.
//! - [`scenarios`]: what users are promised, shown.
//! - [`browser`], [`browsing`]: Chromium, and what people do with the console in it.
//! - [`chaos`]: load, kills, and whether every promise was kept.
//! - [`mod@bench`]: our function beside a Python function that does the same.
//! - [`bench_sim`]: how much the simulator itself bears.

pub mod access_log;
pub mod admin;
pub mod bench;
pub mod bench_sim;
pub mod binaries;
pub mod browser;
pub mod browsing;
pub mod certificates;
pub mod chaos;
pub mod clock;
pub mod cloudfront;
pub mod console;
pub mod faults;
pub mod faulty_node;
pub mod http1;
pub mod lambda;
pub mod metrics;
pub mod origin;
pub mod random;
pub mod scenarios;
pub mod stack;
pub mod tap;
