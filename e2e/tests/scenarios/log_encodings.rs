//! The encodings of access logs: what a log shows of a request has the findings of the request
//! itself, or the loss is known.

mod table;

use super::access_logs::{start_without_functions, wait_for};
use access_log::{LogRecord, Parser, parquet::ParquetRows};
use anyhow::{Context as _, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use cloudfront_sim::{
    access_log::{AccessLogs, LogFormat, REAL_TIME},
    cloudfront::DistributionConfig,
    http1::{Client, Exchange, Peer, Request, Response, Version},
};
use e2e::{
    binaries::Binaries,
    stack::{FIREHOSE_KEY, Mode, Stack, StackOptions, TIMEOUT, TriggerPair, edge_request_id, expect_status},
};
use engine::Engine;
use flate2::{Compression, write::GzEncoder};
use parquet::{
    basic::{self, GzipLevel},
    data_type::{ByteArray, ByteArrayType},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use serde_json::{Value, json};
use shared::{Delivery, InspectRequest};
use std::{collections::BTreeMap, fs, io::Write as _, net::SocketAddr, path::Path, time::Duration};
use table::{Case, Loss, Place};

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

/// All cases as one log of the simulator.
fn log(cases: &[Case], format: LogFormat, folder: &Path) -> anyhow::Result<Vec<u8>> {
    let config = DistributionConfig::new(([127, 0, 0, 1], 1).into());
    let path = folder.join(format.file_name(DISTRIBUTION));
    let log = AccessLogs::new(&config).with_file(format, &path)?;
    let now = "2026-11-30T23:59:58Z".parse()?;
    for (number, case) in cases.iter().enumerate() {
        let response = Response::new(200).header("X-Amz-Cf-Id", format!("{number}=="));
        log.write(&exchange(&case.request(), &response), now);
    }
    Ok(fs::read(path)?)
}

fn read(format: LogFormat, log: &[u8]) -> anyhow::Result<Vec<LogRecord>> {
    let columns = if format == LogFormat::RealTime { Some(REAL_TIME.parse()?) } else { None };
    let mut parser = Parser::new(columns);
    log.split(|byte| *byte == b'\n')
        .filter_map(|line| Some(parser.parse(line)?.map_err(Into::into)))
        .collect()
}

/// The lines of a log in JSON as a Parquet file, with the columns of Athena's table.
fn parquet(log: &[u8]) -> anyhow::Result<Vec<u8>> {
    let lines = log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let rows = lines.map(serde_json::from_slice).collect::<Result<Vec<BTreeMap<String, String>>, _>>()?;
    let names = rows.first().context("a row")?.keys();
    let column = |name: &String| name.to_lowercase().replace(['-', '('], "_").replace(')', "");
    let columns: Vec<_> =
        names.clone().map(|name| format!("optional binary {} (UTF8);", column(name))).collect();
    let schema = parse_message_type(&format!("message cloudfront {{ {} }}", columns.concat()))?;
    let properties =
        WriterProperties::builder().set_compression(basic::Compression::GZIP(GzipLevel::default())).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema.into(), properties.into())?;
    for rows in rows.chunks(100) {
        let mut group = writer.next_row_group()?;
        for name in names.clone() {
            let values: Vec<ByteArray> = rows.iter().map(|row| row[name].as_str().into()).collect();
            let mut column = group.next_column()?.context("a column for each name")?;
            column.typed::<ByteArrayType>().write_batch(&values, Some(&vec![1; rows.len()]), None)?;
            column.close()?;
        }
        group.close()?;
    }
    Ok(writer.into_inner()?)
}

fn read_parquet(file: Vec<u8>) -> anyhow::Result<Vec<LogRecord>> {
    let (mut rows, mut lines, mut line) = (ParquetRows::open(Bytes::from(file))?, Vec::new(), Vec::new());
    while rows.read_line(&mut line)? {
        lines.extend_from_slice(&line);
        lines.push(b'\n');
    }
    read(LogFormat::V2Json, &lines)
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
    let mut all = Vec::new();
    let written = LogFormat::ALL.map(|format| (format, log(&cases, format, folder.path()).unwrap()));
    let json = written.iter().find(|(format, _)| *format == LogFormat::V2Json).unwrap();
    let of_parquet = read_parquet(parquet(&json.1).unwrap()).unwrap();
    let read = written.iter().map(|(format, log)| (*format, read(*format, log).unwrap()));
    for (format, records) in read.chain([(LogFormat::V2Json, of_parquet)]) {
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
            all.extend(loss);
        }
    }
    for loss in Loss::ALL {
        assert!(all.contains(&loss), "{loss:?} has no case");
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
    let mut config = DistributionConfig::new(stack.addresses.origin);
    DISTRIBUTION.clone_into(&mut config.distribution_id);
    let logs = AccessLogs::new(&config).with_file(LogFormat::V2Json, &log)?;
    let without_functions = start_without_functions(config, logs).await?;
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
