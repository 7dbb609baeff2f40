//! Heartbeats: the node's status, sent to the console at an interval.

use super::console::{self, Console};
use crate::config::ConsoleConfig;
use shared::{
    IngestBatch,
    record::{NodeInfo, NodeStatus},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// The console considers a node unreachable when two of these are missing.
const INTERVAL: Duration = Duration::from_secs(5);

pub struct Heartbeat<F> {
    console: Console,
    node: NodeInfo,
    status: F,
}

impl<F: Fn() -> NodeStatus + Send> Heartbeat<F> {
    pub fn new(config: &ConsoleConfig, node: NodeInfo, status: F) -> anyhow::Result<Self> {
        Ok(Self { console: Console::new(config)?, node, status })
    }

    pub async fn run(self, stop: CancellationToken) {
        loop {
            self.send().await;
            if stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
                return;
            }
        }
    }

    async fn send(&self) {
        let batch =
            IngestBatch { node: self.node.clone(), status: Some((self.status)()), records: Vec::new() };
        let sent = match console::compress(&batch) {
            Ok(body) => self.console.ingest(body).await.map(|_| ()).map_err(|cause| cause.to_string()),
            Err(cause) => Err(cause.to_string()),
        };
        // The delivery of hits logs most failures as a warning.
        if let Err(cause) = sent {
            debug!("cannot send a heartbeat: {cause}");
        }
    }
}
