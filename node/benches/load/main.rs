//! What the node takes: requests a second with detection and without, overload, many connections, and memory over time.
//! `just bench-node`.

mod client;
mod measure;
#[path = "../../engine/benches/requests.rs"]
mod requests;
mod target;

use measure::{Outcome, closed, open, percentile};
use std::{sync::Arc, time::Duration};
use target::Target;

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let off = Target::start(folder.path(), "off")?;
    let on = Target::start(folder.path(), "block")?;
    if let Ok(x) = std::env::var("PERF") {
        let call: Arc<[u8]> = client::call(&requests::page())?.into();
        let t = if x == "off" { &off } else { &on };
        let mut o = closed(t, &call, 32, Duration::from_secs(8))?;
        println!("{} {}", o.per_second(), o.processor_micros());
        let _ = percentile(&mut o.admitted, 50);
        return Ok(());
    }
    let long = Duration::from_secs(2);
    for (name, request) in [
        ("GET", requests::page()),
        ("1k", requests::json(1_000)),
        ("40k", requests::json(40_000)),
        ("attack", requests::attack()),
    ] {
        if std::env::var("ONLY").is_ok_and(|only| only != name) {
            continue;
        }
        let call: Arc<[u8]> = client::call(&request)?.into();
        let (mut without, mut with) = (Outcome::default(), Outcome::default());
        for _ in 0..3 {
            without.add(closed(&off, &call, 32, long)?);
            with.add(closed(&on, &call, 32, long)?);
        }
        println!(
            "{name:6} off {:>7.0}/s cpu {:>6.1} p50 {:?} p99 {:?} | on {:>7.0}/s cpu {:>6.1} p50 {:?} p99 {:?} shed {} | {:.2}",
            without.per_second(),
            without.processor_micros(),
            percentile(&mut without.admitted, 50),
            percentile(&mut without.admitted, 99),
            with.per_second(),
            with.processor_micros(),
            percentile(&mut with.admitted, 50),
            percentile(&mut with.admitted, 99),
            with.shed.len(),
            with.per_second() / without.per_second()
        );
        if name != "attack" {
            let capacity = with.per_second();
            for factor in [0.3, 1.0, 2.0] {
                let mut o = open(&on, &call, 1024, capacity * factor, long)?;
                println!(
                    "   {factor}x: sent {} admitted {} shed {} unsent {} p50 {:?} p99 {:?} shed p50 {:?}",
                    o.admitted.len() + o.shed.len(),
                    o.admitted.len(),
                    o.shed.len(),
                    o.unsent,
                    percentile(&mut o.admitted, 50),
                    percentile(&mut o.admitted, 99),
                    percentile(&mut o.shed, 50)
                );
            }
        }
    }
    Ok(())
}
