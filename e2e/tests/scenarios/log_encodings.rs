//! The encodings of access logs: what a log shows of a request has the findings of the request
//! itself, or the loss is known.

mod table;

use super::access_logs::wait_for;
use access_log::{LogRecord, Parser};
use anyhow::{Context as _, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use cloudfront_sim::{
    access_log::{AccessLogs, LogFormat, REAL_TIME},
    clock::Clock,
    cloudfront::{CloudFront, DistributionConfig, Edge},
    http1::{Client, Exchange, Options, Peer, Request, Response, Version},
};
use e2e::{
    binaries::Binaries,
    stack::{FIREHOSE_KEY, Mode, Stack, StackOptions, TIMEOUT, TriggerPair, edge_request_id, expect_status},
};
use engine::Engine;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use shared::{Delivery, InspectRequest};
use std::{collections::BTreeMap, fs, io::Write as _, net::SocketAddr, path::Path, time::Duration};
use table::{Case, Loss, Place};
use tokio::net::TcpListener;

const DISTRIBUTION: &str = "E2EXAMPLE";
const DOCUMENTATION: &str = include_str!("../../../docs/access-logs.md");

/// The request as a function at viewer-request receives it: bytes that are not UTF-8 are read as
/// ISO-8859-1.
fn direct(case: &Case) -> InspectRequest {
    let text = |bytes: &[u8]| {
        std::str::from_utf8(bytes)
            .map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned)
    };
    let request = case.request();
    let mut parts = request.target.splitn(2, |byte| *byte == b'?').map(text);
    let headers = request.headers.0.iter();
    let headers = headers.map(|(name, value)| (text(name).to_ascii_lowercase(), text(value)));
    InspectRequest {
        request_id: None,
        connector: None,
        delivery: Delivery::Log,
        client_ip: [192, 0, 2, 10].into(),
        method: "GET".to_owned(),
        scheme: None,
        http_version: None,
        host: "shop.example.com".to_owned(),
        path: parts.next().unwrap_or_default(),
        query: parts.next().unwrap_or_default(),
        headers: headers.collect(),
        body: None,
        body_truncated: false,
        unseen_body: None,
        not_inspected: Vec::new(),
    }
}

/// Writes all cases as one log of the simulator, and reads it again.
fn logged(cases: &[Case], format: LogFormat, folder: &Path) -> anyhow::Result<Vec<LogRecord>> {
    let config = DistributionConfig::new(([127, 0, 0, 1], 1).into());
    let path = folder.join(format.file_name(DISTRIBUTION));
    let log = AccessLogs::new(&config).with_file(format, &path)?;
    let now = "2026-11-30T23:59:58Z".parse()?;
    for (number, case) in cases.iter().enumerate() {
        let response = Response::new(200).header("X-Amz-Cf-Id", format!("{number}=="));
        log.write(&exchange(&case.request(), &response), now);
    }
    let columns = if format == LogFormat::RealTime { Some(REAL_TIME.parse()?) } else { None };
    let mut parser = Parser::new(columns);
    let text = fs::read(path)?;
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| Some(parser.parse(line)?.map_err(Into::into)))
        .collect()
}

fn exchange<'e>(request: &'e Request, response: &'e Response) -> Exchange<'e> {
    let peer = Peer { address: ([192, 0, 2, 10], 51_234).into(), version: Version::Http1_1, tls: None };
    let duration = Duration::ZERO;
    Exchange { peer, request, response, received: 0, sent: 0, first_byte: duration, duration }
}

#[test]
fn records_of_all_formats_have_the_findings_of_their_requests_but_for_known_losses() {
    let (engine, folder, cases) = (Engine::new(), tempfile::tempdir().unwrap(), Case::all());
    let sent: Vec<_> = cases.iter().map(direct).collect();
    let found: Vec<_> = sent.iter().map(|request| engine.inspect(request).findings).collect();
    let mut losses = Vec::new();
    for format in LogFormat::ALL {
        let records = logged(&cases, format, folder.path()).unwrap();
        assert_eq!(records.len(), cases.len(), "{format:?}: a record is a line");
        for (number, record) in records.iter().enumerate() {
            let (case, sent, found) = (&cases[number], &sent[number], &found[number]);
            let read = record.inspect_request(DISTRIBUTION, "1");
            let is_whole =
                (&read.path, &read.query, &read.headers) == (&sent.path, &sent.query, &sent.headers);
            let loss = case.loss(format);
            assert_eq!(is_whole, loss.is_none(), "{format:?}, {case:?}: {loss:?}, read as {read:?}");
            let has_findings = engine.inspect(&read).findings == *found;
            let is_expected = has_findings != (loss == Some(Loss::TruncatedCookie));
            assert!(is_expected, "{format:?}, {case:?}: {loss:?}, has findings: {has_findings}");
            losses.extend(loss);
        }
    }
    for loss in Loss::ALL {
        assert!(losses.contains(&loss), "{loss:?} has no case");
        assert!(DOCUMENTATION.contains(loss.reason()), "docs/access-logs.md lacks {:?}", loss.reason());
    }
}

