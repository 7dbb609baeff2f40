//! Out-of-band inspection: the visitor does not wait for the node.

use anyhow::{Context as _, ensure};
use cloudfront_sim::lambda::LogEvent;
use e2e::{
    binaries::Binaries,
    stack::{Mode, Stack, StackOptions, TriggerPair, expect_status},
};

pub(crate) async fn reply_goes_before_the_call(binaries: &Binaries) -> anyhow::Result<()> {
    let options = StackOptions {
        out_of_band: true,
        tapped: true,
        ..StackOptions::new(Mode::Block, TriggerPair::Viewer)
    };
    let stack = Stack::start(binaries, options).await?;
    expect_status(&stack.get("/etc/passwd").await?, 200)?;
    let attack = stack.attack("ptrav", "uri").await?;
    ensure!(attack["status"] == "monitoring", "out of band, nothing is blocked: {attack}");

    // Both functions are idle, so the log is complete. The first call in the tap is the request
    // function's.
    stack.request_function.at_rest().await;
    stack.response_function.at_rest().await;
    let log = stack.request_function.log();
    let posted =
        log.find(|event| matches!(event, LogEvent::Response { .. })).context("no reply was posted")?;
    let polled = log
        .entries()
        .into_iter()
        .find(|entry| entry.at > posted.at && matches!(entry.event, LogEvent::Next { .. }))
        .context("the runtime never requested the next event")?;
    let sent = stack.tap.as_ref().context("the stack has a tap")?.sent();
    let called = *sent.first().context("the node was never called")?;
    ensure!(posted.at < called, "the node was called {:?} before the reply", posted.at - called);
    ensure!(called < polled.at, "the call was delayed until the next event");
    let gap = called - posted.at;
    stack.stop().await;
    eprintln!("the call began {} µs after the reply", gap.as_micros());
    Ok(())
}
