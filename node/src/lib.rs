//! The node: receives requests from connectors, detects attacks, decides, and records every hit.
//!
//! Layers, from the bottom; a module uses only those above it in this table.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`] | settings of a request, by host and path |
//! | [`config`] | the YAML file → [`Config`], or an error with its position |
//! | [`metrics`] | registration of metrics |
//! | [`log`] | the node's own log and the access log |
//! | [`console_client`] | the HTTP client for the console |
//! | [`policy`] | the ruleset in force, how it arrives, automatic lists |
//! | [`behaviour`] | counts of source behavior over time |
//! | [`mask`], [`cut`], [`hit`] | records of requests with attacks: sensitive values masked, long texts cut |
//! | [`spool`] | records on disk until the console has them |
//! | [`admission`] | bounded concurrency, load shedding |
//! | [`recent`], [`coverage`] | requests of connectors and access logs, counted once |
//! | [`connectors`], [`block_page`], [`trace_context`] | smaller parts of the server |
//! | [`explain`], [`score`] | the commands of these names; `POST /v1/explain` |
//! | [`server`] | the HTTP endpoints |
//! | [`log_files`] | access logs in files, and the command `ingest-logs` |
//! | [`reload`] | reload of the configuration |
//! | [`app`] | the parts built, served, and stopped in order |
//!
//! Detection is the crate `engine`, decision logic the crate `decision`: both are pure.

pub mod admission;
pub mod app;
mod atomic_file;
pub mod behaviour;
pub mod block_page;
pub mod config;
pub mod connectors;
mod console_client;
pub mod coverage;
mod cut;
pub mod explain;
pub mod hit;
pub mod log;
pub mod log_files;
mod mask;
mod metrics;
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