#[test]
fn the_table_has_attacks_at_every_place_and_benign_values() {
    let (engine, cases) = (Engine::new(), Case::all());
    for place in [Place::Path, Place::Query, Place::Header("User-Agent")] {
        let here: Vec<_> = cases.iter().filter(|case| case.place == place).collect();
        let attacks = here.iter().filter(|case| !engine.inspect(&direct(case)).findings.is_empty()).count();
        assert!(here.len() >= 60 && attacks >= 20, "{place:?}: {attacks} attacks of {}", here.len());
        assert!(here.len() - attacks >= 10, "{place:?}: {attacks} attacks of {}", here.len());
    }
}

/// Type and findings of the hits of each request.
type Hits = BTreeMap<String, Vec<String>>;

/// Every case through functions at viewer triggers, and again through a distribution without
/// functions, whose log is one delivery of Firehose.
pub(crate) async fn logs_have_the_findings_of_functions(binaries: &Binaries) -> anyhow::Result<()> {
    let options = StackOptions { logs: true, ..StackOptions::new(Mode::Monitoring, TriggerPair::Viewer) };
    let stack = Stack::start(binaries, options).await?;
    let folder = tempfile::tempdir()?;
    let log = folder.path().join(LogFormat::V2Json.file_name(DISTRIBUTION));
    let without_functions = start_without_functions(&stack, &log).await?;
    let cases = Case::all();
    let by_function = send_all(&cases, stack.addresses.cloudfront).await?;
    let by_log = send_all(&cases, without_functions.address()).await?;
    drop(without_functions);

    let lines = fs::read_to_string(&log)?;
    ensure!(lines.lines().count() == cases.len(), "{} lines of {} cases", lines.lines().count(), cases.len());
    let inspected = u64::try_from(cases.len())?;
    expect_status(&deliver(&lines, stack.addresses.node).await?, 200)?;
    // The log of the functions' distribution completes its own requests.
    wait_for(&stack, "/logs/completed", inspected).await?;
    wait_for(&stack, "/logs/inspected", inspected).await?;
    stack.all_delivered().await?;

    let hits = hits(&stack).await?;
    let found = |id: &String| hits.get(id).cloned().unwrap_or_default();
    for (case, (function, log)) in cases.iter().zip(by_function.iter().zip(&by_log)) {
        let (function, log) = (found(function), found(log));
        ensure!(function == log, "{case:?}: functions have {function:?}, logs have {log:?}");
    }
    let attacked = by_log.iter().filter(|id| hits.contains_key(*id)).count();
    ensure!(attacked >= 100, "{attacked} of {} cases have hits", cases.len());
    stack.stop().await;
    Ok(())
}

async fn start_without_functions(stack: &Stack, log: &Path) -> anyhow::Result<CloudFront> {
    let mut config = DistributionConfig::new(stack.addresses.origin);
    DISTRIBUTION.clone_into(&mut config.distribution_id);
    let logs = AccessLogs::new(&config).with_file(LogFormat::V2Json, log)?;
    let options = Options { observer: Some(logs.observer()), ..Options::default() };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    Ok(CloudFront::start_with(listener, Edge::new(config, Clock::real()), options)?)
}

/// CloudFront's ids of the requests.
async fn send_all(cases: &[Case], address: SocketAddr) -> anyhow::Result<Vec<String>> {
    let visitor = Client::default();
    let mut ids = Vec::with_capacity(cases.len());
    for case in cases {
        let response = visitor.send(address, &case.request()).await?;
        ids.push(edge_request_id(&response).with_context(|| format!("{case:?}: {}", response.status))?);
    }
    Ok(ids)
}

/// One delivery, compressed, of a record for each line.
async fn deliver(lines: &str, node: SocketAddr) -> anyhow::Result<Response> {
    const ID: &str = "ed4acda5-034f-9f42-bba1-f29aea6d7d8f";
    let records: Vec<_> =
        lines.split_inclusive('\n').map(|line| json!({"data": BASE64_STANDARD.encode(line)})).collect();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    write!(encoder, "{}", json!({"requestId": ID, "timestamp": 1_796_083_198_000_u64, "records": records}))?;
    let request = Request::new("POST", "/v1/logs/firehose", &node.to_string())
        .header("X-Amz-Firehose-Request-Id", ID)
        .header("X-Amz-Firehose-Access-Key", FIREHOSE_KEY)
        .header("Content-Type", "application/json")
        .header("Content-Encoding", "gzip")
        .with_body(encoder.finish()?);
    Ok(Client::new(TIMEOUT).send(node, &request).await?)
}

/// By CloudFront's request id; suspicious ones, too.
async fn hits(stack: &Stack) -> anyhow::Result<Hits> {
    let mut hits = Hits::new();
    for item in stack.console_api().items("/api/v1/requests?limit=200&q=action:any").await? {
        let id = item["edge_request_id"].as_str().context("a hit has CloudFront's id")?.to_owned();
        let findings: Vec<&Value> =
            item["findings"].as_array().context("a hit has findings")?.iter().collect();
        hits.entry(id).or_default().push(format!("{} {}", item["type"], json!(findings)));
    }
    for of_request in hits.values_mut() {
        of_request.sort();
    }
    Ok(hits)
}
