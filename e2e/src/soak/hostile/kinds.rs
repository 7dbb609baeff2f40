//! The kinds of hostile calls, with their rates.

use crate::{soak::raw::post, stack::Stack};
use anyhow::Context as _;
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::{
    io::Write as _,
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) interval: Duration,
    /// The destination and bytes of call number N.
    pub(super) request: fn(&Targets, u32) -> (SocketAddr, Vec<u8>),
}

/// Addresses, credentials and prepared bodies.
pub(super) struct Targets {
    pub(super) node: SocketAddr,
    pub(super) console: SocketAddr,
    cloudfront: SocketAddr,
    node_token: String,
    admin_token: String,
    /// A batch of two million records, compressed.
    inflated_batch: Vec<u8>,
    /// Bodies of visitors that take long to analyze.
    bodies: [(&'static str, String); 4],
}

impl Targets {
    pub(super) fn new(stack: &Stack, node_token: String) -> anyhow::Result<Self> {
        let at = stack.addresses;
        Ok(Self {
            node: at.node,
            console: at.console,
            cloudfront: at.cloudfront,
            node_token,
            admin_token: stack.admin_token.clone(),
            inflated_batch: inflated_batch().context("cannot compress a batch")?,
            bodies: [
                ("application/json", "[".repeat(39_000)),
                ("application/x-www-form-urlencoded", "a=&".repeat(13_000)),
                ("application/json", format!("[{}0]", r#"{"a":"%3Cb%3E' or"},"#.repeat(1_900))),
                ("text/plain", "' or 1=(select(".repeat(2_600)),
            ],
        })
    }
}

const fn per_second(count: u32) -> Duration {
    Duration::from_millis(1_000 / count as u64)
}

pub(super) const ALL: &[Kind] = &[
    Kind { name: "node, unsigned call", interval: per_second(5), request: unsigned },
    Kind { name: "node, forged signature", interval: per_second(5), request: forged },
    Kind { name: "node, oversized message", interval: per_second(1), request: oversized },
    Kind { name: "console, wrong password", interval: per_second(1), request: wrong_password },
    Kind { name: "console, wrong token", interval: per_second(5), request: wrong_token },
    Kind {
        name: "console, batch that inflates",
        interval: Duration::from_secs(4),
        request: batch_that_inflates,
    },
    Kind { name: "console, implausible records", interval: per_second(1), request: implausible_records },
    Kind { name: "console, search of an analyst", interval: per_second(1), request: search },
    Kind { name: "distribution, expensive body", interval: per_second(2), request: expensive_body },
];

const JSON: (&str, &str) = ("Content-Type", "application/json");
const MESSAGE: &str = r#"{"client_ip":"203.0.113.178","method":"GET","host":"a","path":"/etc/passwd"}"#;

fn unsigned(targets: &Targets, _: u32) -> (SocketAddr, Vec<u8>) {
    (targets.node, post("/v1/inspect/request", &[JSON], MESSAGE.as_bytes()))
}

/// The id of a key, the time and the form are right.
fn forged(targets: &Targets, number: u32) -> (SocketAddr, Vec<u8>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let signature = format!("v1;edge;{now};{number:032x};{}", "00".repeat(32));
    let headers = [JSON, ("X-Wallarm-Signature", &signature)];
    (targets.node, post("/v1/inspect/request", &headers, MESSAGE.repeat(1_000).as_bytes()))
}

fn oversized(targets: &Targets, _: u32) -> (SocketAddr, Vec<u8>) {
    (targets.node, post("/v1/inspect/request", &[JSON], &vec![b'x'; 5 << 20]))
}

fn wrong_password(targets: &Targets, number: u32) -> (SocketAddr, Vec<u8>) {
    let body = json!({"user": format!("user{}", number % 50), "password": format!("wrong {number}")});
    (targets.console, post("/api/v1/sessions", &[JSON], body.to_string().as_bytes()))
}

fn wrong_token(targets: &Targets, number: u32) -> (SocketAddr, Vec<u8>) {
    let authorization = format!("Bearer wat_{number:064}");
    (
        targets.console,
        post("/api/v1/ingest", &[JSON, ("Authorization", &authorization)], &vec![b' '; 1 << 20]),
    )
}

fn batch_that_inflates(targets: &Targets, _: u32) -> (SocketAddr, Vec<u8>) {
    let authorization = format!("Bearer {}", targets.node_token);
    let headers = [JSON, ("Content-Encoding", "gzip"), ("Authorization", &authorization)];
    (targets.console, post("/api/v1/ingest", &headers, &targets.inflated_batch))
}

fn implausible_records(targets: &Targets, _: u32) -> (SocketAddr, Vec<u8>) {
    let authorization = format!("Bearer {}", targets.node_token);
    let report = json!({
        "id": "6f1e4a0c-6d0e-4b43-9c39-0e0a3c3a4f10",
        "request_id": "0f3c5bb6d1e94e0c8e0f2b6c4d1a7e55",
        "reason": "node_timeout",
        "at": "-009999-01-03T00:00:00Z",
    });
    let record = json!({"not_inspected": report});
    let batch = json!({"node": {"id": "6f6e0a5e-7c55-4a36-8a4c-4a3f6f1c9f10", "version": "1"}, "records": vec![record; 1_000]});
    (
        targets.console,
        post("/api/v1/ingest", &[JSON, ("Authorization", &authorization)], batch.to_string().as_bytes()),
    )
}

fn search(targets: &Targets, number: u32) -> (SocketAddr, Vec<u8>) {
    const PATHS: &[&str] = &[
        "/api/v1/attacks?limit=200",
        "/api/v1/attacks?q=payload:select",
        "/api/v1/attacks?group_by=ip",
        "/api/v1/attacks/stats?q=type:sqli",
    ];
    let path = PATHS[number as usize % PATHS.len()];
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        targets.admin_token
    );
    (targets.console, head.into_bytes())
}

fn expensive_body(targets: &Targets, number: u32) -> (SocketAddr, Vec<u8>) {
    let (content_type, body) = &targets.bodies[number as usize % targets.bodies.len()];
    let headers = [("Content-Type", *content_type), ("User-Agent", "curl/8.5.0"), ("Accept", "*/*")];
    (targets.cloudfront, post("/api/items", &headers, body.as_bytes()))
}

fn inflated_batch() -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(br#"{"node":{"id":"6f6e0a5e-7c55-4a36-8a4c-4a3f6f1c9f10","version":"1"},"records":["#)?;
    let records = "{},".repeat(1_000);
    for _ in 0..2_000 {
        encoder.write_all(records.as_bytes())?;
    }
    encoder.write_all(b"{}]}")?;
    encoder.finish()
}
