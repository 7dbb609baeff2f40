//! The configuration, read again on SIGHUP and when its file changes. A file that is wrong changes nothing.

use crate::{
    Config,
    config::{ConfigError, Environment},
    server::Node,
};
use std::{fs, io, path::PathBuf, sync::Arc, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Keeps a node's configuration up with its file.
pub struct Reload {
    path: PathBuf,
    node: Arc<Node>,
    hangup: Signal,
    /// What the node was started with.
    started: Arc<Config>,
    /// The text last read, right or wrong. Times and sizes may stay as they were when a link is turned to another file.
    text: String,
}

impl Reload {
    const INTERVAL: Duration = Duration::from_secs(1);

    pub fn new(path: PathBuf, node: Arc<Node>) -> io::Result<Self> {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let (hangup, started) = (signal(SignalKind::hangup())?, node.config.load_full());
        Ok(Self { path, node, hangup, started, text })
    }

    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let is_told = tokio::select! {
                () = stop.cancelled() => return,
                told = self.hangup.recv() => told.is_some(),
                () = tokio::time::sleep(Self::INTERVAL) => false,
            };
            if is_told {
                self.node.logs.reopen();
            }
            self.look(is_told);
        }
    }

    /// When told to, secrets are read again even if the file is the same.
    pub(crate) fn look(&mut self, is_told: bool) {
        match fs::read_to_string(&self.path) {
            Ok(text) if is_told || text != self.text => {
                self.text = text;
                let config = Config::parse(&self.path, &self.text, &Environment::of_process());
                self.take_over(config);
            }
            Err(cause) if is_told => {
                self.take_over(Err(ConfigError::Read { path: self.path.clone(), cause }));
            }
            // Or it is gone for a moment, as happens when a file is replaced.
            _ => {}
        }
    }

    /// From the next request on; those under way end as they began.
    fn take_over(&self, config: Result<Config, ConfigError>) {
        match config {
            Ok(config) => {
                config.warnings.iter().for_each(|warning| warn!("{warning}"));
                let changed = config.needs_restart(&self.started);
                if !changed.is_empty() {
                    warn!("changes of {} take effect at the next start", changed.join(", "));
                }
                self.node.config.store(Arc::new(config));
                self.node.metrics.config_reloads.inc();
                info!("the configuration was read again");
            }
            Err(cause) => {
                self.node.metrics.config_reload_errors.inc();
                error!("the configuration stays as it was: {cause}");
            }
        }
    }
}
