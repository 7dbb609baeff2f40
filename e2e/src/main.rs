//! `e2e`: the whole system on this machine (`up`), load runs, benches and screenshots.

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use e2e::{
    bench, bench_page, bench_sim,
    binaries::Binaries,
    chaos, screenshots, soak,
    stack::{Mode, PortsOption, Stack, StackOptions, TriggerPair, WITH_PARENT, become_with_parent},
};
use std::{fs, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};

/// The whole system on this machine: CloudFront, the Lambda functions, the node and the console.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the programs that `cargo run -p up` built, print how to try them, and stop them on
    /// Ctrl-C or SIGTERM.
    #[command(override_usage = "cargo run -p up -- [OPTIONS]")]
    Up(Up),
    /// Take screenshots of all pages of the console.
    Screenshots(screenshots::Options),
    /// Measure the load time of the list of attacks in Chromium; exits 1 above one
    /// second or 200 KB.
    BenchPage(bench_page::Options),
    /// Load the node while it and the console are killed; exits 1 when a hit is lost or duplicated.
    Chaos(chaos::Plan),
    /// Load the system with benign, hostile and slow clients; exits 1 when a bound of latency, memory
    /// or losses is missed.
    Soak(soak::Options),
    /// Compare the request function with a Python function that does the same work; exits 1 when a
    /// bound is exceeded.
    BenchConnector(bench::Options),
    /// Measure the throughput of the simulator; exits 1 when a bound is missed.
    BenchSim(bench_sim::Options),
    /// Run as a no-op function. For internal use.
    #[command(name = bench_sim::no_op::SUBCOMMAND, hide = true)]
    DoesNothing,
    /// Run a command that is killed with its parent. For internal use.
    #[command(name = WITH_PARENT, hide = true)]
    WithParent {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
}

#[derive(Args)]
struct Up {
    /// Filtration mode of the node.
    #[arg(long, value_enum, default_value_t = Mode::Block)]
    mode: Mode,
    /// Triggers of the functions.
    #[arg(long, value_enum, default_value_t = TriggerPair::Both)]
    trigger: TriggerPair,
    /// Inspect out of band: the node gets copies after the response, and nothing is blocked.
    #[arg(long)]
    out_of_band: bool,
    /// Sign the functions' calls; the node rejects unsigned ones.
    #[arg(long)]
    signed: bool,
    /// Cache responses, write access logs, and inspect from them what no function sees.
    #[arg(long)]
    logs: bool,
    /// Keep database, spool, tokens and logs here. Without it they are deleted at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Use the documented ports, or free ones.
    #[arg(long, value_enum, default_value_t = PortsOption::Default)]
    ports: PortsOption,
    /// When all parts are ready, write addresses, tokens and process ids here as one JSON object.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

fn main() -> ExitCode {
    execute(Arguments::parse().command).unwrap_or_else(|error| {
        eprintln!("Error: {error:#}");
        ExitCode::FAILURE
    })
}

fn execute(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::WithParent { command } => return Err(become_with_parent(&command).into()),
        Command::DoesNothing => return Ok(bench_sim::no_op::serve().map(|()| ExitCode::SUCCESS)?),
        _ => {}
    }
    tokio::runtime::Runtime::new()?.block_on(run(command))
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    tracing_subscriber::fmt().with_env_filter(log_filter()).with_writer(std::io::stderr).init();
    match command {
        Command::Up(options) => up(options).await.map(|()| ExitCode::SUCCESS),
        Command::Screenshots(options) => screenshots::run(options).await.map(|()| ExitCode::SUCCESS),
        Command::BenchPage(options) => bench_page::run(options).await,
        Command::Chaos(plan) => chaos::run(plan).await,
        Command::Soak(options) => soak::run(options).await,
        Command::BenchConnector(options) => bench::run(options).await,
        Command::BenchSim(options) => bench_sim::run(options).await,
        Command::WithParent { .. } | Command::DoesNothing => {
            unreachable!("the process has become that command")
        }
    }
}

