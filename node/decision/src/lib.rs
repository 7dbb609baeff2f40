//! Decision logic: from a request, its settings and a policy to a verdict.
//!
//! Pure: no runtime, no clock, no log. The node calls it for each request, the console for recorded
//! ones, so that a simulation decides as the node does. The order of evaluation is that of
//! `ARCHITECTURE.md`, "How a request is decided".
//!
//! | module | holds |
//! |---|---|
//! | [`mode`] | the configured mode and the console's mode rule → the effective mode |
//! | [`lists`] | the console's lists: networks of any width, countries, autonomous systems |
//! | [`policy`] | a compiled ruleset: rules, lists and a summary |
//! | [`evaluate`] | a request, its settings and its source → an evaluation |
//! | `truncation` | a truncated body → what is refused of it |
//! | [`matrix`] | mode × list × detection × delivery → ruling |

pub mod evaluate;
pub mod lists;
pub mod matrix;
pub mod mode;
pub mod policy;
mod truncation;

pub use evaluate::{Evaluation, Evaluator, NoSourceState, Observation, SourceState};
pub use lists::{GeoFields, ListMatch, Lists, Visitor};
pub use matrix::{Detection, Facts, Ruling};
pub use mode::{EffectiveMode, ModeAllowOverride, RouteSettings};
pub use policy::{Policy, PolicySummary};
