//! The console: takes in what nodes recorded, groups it into attacks, and shows it by REST and as pages.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | flags → what to run with |
//! | [`app`] | what handlers share, and the server around them |
//! | `routes` | every address; one file for each kind of thing |
//! | `openapi` | the document of the API, from the handlers |
//! | [`pages`] | what people see in a browser |
//! | [`actor`], [`token`] | who calls, what they may do, and how they prove it |
//! | [`access`], [`password`], [`login_throttle`] | users, and how their sessions begin |
//! | [`audit`] | who changed what |
//! | [`extract`], [`paging`], [`error`] | what handlers take and answer |
//! | [`replay`], [`simulation`] | rules evaluated on recorded requests |
//! | [`ruleset`], [`change_notifier`] | rules and lists, and the nodes that wait for them |
//! | [`attack`], [`hit`] | what is known of an attack, of a hit |
//! | [`view`] | searches that people keep |
//! | [`webhook`], [`notification`] | signed attack notifications |
//! | [`intake`] | how much is taken in at once, and from each token |
//! | [`metrics`] | the counters |
//! | [`query`] | the search language |
//! | [`grouping`] | which hits belong together |
//! | [`bundles`], [`connectors`], [`signing_key`] | the connector's zips, handed out with parameters; which of them call our nodes, and what they sign with |
//! | [`retention`] | what is forgotten |
//! | [`seed`] | made-up attacks |
//! | [`store`] | the database; only here is SQL written |

pub mod access;
pub mod actor;
pub mod app;
mod attachment;
pub mod attack;
pub mod audit;
pub mod bundles;
pub mod change_notifier;
pub mod clock;
pub mod config;
pub mod connectors;
mod digest;
pub mod error;
pub mod extract;
pub mod grouping;
pub mod hit;
pub mod intake;
pub mod json_object;
pub mod login_throttle;
pub mod metrics;
pub mod notification;
mod openapi;
pub mod pages;
pub mod paging;
pub mod password;
pub mod query;
pub mod replay;
pub mod retention;
mod routes;
pub mod ruleset;
pub mod seed;
pub mod server;
pub mod session_cookie;
pub mod signing_key;
pub mod simulation;
pub mod store;
pub mod token;
pub mod use_cases;
pub mod validation;
pub mod view;
pub mod webhook;
