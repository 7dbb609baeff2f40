//! What operators add to the built-in detection: rules, compiled once, picked for each request.
//!
//! | module | holds |
//! |---|---|
//! | [`scope`] | which requests a rule is for |
//! | [`path`] | the path that scopes, and the node's locations, are compared with |
//! | [`point`] | which places in a request |
//! | [`pattern`] | what a custom detector looks for |
//! | [`book`] | all rules, compiled; those that cannot be are told and left out |
//! | [`request`] | the rules that hold for one request |

mod book;
pub mod path;
mod pattern;
mod point;
mod request;
mod scope;

pub use book::{RuleBook, RuleError, check};
pub use point::{covers, overlaps};
pub use request::RequestRules;
pub use scope::{Target, bare};

#[cfg(test)]
mod tests;
