//! The policy in force: how it arrives, and the state about sources that the node adds to it.
//!
//! | module | holds |
//! |---|---|
//! | [`automatic`] | sources that this node has put on a list, each for a time |
//! | [`feed`] | long polling of the console for the ruleset |
//! | [`geoip`] | the country and the autonomous system of an address |
//! | [`copy`] | the last good ruleset on disk, for starts without the console |

pub mod automatic;
pub mod copy;
pub mod feed;
pub mod geoip;

pub use automatic::AutomaticLists;
pub use geoip::GeoIp;

use crate::metrics::on_scrape;
use decision::Policy;
use prometheus_client::registry::Registry;
use std::sync::{Arc, PoisonError, RwLock};

/// The policy in force. A request is decided by the policy it started with.
#[derive(Debug, Default)]
pub struct CurrentPolicy(RwLock<Arc<Policy>>);

impl CurrentPolicy {
    pub fn get(&self) -> Arc<Policy> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Registers the series of the ruleset.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        let current = self.clone();
        on_scrape(registry, move |scrape| {
            let summary = &current.get().summary;
            let version = summary.version.unwrap_or_default();
            let name = "http_inspector_ruleset_content_version";
            scrape.gauge(name, "Version of the ruleset in force; 0 before the first", version)?;
            scrape.gauge("ruleset_rules", "Rules of the ruleset in force", summary.rules as u64)?;
            scrape.gauge(
                "ruleset_list_entries",
                "Entries of the console's lists",
                summary.list_entries as u64,
            )
        });
    }

    pub fn replace(&self, policy: Policy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }
}
