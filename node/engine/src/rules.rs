//! Rules of the console: compiled once per ruleset, selected per request.
//!
//! | module | purpose |
//! |---|---|
//! | [`scope`] | the requests to which a rule applies |
//! | [`path`] | path normalization, for scopes and for the node's locations |
//! | [`point`] | matching of points |
//! | [`pattern`] | patterns of custom detectors |
//! | [`book`] | all compiled rules; invalid ones are reported and left out |
//! | [`request`] | the rules that apply to one request |

mod book;
pub mod path;
mod pattern;
mod point;
mod request;
mod scope;

pub use book::{RuleBook, RuleError, check};
pub use point::{covers, overlaps};
pub use request::RequestRules;
pub use scope::{Target, normalize_host};

#[cfg(test)]
mod tests;
