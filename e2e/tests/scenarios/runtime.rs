//! The functions' processes under Lambda's rules.

use anyhow::{Context as _, ensure};
use cloudfront_sim::{
    http1::Request,
    lambda::{Function, LogEvent},
};
use e2e::{
    binaries::Binaries,
    stack::{Mode, Stack, StackOptions, TriggerPair, expect_status, until_stopped},
};
use std::{env, fs, io::Write as _};

pub(crate) async fn functions_are_the_rust_program(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Block, TriggerPair::Viewer)).await?;
    let on_ci = env::var_os("CI").is_some_and(|value| value == "true");
    ensure!(
        stack.python.is_aws() || !on_ci,
        "CI must run the functions under AWS's awslambdaric: {}",
        stack.python
    );
    expect_status(&stack.get("/").await?, 200)?;
    for function in [&stack.request_function, &stack.response_function] {
        function.at_rest().await;
        ensure_rust(function).await.with_context(|| function.name().to_owned())?;
    }
    let python = stack.python.to_string();
    stack.stop().await;
    eprintln!("{python}");
    Ok(())
}

/// The case of a program built for a newer libc than Lambda's.
pub(crate) async fn unusable_program_lets_all_pass(binaries: &Binaries) -> anyhow::Result<()> {
    let mut unusable = tempfile::NamedTempFile::new()?;
    writeln!(unusable, "not a program")?;
    let binaries = Binaries { bootstrap: unusable.path().to_owned(), ..binaries.clone() };
    let stack = Stack::start(&binaries, StackOptions::new(Mode::Block, TriggerPair::Viewer)).await?;
    let request = Request::new("GET", "/etc/passwd", "shop.example.com");
    expect_status(&stack.send(request.header("X-Wallarm-Mark", "of another stage")).await?, 200)?;
    let received = stack.origin.recorded();
    let has_mark = received.iter().any(|it| it.headers.text("x-wallarm-mark").is_some());
    ensure!(received.len() == 1 && !has_mark, "the origin received {received:?}");
    for function in [&stack.request_function, &stack.response_function] {
        let output = function.log().output();
        let logs = |text: &str| output.iter().any(|line| line.contains(text));
        ensure!(logs("cannot run the connector"), "{} does not log it: {output:?}", function.name());
    }
    stack.stop().await;
    Ok(())
}

/// Checks that the process, and the client of the Runtime API, is the bundle's program and not
/// Python.
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
            ensure!(user_agent.starts_with("aws-lambda-rust/"), "{user_agent} requested events");
        }
    }
    Ok(())
}
