//! The Lambda@Edge functions as a library: from a CloudFront event to the event or a block page.
//!
//! | module | contents |
//! |---|---|
//! | [`cloudfront`] | CloudFront events and replies |
//! | [`parameters`] | `wlrm_*` of the launcher → [`Parameters`], or an error that names one |
//! | [`handler`] | [`Connector`]: event → call to the node → reply |
//! | [`mark`] | the signed mark that the viewer stage leaves for the origin stage |
//! | [`node_client`] | HTTP client for the node, within a deadline |
//! | [`bypass`] | requests that the parameters exempt |
//! | [`real_ip`] | viewer address behind proxies |
//! | [`breaker`] | circuit breaker for the node |
//! | [`after_reply`] | layer for work after the reply |
//! | [`ledger`] | requests that were not inspected |
//! | [`block_page`] | response to a blocked request |
//! | [`log`] | structured log |
//! | [`bundle`] | zips for Lambda |
//! | [`doctor`] | hazard checks for a distribution |

#[cfg(feature = "function")]
pub mod after_reply;
#[cfg(feature = "function")]
pub mod block_page;
#[cfg(feature = "function")]
pub mod breaker;
#[cfg(feature = "bundle")]
pub mod bundle;
pub mod bypass;
pub mod cloudfront;
#[cfg(feature = "bundle")]
pub mod doctor;
#[cfg(feature = "function")]
pub mod handler;
#[cfg(feature = "function")]
pub mod ledger;
pub mod log;
pub mod mark;
#[cfg(feature = "function")]
pub mod node_client;
pub mod parameters;
pub mod real_ip;

#[cfg(feature = "function")]
pub use handler::Connector;
pub use parameters::Parameters;

/// Sent with every call; also the `VERSION` in a bundle.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
