//! Rules of the console: compiled once per ruleset, selected per request.
//!
//! | module | purpose |
//! |---|---|
//! | [`scope`] | the requests to which a rule applies |
//! | [`path`] | path normalization, for scopes and for the node's locations |
//! | [`point`] | matching of points |
//! | [`pattern`] | patterns of custom detectors |
//! | [`filter`] | the automata that find the detectors to run on a value |
//! | [`work`] | the steps that custom detectors may take on one request |
//! | [`book`] | all compiled rules; invalid ones are reported and left out |
//! | [`request`] | the rules that apply to one request |

mod book;
mod filter;
pub mod path;
mod pattern;
mod point;
mod request;
mod scope;
mod work;

pub use book::{RuleBook, RuleError, check, steps_per_byte};
pub use pattern::MAX_STEPS_PER_BYTE;
pub use point::{covers, overlaps};
pub use request::RequestRules;
pub use scope::{Target, normalize_host};
pub(crate) use work::{DetectorWork, Skipped};

#[cfg(test)]
mod tests;
