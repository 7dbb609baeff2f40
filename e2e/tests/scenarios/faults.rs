//! Faulty nodes at both addresses, with a retry: visitors are served within the deadline.

use anyhow::{Context as _, ensure};
use cloudfront_sim::lambda::{Function, LogEvent};
use e2e::{
    binaries::Binaries,
    faulty_node::{Certificates, Fault, FaultyNode},
    stack::{Mode, Stack, StackOptions, TIMEOUT, TriggerPair, expect_status},
};
use serde_json::Value;
use std::{fmt::Write as _, time::Duration};
use tokio::time::Instant;

/// The functions' total deadline; each attempt has a quarter of it.
const DEADLINE: Duration = Duration::from_secs(2);
/// The visitor's limit. Longer, as this machine may be busy.
const SERVED_WITHIN: Duration = Duration::from_secs(5);
/// Visitors per fault.
const VISITORS: usize = 2;

/// Each fault, and the reason of its not-inspected requests.
const FAULTS: [(&str, Fault, &str); 13] = [
    ("accepts without a TLS handshake", Fault::NoHandshake, "node_timeout"),
    ("accepts and hangs", Fault::Hang, "node_timeout"),
    ("closes the connection", Fault::HangUp, "node_unreachable"),
    ("sends garbage", Fault::Garbage, "node_unreachable"),
    ("sends half a reply", Fault::HalfReply, "node_reply"),
    ("sends a byte a second", Fault::Trickle, "node_timeout"),
    ("sends 100 MB", Fault::Flood, "node_reply"),
    ("shows a certificate of an unknown authority", Fault::WrongAuthority, "node_unreachable"),
    ("shows a certificate for another name", Fault::WrongName, "node_unreachable"),
    ("shows an expired certificate", Fault::Expired, "node_unreachable"),
    ("answers 503", Fault::Unavailable, "node_error"),
    ("answers 200 with another request's id", Fault::ForeignVerdict, "node_reply"),
    ("answers 202 to an in-line call", Fault::Accepted, "node_error"),
];

pub(crate) async fn node_misbehaves(binaries: &Binaries) -> anyhow::Result<()> {
    let certificates = Certificates::new()?;
    let nodes =
        [FaultyNode::start(certificates.clone()).await?, FaultyNode::start(certificates.clone()).await?];
    let addresses = nodes.each_ref().map(FaultyNode::address).join(",");
    let stack = start(binaries, addresses, Some(&certificates)).await?;
    let mut table = String::new();
    for (name, fault, reason) in FAULTS {
        set(&nodes, fault);
        row(&mut table, name, served_uninspected(&stack, &[reason]).await.context(name)?)?;
    }
    let worst = forgets_connections(&stack, &nodes).await.context("closes between requests")?;
    row(&mut table, "closes kept-alive connections between requests", (worst, "inspected".to_owned()))?;

    // All earlier requests, including the one for warm-up, were reported to the node that responded
    // last.
    stack.all_delivered().await?;
    let counted = stack.console_api().items("/api/v1/not-inspected").await?;
    for reason in ["node_timeout", "node_unreachable", "node_reply", "node_error"] {
        let faults = FAULTS.iter().filter(|(_, _, counted_as)| *counted_as == reason).count();
        let warm_up = usize::from(reason == "node_timeout");
        let entries = counted.iter().filter(|entry| entry["reason"] == reason).count();
        let expected = faults * VISITORS + warm_up;
        ensure!(entries == expected, "{entries} requests are counted as {reason}, not {expected}");
    }
    no_function_failed(&stack)?;
    stack.stop().await;
    eprintln!("{table}");
    Ok(())
}

pub(crate) async fn node_is_nowhere(binaries: &Binaries) -> anyhow::Result<()> {
    let mut table = String::new();
    for (name, address, reasons) in [
        ("refuses connections", "https://127.0.0.1:1", &["node_unreachable"][..]),
        // A resolver may also be slow.
        ("has an unknown name", "https://no-such-host.invalid:5050", &["node_unreachable", "node_timeout"]),
    ] {
        let stack = start(binaries, format!("{address},{address}"), None).await?;
        row(&mut table, name, served_uninspected(&stack, reasons).await.context(name)?)?;
        no_function_failed(&stack)?;
        stack.stop().await;
    }
    eprintln!("{table}");
    Ok(())
}

