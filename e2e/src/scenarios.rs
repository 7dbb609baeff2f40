//! The scenarios: what a user of the whole system is promised, each shown on a stack of its own.

mod blocking;
mod faults;
mod out_of_band;
mod poisoning;
mod responses;
mod rules;
mod runtime;
mod survival;
pub(crate) mod world;

use crate::{
    bench,
    binaries::Binaries,
    chaos,
    stack::TriggerPair::{Mixed, Origin, Viewer},
};
use cloudfront_sim::cloudfront::ErrorCaching::{Documented, Pessimistic};
use std::{pin::Pin, process::ExitCode, time::Instant};

type Outcome<'a> = Pin<Box<dyn Future<Output = anyhow::Result<String>> + Send + 'a>>;

/// A promise, and how it is shown. What it returns is printed behind its name.
struct Scenario {
    name: &'static str,
    show: fn(&Binaries) -> Outcome<'_>,
}

/// `"the promise" => function, arguments;` where the function is given the programs first.
macro_rules! scenarios {
    ($($name:literal => $show:path $(, $argument:expr)*;)+) => {
        &[$(Scenario { name: $name, show: |binaries| Box::pin($show(binaries $(, $argument)*)) }),+]
    };
}

const SCENARIOS: &[Scenario] = scenarios! {
    "the functions run from the zips as the Rust program, frozen between requests" =>
        runtime::functions_are_the_rust_program;
    "a bundle whose program cannot run lets every request pass" =>
        runtime::unusable_program_lets_all_pass;
    "beside the Python function of the benchmark they send the same bytes and answer alike" =>
        bench::smoke;
    "a benign GET passes and is byte-identical at the origin, viewer triggers" =>
        blocking::benign_is_byte_identical, Viewer;
    "a benign GET passes and is byte-identical at the origin, origin triggers" =>
        blocking::benign_is_byte_identical, Origin;
    "GET /etc/passwd is blocked and listed as ptrav at uri, viewer triggers" =>
        blocking::path_traversal_is_blocked, Viewer;
    "GET /etc/passwd is blocked and listed as ptrav at uri, origin triggers" =>
        blocking::path_traversal_is_blocked, Origin;
    "in monitoring mode the same passes and is listed as monitoring" =>
        blocking::monitoring_lets_through;
    "in monitoring mode those with the secret are blocked, and the secret is in no hit" =>
        blocking::testers_are_blocked_in_monitoring;
    "exempt requests pass and are counted; paths that only look exempt are inspected" =>
        blocking::exempt_requests_are_counted;
    "with a signing key the node takes the functions' calls and no others" =>
        blocking::unsigned_calls_are_refused;
    "a block is not the next visitor's when errors are kept by AWS's table, with no-store and without" =>
        poisoning::next_visitor, poisoning::Row {
            error_caching: Documented, error_ttl: 10, with_no_store: 200, without: 200
        };
    "a block is the next visitor's, in spite of no-store, when errors are kept as long as a page allows, and the simulator warns" =>
        poisoning::next_visitor, poisoning::Row {
            error_caching: Pessimistic, error_ttl: 10, with_no_store: 403, without: 403
        };
    "without an error caching TTL a block is the next visitor's unless it says no-store" =>
        poisoning::next_visitor, poisoning::Row {
            error_caching: Pessimistic, error_ttl: 0, with_no_store: 200, without: 403
        };
    "?x='+OR+1=1 is sqli at get > x" =>
        blocking::sql_injection_is_found_at_its_parameter;
    "XSS is found in form, JSON and multipart bodies" =>
        blocking::xss_is_found_in_bodies;
    "an address denied at the console is blocked within a second, in monitoring too, and let in again" =>
        rules::a_denied_address_is_blocked_at_once;
    "a virtual patch blocks in monitoring within a second, and after a restart without the console" =>
        rules::a_virtual_patch_blocks_in_monitoring;
    "an exclusion lets the same request pass, and no other" =>
        rules::an_exclusion_lets_the_same_request_pass;
    "out of band the visitor is served before the node is called" =>
        out_of_band::reply_goes_before_the_call;
    "a hit shows the origin's status, viewer triggers" =>
        responses::hit_shows_the_status, Viewer, 200;
    "a hit shows the origin's status, origin triggers" =>
        responses::hit_shows_the_status, Origin, 404;
    "a hit shows the origin's status, viewer-request with origin-response" =>
        responses::hit_shows_the_status, Mixed, 503;
    "node stopped or hanging: requests pass, and the node learns of them once it is back" =>
        survival::node_is_away;
    "whatever is wrong with the node, the visitor is served within the deadline" =>
        faults::node_misbehaves;
    "node refuses connections or its name is unknown: the visitor is served within the deadline" =>
        faults::node_is_nowhere;
    "console killed during attacks: nothing is lost once it is back" =>
        survival::console_is_away;
    "node killed with -9 under attack: every block a visitor got is listed, none twice" =>
        survival::node_is_killed;
    "under load, node and console killed: every verdict is in the console, nothing twice, nothing unsent" =>
        chaos::nothing_is_lost;
    "the same with the spool emptied at the kill is found out" =>
        chaos::a_lost_spool_is_noticed;
};

/// Runs the scenarios whose name contains `only`.
pub async fn run(only: Option<&str>, repeat: u32) -> anyhow::Result<ExitCode> {
    let binaries = Binaries::build()?;
    let chosen: Vec<_> =
        SCENARIOS.iter().filter(|scenario| scenario.name.contains(only.unwrap_or_default())).collect();
    anyhow::ensure!(!chosen.is_empty(), "no scenario's name contains {only:?}");
    for round in 1..=repeat {
        if repeat > 1 {
            println!("round {round} of {repeat}");
        }
        let mut failed = 0;
        for scenario in &chosen {
            failed += u32::from(!scenario.run(&binaries).await);
        }
        println!("{} passed, {failed} failed", chosen.len() - failed as usize);
        if failed > 0 {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Scenario {
    async fn run(&self, binaries: &Binaries) -> bool {
        let start = Instant::now();
        let result = (self.show)(binaries).await;
        let seconds = start.elapsed().as_secs_f64();
        match &result {
            Ok(detail) if detail.is_empty() => println!("ok     {} ({seconds:.1} s)", self.name),
            Ok(detail) => println!("ok     {} ({seconds:.1} s): {detail}", self.name),
            Err(error) => println!("FAILED {} ({seconds:.1} s): {error:#}", self.name),
        }
        result.is_ok()
    }
}
