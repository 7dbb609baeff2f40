//! Tells the console now and then how the node is doing, whether or not there is something to deliver.

use super::console::{self, Console};
use crate::config::ConsoleConfig;
use shared::{
    IngestBatch,
    record::{NodeInfo, NodeStatus},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// A node that has not been heard for three of these is in trouble.
const INTERVAL: Duration = Duration::from_secs(10);

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
            self.tell().await;
            if stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_none() {
                return;
            }
        }
    }

    async fn tell(&self) {
        let batch =
            IngestBatch { node: self.node.clone(), status: Some((self.status)()), records: Vec::new() };
        let told = match console::compress(&batch) {
            Ok(body) => self.console.ingest(body).await.map(|_| ()).map_err(|cause| cause.to_string()),
            Err(cause) => Err(cause.to_string()),
        };
        // The delivery of hits says so where people look.
        if let Err(cause) = told {
            debug!("the console does not hear how the node is: {cause}");
        }
    }
}