fn log_filter() -> tracing_subscriber::EnvFilter {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"))
}

async fn up(up: Up) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut stop_signal = async || {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    };
    if let Some(path) = &up.ready_file {
        // A file of an earlier run describes a stack that no longer exists.
        let _ = fs::remove_file(path);
    }
    eprintln!("Starting …");
    let start = async {
        let binaries = Binaries::built()?;
        let options = StackOptions {
            mode: up.mode,
            trigger: up.trigger,
            out_of_band: up.out_of_band,
            signed: up.signed,
            ports: up.ports,
            data: up.data,
            parameters: Vec::new(),
            tapped: false,
            logs: up.logs,
        };
        Stack::start(&binaries, options).await
    };
    let mut stack = tokio::select! {
        stack = start => stack?,
        () = stop_signal() => return Ok(()),
    };
    if let Some(path) = &up.ready_file {
        stack.write_ready_file(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{}", welcome(&stack));
    watch(&mut stack, stop_signal()).await;
    eprintln!("Stopping …");
    stack.stop().await;
    Ok(())
}

/// Waits for the signal. Reports a part that ends, with the command to start it again.
async fn watch(stack: &mut Stack, stop_signal: impl Future<Output = ()>) {
    tokio::pin!(stop_signal);
    let (mut node_runs, mut console_runs) = (true, true);
    loop {
        let (part, status, command) = tokio::select! {
            () = &mut stop_signal => return,
            status = stack.node.ended(), if node_runs => {
                node_runs = false;
                ("node", status, stack.node.command())
            }
            status = stack.console.ended(), if console_runs => {
                console_runs = false;
                ("console", status, stack.console.command())
            }
        };
        eprintln!("The {part} ended ({status}). To restart it: {}", command.join(" "));
    }
}

fn welcome(stack: &Stack) -> String {
    let at = stack.addresses;
    let expected = match (stack.options.mode, stack.options.out_of_band) {
        (Mode::Block, false) => "403: blocked",
        _ => "200: passed and recorded",
    };
    format!(
        "
All parts are running. Functions: {python}.

  CloudFront   http://{cloudfront}   → origin http://{origin}
  Node         http://{node}   status http://{status}/wallarm-status   metrics http://{metrics}/metrics
  Console      http://{console}/attacks
  Admin token  {token}
  Data, logs   {data}{fate}

Try an attack ({expected}):

  curl -i http://{cloudfront}/etc/passwd

See it in the list, on the page above (sign in with the token) or over REST:

  curl -s -H 'Authorization: Bearer {token}' http://{console}/api/v1/attacks
{cached}
Ctrl-C stops everything.",
        python = stack.python,
        cloudfront = at.cloudfront,
        origin = at.origin,
        node = at.node,
        status = at.status,
        metrics = at.metrics,
        console = at.console,
        token = stack.admin_token,
        data = stack.directory().display(),
        cached = cached_attack(stack).unwrap_or_default(),
        fate = if stack.options.data.is_some() { "" } else { "   (deleted at the end)" },
    )
}

/// An attack that the cache answers, which only the access log shows.
fn cached_attack(stack: &Stack) -> Option<String> {
    let is_seen_by_log = stack.options.logs && stack.options.trigger == TriggerPair::Origin;
    is_seen_by_log.then(|| {
        format!(
            "
Attack a cached page (the cache answers 200, and no function runs). The attack is listed from the access log, seen by log:

  curl -s http://{cloudfront}/page; curl -i \"http://{cloudfront}/page?x='+OR+1=1+--\"
  curl -s -H 'Authorization: Bearer {token}' 'http://{console}/api/v1/attacks?q=seen_by:log'
",
            cloudfront = stack.addresses.cloudfront,
            console = stack.addresses.console,
            token = stack.admin_token,
        )
    })
}
