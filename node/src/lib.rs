//! The node: takes requests from connectors, detects attacks, says allow or block, and loses no hit.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | the YAML file → [`Config`], or an error that says where |
//! | [`app`] | the parts put together, served, and stopped in order |
//! | [`doors`] | how connections come in: TLS, HTTP/1.1 and HTTP/2, what each may take |
//! | [`admission`] | whose turn it is, and who is sent away when there is too much |
//! | [`server`] | the HTTP endpoints |
//! | [`policy`] | the console's rules and lists, compiled, and how they get here |
//! | [`routes`] | which settings hold for a request, by host and path |
//! | [`behaviour`] | what sources do over time, counted |
//! | [`hit`] | a request with attacks in it, as it is recorded |
//! | [`mask`] | what is taken out of records |
//! | [`http_client`] | for calls to the console |
//! | [`block_page`] | what the node offers a blocked visitor |
//! | [`spool`] | a hit is on disk before its verdict leaves; delivery to the console |
//! | [`recent`] | which requests had hits here, for the response reports that follow |
//! | [`explain`] | how a request is read and decided, for `wallarm-node explain` and `POST /v1/explain` |
//! | [`reload`] | the configuration read again while the node runs |
//! | [`score`] | how the engine does on labelled requests |
//! | [`connectors`] | who calls the node |
//! | [`metrics`] | the counters |
//! | [`log`], [`access_log`] | what the node says of itself, and of each request |
//!
//! Detection is the crate `engine`, decision logic the crate `decision`: both are pure.

pub mod access_log;
pub mod admission;
pub mod app;
pub mod behaviour;
pub mod block_page;
pub mod config;
pub mod connectors;
pub mod doors;
pub mod explain;
pub mod hit;
mod http_client;
pub mod log;
mod mask;
pub mod metrics;
pub mod policy;
pub mod recent;
pub mod reload;
pub mod routes;
pub mod score;
pub mod server;
pub mod spool;
mod trace_context;

pub use config::Config;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");
