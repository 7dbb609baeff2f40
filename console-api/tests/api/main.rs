//! Tests of the router, each on its own database: on SQLite, then all again on PostgreSQL. One file
//! for each file of `src/routes`, and the pages.

#![expect(clippy::unwrap_used, reason = "a failed step of the harness is a failed test")]

mod account;
mod attacks;
mod audit;
mod authorisation;
mod cef;
mod changes;
mod connectors;
mod contents;
mod coverage;
mod exclusions;
mod facets;
mod harness;
mod health;
mod hit_searches;
mod hits;
mod ingest;
mod ip_lists;
mod limits;
mod marks;
mod metrics;
mod migrations;
mod node_config;
mod nodes;
mod not_inspected;
mod ocsf;
mod oidc;
mod oidc_provider;
mod openapi;
mod order;
mod overview;
mod pages;
#[path = "../support/plain_secrets.rs"]
mod plain_secrets;
mod postgres;
#[path = "../support/postgres.rs"]
mod postgres_server;
mod replays;
mod requests;
mod retention;
mod rule_tests;
mod rules;
mod rulesets;
mod secrets;
mod sessions;
mod streams;
mod suspicious;
mod tokens;
mod transfer;
mod users;
mod views;
mod webhooks;
