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

use decision::Policy;
use std::sync::{Arc, PoisonError, RwLock};

/// The policy in force. A request is decided by the policy it started with.
#[derive(Debug, Default)]
pub struct CurrentPolicy(RwLock<Arc<Policy>>);

impl CurrentPolicy {
    pub fn get(&self) -> Arc<Policy> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, policy: Policy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }
}
