//! The node: takes requests from connectors, detects attacks, says allow or block, and loses no hit.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the YAML file → [`Config`], or an error that says where |
//! | [`app`] | the parts put together, served, and stopped in order |
//! | [`doors`] | how connections come in: TLS, HTTP/1.1 and HTTP/2, what each may take |
//! | [`admission`] | whose turn it is, and who is sent away when there is too much |
//! | [`server`] | the HTTP endpoints |
//! | [`routes`] | which settings hold for a request, by host and path |
//! | [`decision`] | findings and mode → verdict |
//! | [`hit`] | a request with attacks in it, as it is recorded |
//! | [`block_page`] | what the node offers a blocked visitor |
//! | [`spool`] | a hit is on disk before its verdict leaves; delivery to the console |
//! | [`recent`] | which requests had hits here, for the response reports that follow |
//! | [`explain`] | how a request is read and decided, for `wallarm-node explain` and `POST /v1/explain` |
//! | [`score`] | how the engine does on labelled requests |
//! | [`metrics`] | the counters |
//!
//! Detection itself is the crate `engine`: it knows nothing of servers, clocks or disks.

pub mod admission;
pub mod app;
pub mod block_page;
pub mod config;
pub mod decision;
pub mod doors;
pub mod explain;
pub mod hit;
pub mod metrics;
pub mod recent;
pub mod routes;
pub mod score;
pub mod server;
pub mod spool;

pub use config::Config;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");
