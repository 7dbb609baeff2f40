//! The Lambda@Edge functions, without Lambda: a CloudFront event in, a CloudFront event or a block answer out.
//!
//! | module | holds |
//! |---|---|
//! | [`cloudfront`] | the events CloudFront sends and the replies it takes |
//! | [`parameters`] | `wlrm_*` of the launcher → [`Parameters`], or an error that names one |
//! | [`handler`] | [`Connector`]: event in → ask the node → reply |
//! | [`node_client`] | calls to the node, within a deadline |
//! | [`bypass`] | which requests the parameters exempt |
//! | [`real_ip`] | who the viewer is behind proxies |
//! | [`breaker`] | stops asking a node that does not answer |
//! | [`after_reply`] | the layer that sends what the visitor need not wait for |
//! | [`fallback`] | what happens when the node is silent, and the ledger of what was not inspected |
//! | [`block_page`] | what a blocked visitor sees |
//! | [`log`] | what the functions write to their log |
//! | [`bundle`] | the zips that go to Lambda |
//! | [`doctor`] | what would blind or break the connector on a distribution |

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
pub mod fallback;
#[cfg(feature = "function")]
pub mod handler;
pub mod log;
#[cfg(feature = "function")]
pub mod node_client;
pub mod parameters;
pub mod real_ip;

#[cfg(feature = "function")]
pub use handler::Connector;
pub use parameters::Parameters;

/// Sent with every call; also the `VERSION` in a bundle.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
