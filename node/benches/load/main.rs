//! What the node takes: calls a second with detection and without it, more calls than it can analyse, many connections at
//! rest, and memory over time. `just bench-node`; with `--endurance` also five million calls.
//!
//! Both nodes are the same program on loopback, one of them in mode `off`; they take turns, so that whatever else the
//! machine does disturbs both alike. The load generator shares the processors with them.

mod client;
mod crowd;
mod measure;
#[path = "../../engine/benches/requests.rs"]
mod requests;
mod table;
mod target;

use measure::{Outcome, closed, open, percentile};
use shared::InspectRequest;
use std::{process::ExitCode, sync::Arc, time::Duration};
use table::{Bodies, Bound, Row};
use target::Target;

type Make = fn() -> InspectRequest;

/// What is sent, and the least share of the calls without detection that the node must take with it.
const BODIES: &[(&str, Make, Option<f64>)] = &[
    ("GET, browser headers", requests::page, Some(0.6)),
    ("JSON, 1 KB", || requests::json(1_000), None),
    ("JSON, 40 KB", || requests::json(40_000), None),
    ("attack, recorded", requests::attack, None),
];
const ROUNDS: usize = 4;
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 32;

/// Enough that no call waits for a free connection, unless its answer takes longer than any should.
const OVERLOAD_CONNECTIONS: usize = 1_000;
/// At twice the load, admitted: p99 by p50.
const MOST_P99_BY_P50: f64 = 10.0;

const AT_REST: usize = 10_000;

const FEW_CALLS: u64 = 500_000;
const MANY_CALLS: u64 = 5_000_000;
/// Memory after many calls by memory after few.
const MOST_GROWTH: f64 = 1.05;

fn main() -> anyhow::Result<ExitCode> {
    let asked = |option: &str| std::env::args().any(|argument| argument == option);
    // `cargo test --benches` only asks whether it starts.
    if asked("--test") {
        return Ok(ExitCode::SUCCESS);
    }
    let folder = tempfile::tempdir()?;
    let off = Target::start(folder.path(), "off")?;
    let on = Target::start(folder.path(), "block")?;
    let mut bodies = Vec::new();
    for (name, make, bound) in BODIES {
        eprintln!("{name} …");
        bodies.push(compare(name, &call(*make)?, &off, &on, *bound)?);
    }
    println!("{}", table::bodies(&mut bodies));
    let mut rows = Vec::new();
    eprintln!("twice as much as it can …");
    rows.extend(overload(&call(|| requests::json(40_000))?, &on)?);
    eprintln!("connections at rest …");
    rows.push(at_rest(folder.path())?);
    if asked("--endurance") {
        rows.push(endurance(folder.path())?);
    }
    println!("{}", table::rows(&rows));
    let within = bodies.iter().all(Bodies::is_within) && rows.iter().all(Row::is_within);
    Ok(if within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn call(make: Make) -> anyhow::Result<Arc<[u8]>> {
    Ok(client::call(&make())?.into())
}

fn compare(
    name: &'static str,
    call: &Arc<[u8]>,
    off: &Target,
    on: &Target,
    bound: Option<f64>,
) -> anyhow::Result<Bodies> {
    let (mut without, mut with) = (Outcome::default(), Outcome::default());
    for _ in 0..ROUNDS {
        without.add(closed(off, call, CONNECTIONS, ROUND)?);
        with.add(closed(on, call, CONNECTIONS, ROUND)?);
    }
    Ok(Bodies { name, without, with, bound })
}

/// Large bodies, as for them it is the node that has too much to do, not the load generator.
fn overload(call: &Arc<[u8]>, node: &Target) -> anyhow::Result<[Row; 3]> {
    let capacity = closed(node, call, CONNECTIONS, ROUND * 2)?.per_second();
    let mut half = open(node, call, OVERLOAD_CONNECTIONS, capacity * 0.5, ROUND * 3)?;
    let mut double = open(node, call, OVERLOAD_CONNECTIONS, capacity * 2.0, ROUND * 3)?;
    let (p50, p99) = (percentile(&mut double.admitted, 50), percentile(&mut double.admitted, 99));
    let at_half = percentile(&mut half.admitted, 50);
    let all = double.admitted.len() + double.shed.len();
    Ok([
        Row {
            what: "40 KB at twice what it can: admitted, p99 by p50",
            measured: format!("{p99:.1?} by {p50:.1?}"),
            bound: Some(Bound { value: p99.as_secs_f64() / p50.as_secs_f64(), most: MOST_P99_BY_P50 }),
        },
        Row {
            // No bound: the load generator takes its share of the processors, more of it at twice the load.
            what: "the same by the p50 at half of what it can",
            measured: format!("{p99:.1?} by {at_half:.1?}"),
            bound: None,
        },
        Row {
            what: "of these calls answered 503",
            measured: format!(
                "{} of {all}, {:.1?} after they were due (p50); {} could not be sent in time",
                double.shed.len(),
                percentile(&mut double.shed, 50),
                double.unsent
            ),
            bound: None,
        },
    ])
}

fn at_rest(folder: &std::path::Path) -> anyhow::Result<Row> {
    let node = Target::start(folder, "monitoring")?;
    let (connections, bytes) = crowd::at_rest(&node, AT_REST)?;
    Ok(Row {
        what: "memory of connections at rest",
        measured: format!(
            "{connections} connections: {} MiB, {} KiB each",
            bytes >> 20,
            (bytes >> 10) / connections as u64
        ),
        bound: None,
    })
}

/// One call in a hundred is an attack, which is recorded.
fn endurance(folder: &std::path::Path) -> anyhow::Result<Row> {
    let node = Target::start(folder, "safe_blocking")?;
    let (page, attack) = (call(requests::page)?, call(requests::attack)?);
    let mut done = 0;
    let mut after_few = None;
    while done < MANY_CALLS {
        for (call, times) in [(&page, 49_500), (&attack, 500)] {
            done += measure::times(&node, call, CONNECTIONS, times)?;
        }
        let resident = node.resident()?;
        if done >= FEW_CALLS {
            after_few.get_or_insert(resident);
        }
        eprintln!("{done:>8} calls: {:.1} MiB", mebibytes(resident));
    }
    let (few, many) = (mebibytes(after_few.unwrap_or_default()), mebibytes(node.resident()?));
    Ok(Row {
        what: "memory after 5,000,000 calls by that after 500,000",
        measured: format!("{many:.1} MiB by {few:.1} MiB"),
        bound: Some(Bound { value: many / few, most: MOST_GROWTH }),
    })
}

#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
