//! Who asks, what was found and which mode holds → what is done. The order is that of `ARCHITECTURE.md`, "How a request
//! is decided".
//!
//! | module | holds |
//! |---|---|
//! | [`mode`] | the configuration's mode and the console's → the one that holds |
//! | [`judge`] | a request and all that decides about it → a judgement |
//! | [`matrix`] | mode × list × reason × delivery → ruling |

pub mod judge;
pub mod matrix;
pub mod mode;

pub use judge::{Judge, Judgement};
pub use matrix::{Facts, Found, Ruling, rule};
pub use mode::{EffectiveMode, ModeAllowOverride};

use shared::{Action, DecidedBy, Decision, Delivery, Enforced, Outcome};

impl Ruling {
    /// The ruling as it is recorded. A block counts as enforced until the console hears otherwise: from a connector that
    /// never got the verdict, or from an origin that answered after all.
    pub fn record(&self, mode: EffectiveMode, delivery: Delivery, decided_by: DecidedBy) -> Decision {
        let blocked = self.action == Action::Block;
        Decision {
            outcome: if blocked { Outcome::Blocked } else { Outcome::Monitored },
            reason: self.reason.clone(),
            mode: mode.mode,
            mode_source: mode.source,
            delivery,
            enforced: if blocked { Enforced::Yes } else { Enforced::No },
            decided_by,
        }
    }
}
