//! Comparison with ModSecurity: cost per request, and blocked requests of our corpus. Run by
//! `just bench-peers`.
//!
//! ModSecurity's cost is the latency of nginx with it minus that of the same nginx without it:
//! loopback, keep-alive, one worker, medians, measured alternately, so that other load affects all
//! alike.

mod accuracy;
#[path = "../../engine/benches/baseline.rs"]
mod baseline;
mod client;
#[path = "../../engine/benches/requests.rs"]
mod requests;
mod server;

use baseline::Baseline;
use client::{Client, to_http};
use engine::Engine;
use shared::{InspectRequest, Verdict, encoding::Encoding};
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

type Make = fn() -> InspectRequest;

/// Request, ModSecurity's status, and the required cost ratio.
const REQUESTS: &[(&str, Make, u16, f64)] = &[
    ("GET, browser headers", requests::page, 200, 50.0),
    ("attack", requests::attack, 403, 50.0),
    ("JSON, 1 KB", || requests::json(1_000), 200, 100.0),
    ("JSON, 40 KB", || requests::json(40_000), 200, 150.0),
];
/// Upper bound for 40 KB, relative to parsing JSON and one search.
const MAX_OVER_BASELINE: f64 = 3.0;

/// Minimum time and number of repetitions per request and server.
const PER_REQUEST: Duration = Duration::from_secs(6);
const MIN_ROUNDS: usize = 30;

struct Peers {
    engine: Engine,
    plain: Client,
    guarded: Client,
    node: Client,
}

fn main() -> anyhow::Result<()> {
    // `cargo test --benches` only checks that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let (plain, guarded) = (server::nginx(folder.path(), false)?, server::nginx(folder.path(), true)?);
    let node = server::node(folder.path())?;
    let mut peers = Peers {
        engine: Engine::new(),
        plain: Client::new(plain.address),
        guarded: Client::new(guarded.address),
        node: Client::new(node.address),
    };
    println!(
        "medians in µs             nginx  +ModSecurity  its cost  our engine  ratio   node's reply  of it analysis"
    );
    for (name, request, status, wanted) in REQUESTS {
        let median = measure(&mut peers, &request(), *status)?;
        let cost = median.guarded.saturating_sub(median.plain);
        let ratio = cost.as_secs_f64() / median.engine.as_secs_f64();
        println!(
            "{name:22} {:>8.0} {:>13.0} {:>9.0} {:>11.1} {ratio:>6.0} {:>14.0} {:>15.0}   {}",
            micros(median.plain),
            micros(median.guarded),
            micros(cost),
            micros(median.engine),
            micros(median.node),
            micros(median.node_analysis),
            bound_result(ratio >= *wanted, &format!("at least {wanted}"))
        );
    }
    compare_with_baseline(&peers.engine)?;
    for folder in ["attacks", "benign"] {
        let blocked = accuracy::blocked(&peers.engine, folder, &mut peers.plain, &mut peers.guarded)?;
        println!(
            "blocked of corpus/{folder}: we {}, ModSecurity {} ({} refused by nginx itself left out)",
            blocked.ours, blocked.theirs, blocked.unsendable
        );
    }
    Ok(())
}

struct Medians {
    plain: Duration,
    guarded: Duration,
    engine: Duration,
    node: Duration,
    node_analysis: Duration,
}

fn measure(peers: &mut Peers, request: &InspectRequest, status: u16) -> anyhow::Result<Medians> {
    let bytes = to_http(request);
    let copy = copy_to_node(request)?;
    let (mut plain, mut guarded, mut engine, mut node, mut analysis) =
        <(Vec<_>, Vec<_>, Vec<_>, Vec<_>, Vec<_>)>::default();
    let started = Instant::now();
    while plain.len() < MIN_ROUNDS || started.elapsed() < PER_REQUEST {
        plain.push(timed(|| peers.plain.call(&bytes))?.1);
        let (reply, took) = timed(|| peers.guarded.call(&bytes))?;
        anyhow::ensure!(
            reply.status == status,
            "ModSecurity responds with status {} instead of {status}",
            reply.status
        );
        guarded.push(took);
        for _ in 0..5 {
            engine.push(timed(|| anyhow::Ok(black_box(peers.engine.inspect(black_box(request)))))?.1);
        }
        let (reply, took) = timed(|| peers.node.call(&copy))?;
        anyhow::ensure!(reply.status == 200, "the node responds with status {}", reply.status);
        let verdict: Verdict = Encoding::MessagePack.decode(&reply.body)?;
        node.push(took);
        analysis.push(Duration::from_micros(verdict.analysis_micros));
    }
    Ok(Medians {
        plain: median(plain),
        guarded: median(guarded),
        engine: median(engine),
        node: median(node),
        node_analysis: median(analysis),
    })
}

/// A call as made by a connector.
fn copy_to_node(request: &InspectRequest) -> anyhow::Result<Vec<u8>> {
    let encoding = Encoding::MessagePack;
    let body = encoding.encode(request)?;
    let head = format!(
        "POST /v1/inspect/request HTTP/1.1\r\nhost: node\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
        encoding.content_type(),
        body.len()
    );
    Ok([head.as_bytes(), &body].concat())
}

fn compare_with_baseline(engine: &Engine) -> anyhow::Result<()> {
    let request = requests::json(40_000);
    let body = request.body.clone().unwrap_or_default().0;
    let baseline = Baseline::new()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..2_000 {
        ours.push(timed(|| anyhow::Ok(black_box(engine.inspect(black_box(&request)))))?.1);
        theirs.push(timed(|| anyhow::Ok(black_box(baseline.read(black_box(&body)))))?.1);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let factor = ours.as_secs_f64() / theirs.as_secs_f64();
    println!(
        "JSON, 40 KB: {:.0} µs, {factor:.2} times serde_json and one Aho-Corasick scan ({:.0} µs)   {}",
        micros(ours),
        micros(theirs),
        bound_result(factor <= MAX_OVER_BASELINE, &format!("at most {MAX_OVER_BASELINE}"))
    );
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(T, Duration)> {
    let start = Instant::now();
    let outcome = work()?;
    Ok((outcome, start.elapsed()))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn bound_result(is_met: bool, bound: &str) -> String {
    format!("{} {bound}", if is_met { "holds:" } else { "MISSED:" })
}
