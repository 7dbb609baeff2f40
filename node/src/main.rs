//! `wallarm-node`: the command line.

use clap::{Parser, Subcommand};
use node::{
    Config, app, config::Environment, explain::command::Explain, log::Logs, log_files::command::IngestLogs,
    score, score::Sensitivities,
};
use rustix::{fs::Mode, process::umask};
use std::{io, path::PathBuf, process::ExitCode};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// The node of the Wallarm connector for Amazon CloudFront: inspects requests, allows or blocks
/// them, records attacks.
#[derive(Parser)]
#[command(name = "wallarm-node", version = shared::BUILD, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the node until SIGTERM or Ctrl-C.
    Run {
        /// Configuration file: YAML, `version: 4`. See docs/node.md.
        #[arg(long, env = "WALLARM_NODE_CONFIG", value_name = "FILE")]
        config: PathBuf,
    },
    /// Inspect labelled requests and print detection and false positive rates.
    ///
    /// A request is detected if the score of its findings reaches the threshold of the sensitivity:
    /// 7 for low, 5 for balanced, 3 for strict. TPR is the share of detected attacks, FPR the share
    /// of detected benign requests, `named` the share of detected attacks with the correct type.
    Score {
        /// Files of JSON lines (plain or gzip), corpus files (TOML, see node/engine/corpus), or
        /// folders of them.
        #[arg(value_name = "PATH", required = true)]
        files: Vec<PathBuf>,
        /// The sensitivity; `all` prints the rates of the three side by side.
        #[arg(long, value_enum, default_value = "balanced")]
        sensitivity: Sensitivities,
        /// Write missed.tsv and false-alarms.tsv to this folder; with `--sensitivity all`, those of
        /// `balanced`.
        #[arg(long, value_name = "DIR")]
        list: Option<PathBuf>,
    },
    /// Show how a request is parsed (each value, each decoding layer), the findings, and the
    /// verdict.
    Explain(Explain),
    /// Inspect the requests in CloudFront's access logs, see docs/access-logs.md.
    IngestLogs(IngestLogs),
    /// Validate a configuration file and print every error with its position.
    CheckConfig {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    // The spool and logs are for the node's user only, whatever the umask was.
    umask(Mode::RWXG | Mode::RWXO);
    match execute(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> anyhow::Result<()> {
    match command {
        Command::CheckConfig { file } => {
            let config = Config::read(&file, &Environment::of_process())?;
            config.warnings.iter().for_each(|warning| println!("warning: {warning}"));
            println!("{} is valid", file.display());
            Ok(())
        }
        Command::Explain(explain) => explain.run(),
        Command::Score { files, sensitivity, list } => {
            print!("{}", score::score(&files, sensitivity, list.as_deref())?);
            Ok(())
        }
        Command::IngestLogs(ingest) => {
            let config = ingest.config()?;
            let logs = start_log(&config)?;
            runtime(&config)?.block_on(async { ingest.run(config, logs, stop_signal()?).await })
        }
        Command::Run { config } => {
            let path = config;
            let config = Config::read(&path, &Environment::of_process())?;
            let logs = start_log(&config)?;
            runtime(&config)?.block_on(async { app::run(path, config, logs, stop_signal()?).await })
        }
    }
}

fn start_log(config: &Config) -> anyhow::Result<Logs> {
    let logs = Logs::open(&config.log)?;
    logs.start(&config.log);
    config.warnings.iter().for_each(|warning| warn!("{warning}"));
    Ok(logs)
}

fn runtime(config: &Config) -> io::Result<Runtime> {
    let workers = config.http_inspector.workers.count();
    Builder::new_multi_thread().worker_threads(workers).enable_all().build()
}

/// Cancelled by SIGTERM and Ctrl-C.
fn stop_signal() -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn({
        let stop = stop.clone();
        async move {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            stop.cancel();
        }
    });
    Ok(stop)
}