async fn start(
    binaries: &Binaries,
    nodes: String,
    certificates: Option<&Certificates>,
) -> anyhow::Result<Stack> {
    let mut parameters = vec![
        ("wlrm_node_addr", nodes),
        ("wlrm_deadline_ms", DEADLINE.as_millis().to_string()),
        ("wlrm_retries", "1".to_owned()),
        ("wlrm_breaker_failures", "0".to_owned()),
    ];
    parameters.extend(certificates.map(|certificates| ("wlrm_node_ca", certificates.authority().to_owned())));
    let options = StackOptions { parameters, ..StackOptions::new(Mode::Block, TriggerPair::Viewer) };
    let stack = Stack::start(binaries, options).await?;
    // The cold starts are not part of the measurement.
    stack.get("/").await?;
    Ok(stack)
}

fn set(nodes: &[FaultyNode; 2], fault: Fault) {
    for node in nodes {
        node.set(fault);
    }
}

/// Sends attacks, which must reach the origin and be logged with one of these reasons. Returns the
/// slowest response, and the reasons.
async fn served_uninspected(stack: &Stack, reasons: &[&str]) -> anyhow::Result<(Duration, String)> {
    let mut slowest = Duration::ZERO;
    let mut counted = Vec::new();
    for _ in 0..VISITORS {
        at_rest(stack).await;
        let before = uninspected(&stack.request_function)?.len();
        slowest = slowest.max(visit(stack, 200).await?);
        let [reason] = &uninspected(&stack.request_function)?[before..] else {
            anyhow::bail!("expected one log line for the request");
        };
        ensure!(reasons.contains(&reason.as_str()), "counted as {reason} instead of {reasons:?}");
        if !counted.contains(reason) {
            counted.push(reason.clone());
        }
    }
    Ok((slowest, counted.join(", ")))
}

/// The node responds, and closes each connection while the function is frozen.
async fn forgets_connections(stack: &Stack, nodes: &[FaultyNode; 2]) -> anyhow::Result<Duration> {
    set(nodes, Fault::ForgetsConnections(stack.addresses.node));
    let connections = || nodes.iter().map(FaultyNode::connections).sum::<u32>();
    let mut slowest = Duration::ZERO;
    for _ in 0..=VISITORS {
        at_rest(stack).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let before = connections();
        slowest = slowest.max(visit(stack, 403).await?);
        ensure!(connections() > before, "the connection was still open, so the fault was not tested");
    }
    Ok(slowest)
}

/// Sends an attack and returns the response time.
async fn visit(stack: &Stack, status: u16) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let response = stack.get("/etc/passwd").await?;
    let took = start.elapsed();
    expect_status(&response, status)?;
    ensure!(took < SERVED_WITHIN, "the visitor waited {took:?}");
    Ok(took)
}

async fn at_rest(stack: &Stack) {
    tokio::time::timeout(TIMEOUT, async {
        stack.request_function.at_rest().await;
        stack.response_function.at_rest().await;
    })
    .await
    .ok();
}

/// The reasons of not-inspected requests in the function's log.
fn uninspected(function: &Function) -> anyhow::Result<Vec<String>> {
    let lines = function.log().output().into_iter().map(|line| {
        let line: Value = serde_json::from_str(&line).with_context(|| format!("unexpected line: {line}"))?;
        anyhow::Ok(
            (line["message"] == "not inspected")
                .then(|| line["reason"].as_str().unwrap_or_default().to_owned()),
        )
    });
    lines.filter_map(Result::transpose).collect()
}

/// Checks that no function failed, timed out or ended, and that its output has only structured log
/// lines: no panic.
fn no_function_failed(stack: &Stack) -> anyhow::Result<()> {
    for function in [&stack.request_function, &stack.response_function] {
        uninspected(function)?;
        let failed = function.log().find(|event| {
            matches!(
                event,
                LogEvent::Error { .. }
                    | LogEvent::InitError { .. }
                    | LogEvent::TimedOut { .. }
                    | LogEvent::Exited { .. }
            )
        });
        ensure!(failed.is_none(), "{} failed: {failed:?}", function.name());
    }
    Ok(())
}

fn row(table: &mut String, fault: &str, (worst, counted): (Duration, String)) -> anyhow::Result<()> {
    let (worst, deadline) = (worst.as_millis(), DEADLINE.as_millis());
    Ok(write!(table, "\n         {fault:<48}{worst:>5} ms of {deadline} ms   {counted}")?)
}
