//! The functions are what their bundle says, and live as Lambda lets them.

use super::world::{World, expect_status, options};
use crate::{
    binaries::Binaries,
    stack::{Mode, TriggerPair, until_stopped},
};
use anyhow::{Context as _, ensure};
use cloudfront_sim::lambda::{Function, LogEvent};
use std::{env, fs, io::Write as _};

pub(super) async fn functions_are_the_rust_program(binaries: &Binaries) -> anyhow::Result<String> {
    let world = World::start(binaries, options(Mode::Block, TriggerPair::Viewer)).await?;
    let on_ci = env::var_os("CI").is_some_and(|value| value == "true");
    ensure!(
        world.python.is_aws() || !on_ci,
        "CI must run the functions under AWS's awslambdaric: {}",
        world.python
    );
    expect_status(&world.get("/").await?, 200)?;
    for function in [&world.request_function, &world.response_function] {
        function.at_rest().await;
        ensure_rust(function).await.with_context(|| function.name().to_owned())?;
    }
    let python = world.python.to_string();
    world.end(python).await
}

/// As when the program was built for a newer libc than Lambda's.
pub(super) async fn unusable_program_lets_all_pass(binaries: &Binaries) -> anyhow::Result<String> {
    let mut unusable = tempfile::NamedTempFile::new()?;
    writeln!(unusable, "not a program")?;
    let binaries = Binaries { bootstrap: unusable.path().to_owned(), ..binaries.clone() };
    let world = World::start(&binaries, options(Mode::Block, TriggerPair::Viewer)).await?;
    expect_status(&world.get("/etc/passwd").await?, 200)?;
    for function in [&world.request_function, &world.response_function] {
        let output = function.log().output();
        let says = |text: &str| output.iter().any(|line| line.contains(text));
        ensure!(says("the connector cannot run here"), "{} does not say so: {output:?}", function.name());
    }
    world.end(String::new()).await
}

/// Fails when Python still answers: the process must be the bundle's program, and so must the Runtime API's client.
async fn ensure_rust(function: &Function) -> anyhow::Result<()> {
    let pids = function.pids();
    ensure!(!pids.is_empty(), "no environment is alive");
    for pid in pids {
        let program = fs::read_link(format!("/proc/{pid}/exe"))?;
        ensure!(program.ends_with("bootstrap"), "process {pid} runs {}", program.display());
        until_stopped(pid).await?;
    }
    for event in function.log().events() {
        if let LogEvent::Next { user_agent } = event {
            ensure!(user_agent.starts_with("aws-lambda-rust/"), "{user_agent} asked for events");
        }
    }
    Ok(())
}
