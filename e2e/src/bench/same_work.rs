//! The check that the compared functions do the same work.

use super::{
    events::{self, KINDS, Trigger},
    functions::Candidates,
    recorder::Recorder,
};
use crate::{
    binaries::Binaries,
    stack::{Mode, Stack, StackOptions},
};
use anyhow::ensure;
use cloudfront_sim::{http1::Request, lambda::Function};
use serde_json::Value;

/// Invokes all functions with the same events: their calls must have the same bytes, and their
/// results must be equal. Returns the number of events.
pub(super) async fn check(binaries: &Binaries) -> anyhow::Result<usize> {
    let stack = Stack::start(binaries, StackOptions { mode: Mode::Block, ..StackOptions::default() }).await?;
    let recorder = Recorder::start(stack.addresses.node).await?;
    let candidates =
        Candidates::make(binaries, recorder.address(), &stack.directory().join("same-work")).await?;
    let attack = events::attack(KINDS);
    let events: Vec<Value> =
        (0..KINDS).map(|n| events::event(Trigger::Request, n)).chain([attack.clone()]).collect();
    let Candidates { inline, out_of_band, nothing, bare } = &candidates;
    let pairs =
        [(&inline.ours, &inline.python), (&inline.ours, bare), (&out_of_band.ours, &out_of_band.python)];
    for (ours, python) in pairs {
        let (ours, python) = (ours.start(&stack.python).await?, python.start(&stack.python).await?);
        for event in &events {
            let (our_answer, our_call) = observe(&ours, event, &recorder).await?;
            let (answer, call) = observe(&python, event, &recorder).await?;
            ensure!(our_call.target == call.target, "the calls go to different addresses");
            for header in ["content-type", "user-agent", "host"] {
                let (ours, python) = (our_call.headers.text(header), call.headers.text(header));
                ensure!(ours == python, "the calls differ in {header}: {ours:?}, and Python's {python:?}");
            }
            ensure!(our_call.body == call.body, "the messages differ:\n{}", both(&our_call.body, &call.body));
            let blocks = ours.name().ends_with("inline") && event == &attack;
            for answer in [&our_answer, &answer] {
                let is_expected = if blocks { answer["status"] == "403" } else { answer == request(event) };
                ensure!(is_expected, "the result for {event} is {answer}");
            }
        }
    }
    for idle in [&nothing.ours, &nothing.python] {
        let function = idle.start(&stack.python).await?;
        let event = events::event(idle.trigger, 0);
        let answer = invoke(&function, &event).await?;
        function.at_rest().await;
        ensure!(answer == *request(&event), "{} returned {answer}", idle.name);
        ensure!(recorder.take().is_empty(), "{} must not call the node", idle.name);
    }
    stack.stop().await;
    Ok(events.len())
}

/// One invocation: its result and its call to the node.
async fn observe(
    function: &Function,
    event: &Value,
    recorder: &Recorder,
) -> anyhow::Result<(Value, Request)> {
    let answer = invoke(function, event).await?;
    function.at_rest().await;
    let [call] = <[Request; 1]>::try_from(recorder.take()).map_err(|calls| {
        anyhow::anyhow!(
            "{} called the node {} times: {:?}",
            function.name(),
            calls.len(),
            function.log().output()
        )
    })?;
    Ok((answer, call))
}

async fn invoke(function: &Function, event: &Value) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&function.invoke(event.to_string()).await?)?)
}

fn request(event: &Value) -> &Value {
    &event["Records"][0]["cf"]["request"]
}

fn both(ours: &[u8], python: &[u8]) -> String {
    format!("ours    {}\nPython  {}", ours.escape_ascii(), python.escape_ascii())
}
