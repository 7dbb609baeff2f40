//! Tests of the program: start, stop, kill, and maintenance commands.

#![expect(clippy::unwrap_used, reason = "a failed step of the harness is a failed test")]

mod flood;
mod kill;
mod listener;
mod maintenance;
#[path = "../support/plain_secrets.rs"]
mod plain_secrets;
#[path = "../support/postgres.rs"]
mod postgres_server;
mod program;
mod proxies;
mod secrets;
mod starts;
