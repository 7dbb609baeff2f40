//! Access logs on one core: records parsed, and inspected and joined, per second; memory of remembered
//! requests. Run by `just bench-logs`; exits 1 when a bound is missed.

use access_log::{LogRecord, Parser};
use jiff::Timestamp;
use node::{
    Config,
    config::Environment,
    log::Logs,
    recent::{Entry, RecentRequests, Sighting},
    server::Node,
};
use shared::RequestId;
use std::{fmt::Write as _, fs, path::Path, process::ExitCode, time::Instant};

const RECORDS: usize = 200_000;
const MIN_PARSED: f64 = 50_000.0;
const MIN_INSPECTED: f64 = 15_000.0;
const REMEMBERED: usize = 10_000_000;
const MAX_BYTES_EACH: f64 = 20.0;

const HEADER: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem \
    sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header \
    cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type \
    cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type \
    sc-content-type sc-content-len sc-range-start sc-range-end\n";

#[expect(clippy::cast_precision_loss, reason = "the number is shown")]
fn main() -> anyhow::Result<ExitCode> {
    // `cargo test --benches` only checks that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(ExitCode::SUCCESS);
    }
    let text = log();
    let start = Instant::now();
    let records = parse(&text);
    let parsed = per_second(start);
    anyhow::ensure!(records.len() == RECORDS, "{} records are valid", records.len());

    let folder = tempfile::tempdir()?;
    let node = node(folder.path())?;
    let start = Instant::now();
    for batch in records.chunks(500) {
        node.ingest_logs(batch, Some("E1")).map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
    }
    let inspected = per_second(start);
    let attacks = node.spool.stats().pending;

    let before = resident()?;
    let recent = RecentRequests::new(REMEMBERED);
    for number in 0..REMEMBERED as u128 {
        let id = format!("{:032x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let id: RequestId = id.parse()?;
        recent.record(Entry::new(id, Sighting::BY_LOG), Timestamp::UNIX_EPOCH);
    }
    let bytes_each = (resident()? - before) / REMEMBERED as f64;
    drop(recent);

    println!("records parsed per second               {parsed:>10.0}   at least {MIN_PARSED}");
    println!("records inspected and joined per second {inspected:>10.0}   at least {MIN_INSPECTED}");
    println!("records in the spool                    {attacks:>10}");
    println!("bytes of each of 10 M remembered        {bytes_each:>10.1}   at most {MAX_BYTES_EACH}");
    let is_within = parsed >= MIN_PARSED && inspected >= MIN_INSPECTED && bytes_each <= MAX_BYTES_EACH;
    Ok(if is_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One record in a hundred is an attack.
fn log() -> String {
    let mut text = HEADER.to_owned();
    for number in 0..RECORDS {
        let query = if number % 100 == 0 { "q=%2527+or+1=1--" } else { "page=2&sort=price&color=blue" };
        let _ = writeln!(
            text,
            "2026-11-30\t23:59:58\tFRA56-P1\t4567\t203.0.113.{}\tGET\td1.cloudfront.net\t/products/{number}\t200\t\
             https://shop.example.com/search\tMozilla/5.0%20(X11;%20Linux%20x86_64)%20AppleWebKit/537.36%20Chrome/140.0\t\
             {query}\tsession=9f2c4b1e;%20theme=dark\tHit\t{number:040}==\tshop.example.com\thttps\t412\t0.002\t-\t\
             TLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t51234\t0.001\tHit\ttext/html\t4096\t-\t-",
            number % 250
        );
    }
    text
}

fn parse(text: &str) -> Vec<LogRecord> {
    let mut parser = Parser::new(None);
    text.as_bytes().split(|byte| *byte == b'\n').filter_map(|line| parser.parse(line)?.ok()).collect()
}

fn node(folder: &Path) -> anyhow::Result<Node> {
    let config = format!(
        "version: 4\nmode: connector-server\nconnector: {{address: ':1'}}\nlogs: {{paths: [/logs]}}\n\
         spool: {{directory: '{}'}}\n",
        folder.display()
    );
    let config = Config::parse(Path::new("node.yaml"), &config, &Environment::default())?;
    Ok(Node::build(config, Logs::default())?.0)
}

#[expect(clippy::cast_precision_loss, reason = "the number is shown")]
fn per_second(start: Instant) -> f64 {
    RECORDS as f64 / start.elapsed().as_secs_f64()
}

/// The resident memory of this process, in bytes.
#[expect(clippy::cast_precision_loss, reason = "the number is shown")]
fn resident() -> anyhow::Result<f64> {
    let pages: f64 = fs::read_to_string("/proc/self/statm")?.split(' ').nth(1).unwrap_or_default().parse()?;
    Ok(pages * rustix::param::page_size() as f64)
}
