//! `wallarm-node ingest-logs`: access logs into a spool of their own, and from there to the console.

use super::{
    LogFiles,
    lines::{Lines, Next},
};
use crate::{
    Config, VERSION,
    config::Environment,
    log::Logs,
    policy::{copy::LastCopy, feed::Feed},
    server::{LogLines, Node},
    spool::delivery::SpoolDelivery,
};
use access_log::Columns;
use anyhow::{Context as _, ensure};
use shared::record::NodeInfo;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// Inspects the requests in CloudFront's access logs, and delivers their hits to the console.
#[derive(Debug, clap::Args)]
pub struct IngestLogs {
    /// Configuration file of the node. Its spool is not used: hits are spooled in the directory
    /// `ingest-logs` inside of it.
    #[arg(long, env = "WALLARM_NODE_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// Follow the files and directories until SIGTERM or Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// The file that holds how far each file was read. [default: log-files.json beside the hits]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The distribution of records that name none, also not by the name of their file.
    #[arg(long, value_name = "ID")]
    distribution: Option<String>,
    /// The fields of real-time logs, separated by commas.
    #[arg(long, value_name = "FIELDS")]
    fields: Option<Columns>,
    /// Files (plain, gzip or Parquet) and directories; `-` is the standard input.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
}

/// How long the first ruleset may take; without it, the last copy or no rules apply.
const FIRST_RULESET: Duration = Duration::from_secs(10);
/// Between two looks at the hits that wait.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

impl IngestLogs {
    /// Reads the configuration, with the options in place of its keys.
    pub fn config(&self) -> anyhow::Result<Config> {
        let mut config = Config::read(&self.config, &Environment::of_process())?;
        config.spool.directory.push("ingest-logs");
        config.logs.paths.clone_from(&self.paths);
        config.logs.distribution_id = self.distribution.clone().or(config.logs.distribution_id);
        config.logs.columns = self.fields.clone().or(config.logs.columns);
        Ok(config)
    }

    /// Runs until all files are read and their hits delivered, or until `stop`.
    pub async fn run(self, config: Config, logs: Logs, stop: CancellationToken) -> anyhow::Result<()> {
        let (node, _) = Node::build(config, logs)?;
        let node = Arc::new(node);
        let stop_tasks = CancellationToken::new();
        let mut tasks = JoinSet::new();
        start_tasks(&node, &stop_tasks, &mut tasks).await?;
        let result = self.ingest(&node, &stop).await;
        node.flush_journal()?;
        node.spool.sync()?;
        wait_for_delivery(&node, &stop).await;
        stop_tasks.cancel();
        tasks.join_all().await;
        let tally = node.log_totals.get();
        println!(
            "{} inspected, {} duplicates, {} malformed, {} rejected; {} hits wait for the console",
            tally.inspected,
            tally.duplicates,
            tally.malformed,
            tally.rejected,
            node.spool.stats().pending
        );
        result
    }

    async fn ingest(&self, node: &Arc<Node>, stop: &CancellationToken) -> anyhow::Result<()> {
        let (streams, paths): (Vec<_>, Vec<_>) =
            self.paths.iter().cloned().partition(|path| path == Path::new("-"));
        let default = node.config.load().spool.directory.join("log-files.json");
        let state = self.state.as_deref().unwrap_or(&default);
        let mut files = LogFiles::open(node.clone(), paths, state, !self.follow)?;
        if !streams.is_empty() {
            let (node, stop) = (node.clone(), stop.clone());
            tokio::task::spawn_blocking(move || read_stream(&node, io::stdin(), &stop)).await??;
        }
        if self.follow {
            files.run(stop.clone()).await;
            return Ok(());
        }
        let stop = stop.clone();
        let files = tokio::task::spawn_blocking(move || files.pass(&stop).map(|_| files)).await??;
        let failed: Vec<_> = files.failed().map(|path| path.display().to_string()).collect();
        ensure!(failed.is_empty(), "could not be read to the end: {}", failed.join(", "));
        Ok(())
    }
}

/// The ruleset and the delivery. Without a console, hits stay in the spool.
async fn start_tasks(
    node: &Arc<Node>,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let config = node.config.load_full();
    tasks.spawn(node.spool.clone().sync_periodically(config.spool.sync_interval, stop.clone()));
    tasks.spawn(node.clone().flush_journal_periodically(config.spool.sync_interval, stop.clone()));
    let Some(console) = &config.console else {
        warn!("no console is configured: hits stay in {}", config.spool.directory.display());
        return Ok(());
    };
    let copy = LastCopy::inside(&config.spool.directory);
    let mut feed = Feed::new(console, node.policy.clone(), copy, node.geoip.fields())?;
    feed.start_from_copy();
    if node.policy.get().summary.version.is_none() {
        let _ = tokio::time::timeout(FIRST_RULESET, feed.poll_once()).await;
    }
    tasks.spawn(feed.run(stop.clone()));
    // Not unreachable when the command has ended.
    let info = NodeInfo { id: node.id, version: VERSION.to_owned(), is_command: true };
    tasks.spawn(SpoolDelivery::new(node.spool.clone(), console, info)?.run(stop.clone()));
    Ok(())
}

async fn wait_for_delivery(node: &Node, stop: &CancellationToken) {
    if node.config.load().console.is_none() {
        return;
    }
    while node.spool.stats().pending > 0 {
        if stop.run_until_cancelled(tokio::time::sleep(POLL_INTERVAL)).await.is_none() {
            return;
        }
    }
}

/// Reads a stream to its end. It has no position that a later run could resume from.
pub(super) fn read_stream(
    node: &Node,
    stream: impl io::Read + Send + 'static,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let config = node.config.load();
    let mut lines = Lines::of_stream(stream)?;
    let mut log = LogLines::new(node, "standard input", config.logs.columns.clone());
    let mut is_at_end = false;
    while !is_at_end {
        ensure!(!stop.is_cancelled(), "stopped before the end of the standard input");
        is_at_end = matches!(lines.advance().context("standard input")?, Next::End);
        log.parse(lines.line());
        if is_at_end || log.is_full() {
            log.ingest(config.logs.distribution_id.as_deref())?;
        }
    }
    Ok(())
}
