//! The console: stores attacks and hits from nodes, with a REST API and pages.
//!
//! Layers, from the bottom. A module uses only modules of its own or a lower layer.
//!
//! | layer | modules |
//! |---|---|
//! | domain types | [`attack`], [`hit`], [`ruleset`], [`replay`], [`view`], [`webhook`], [`signing_key`], [`connectors`], [`access`], [`actor`], [`token`], [`password`], [`audit`], [`paging`], [`query`], [`grouping`], [`facet`], [`mod@column`], [`coverage`], [`prevention`], [`node_problem`], [`validation`], [`json_object`], [`clock`], [`sealing`], `country`, `digest`, `invisible`, `user_agent`, `attachment` |
//! | store | [`store`]: the database; the only module with SQL |
//! | services | [`authorities`], [`simulation`], [`overview`], [`notification`], [`retention`], [`seed`], [`bundles`], [`metrics`], [`ingest_quota`], [`caller_limit`], [`login_throttle`], [`change_notifier`], [`oidc`], [`error`] |
//! | use cases | [`use_cases`]: one function for each change |
//! | handlers | [`app`] (their shared state), [`transport`] (the client of a request), [`body_deadline`], [`extract`], [`session_cookie`], `openapi`, `routes` (the API), [`pages`] |
//! | program | [`server`], [`config`] |

pub mod access;
pub mod actor;
pub mod app;
mod attachment;
pub mod attack;
pub mod audit;
pub mod authorities;
pub mod body_deadline;
pub mod browser;
pub mod bundles;
pub mod caller_limit;
pub mod change_notifier;
pub mod clock;
pub mod column;
pub mod config;
pub mod connectors;
mod country;
pub mod coverage;
mod digest;
pub mod error;
pub mod extract;
pub mod facet;
pub mod grouping;
pub mod hit;
pub mod ingest_quota;
mod invisible;
pub mod json_object;
pub mod login_throttle;
pub mod metrics;
pub mod node_problem;
pub mod notification;
pub mod oidc;
mod openapi;
pub mod overview;
pub mod pages;
pub mod paging;
pub mod password;
pub mod prevention;
pub mod query;
pub mod replay;
pub mod retention;
mod routes;
pub mod ruleset;
pub mod sealing;
pub mod seed;
pub mod server;
pub mod session_cookie;
pub mod signing_key;
pub mod simulation;
pub mod store;
pub mod token;
pub mod transport;
pub mod use_cases;
mod user_agent;
pub mod validation;
pub mod view;
pub mod webhook;
