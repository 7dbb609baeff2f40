//! Load benchmark: throughput with and without detection, overload, idle connections, and memory
//! over time. Run by `just bench-node`; `--endurance` adds five million calls.
//!
//! Two nodes on loopback, one of them in mode `off`, measured alternately, so that other load
//! affects both alike. The load generator shares the processors with them.

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

/// Requests, and the required throughput relative to that without detection.
const BODIES: &[(&str, Make, Option<f64>)] = &[
    ("GET, browser headers", requests::page, Some(0.6)),
    ("JSON, 1 KB", || requests::json(1_000), None),
    ("JSON, 40 KB", || requests::json(40_000), None),
    ("attack, recorded", requests::attack, None),
];
const ROUNDS: usize = 4;
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 32;

/// Enough that calls do not wait for a free connection.
const OVERLOAD_CONNECTIONS: usize = 1_000;
/// Upper bound of p99 / p50 of admitted calls at twice the capacity.
const MAX_P99_BY_P50: f64 = 10.0;

const AT_REST: usize = 10_000;

const FEW_CALLS: u64 = 500_000;
const MANY_CALLS: u64 = 5_000_000;
/// Upper bound of memory after many calls / after few.
const MAX_GROWTH: f64 = 1.05;

fn main() -> anyhow::Result<ExitCode> {
    let has_option = |option: &str| std::env::args().any(|argument| argument == option);
    // `cargo test --benches` only checks that it starts.
    if has_option("--test") {
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
    eprintln!("twice the capacity …");
    rows.extend(overload(&call(|| requests::json(40_000))?, &on)?);
    eprintln!("idle connections …");
    rows.push(at_rest(folder.path())?);
    if has_option("--endurance") {
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

/// Large bodies, which overload the node rather than the load generator.
fn overload(call: &Arc<[u8]>, node: &Target) -> anyhow::Result<[Row; 3]> {
    let capacity = closed(node, call, CONNECTIONS, ROUND * 2)?.per_second();
    let mut half = open(node, call, OVERLOAD_CONNECTIONS, capacity * 0.5, ROUND * 3)?;
    let mut double = open(node, call, OVERLOAD_CONNECTIONS, capacity * 2.0, ROUND * 3)?;
    let (p50, p99) = (percentile(&mut double.admitted, 50), percentile(&mut double.admitted, 99));
    let at_half = percentile(&mut half.admitted, 50);
    let all = double.admitted.len() + double.shed.len();
    Ok([
        Row {
            what: "40 KB at twice the capacity: admitted, p99 / p50",
            measured: format!("{p99:.1?} / {p50:.1?}"),
            bound: Some(Bound { value: p99.as_secs_f64() / p50.as_secs_f64(), max: MAX_P99_BY_P50 }),
        },
        Row {
            // No bound: at twice the load, the load generator uses more of the processors.
            what: "the same / p50 at half the capacity",
            measured: format!("{p99:.1?} / {at_half:.1?}"),
            bound: None,
        },
        Row {
            what: "of these calls rejected with 503",
            measured: format!(
                "{} of {all}, {:.1?} after their start time (p50); {} not sent in time",
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
        what: "memory of idle connections",
        measured: format!(
            "{connections} connections: {} MiB, {} KiB each",
            bytes >> 20,
            (bytes >> 10) / connections as u64
        ),
        bound: None,
    })
}

/// One call in a hundred is an attack and is recorded.
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
        what: "memory after 5,000,000 calls / after 500,000",
        measured: format!("{many:.1} MiB / {few:.1} MiB"),
        bound: Some(Bound { value: many / few, max: MAX_GROWTH }),
    })
}

#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
