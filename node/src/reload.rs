//! Reload of the configuration on SIGHUP and when its file changes. Invalid files are rejected.

use crate::{
    Config,
    config::{ConfigError, Environment},
    server::Node,
};
use std::{fs, io, path::PathBuf, sync::Arc, time::Duration};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Reloads a node's configuration from its file.
pub struct Reload {
    path: PathBuf,
    node: Arc<Node>,
    hangup: Signal,
    /// The configuration at the start.
    started: Arc<Config>,
    /// The text last read, valid or not: times and sizes may not change when a link is switched.
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
            let is_signalled = tokio::select! {
                () = stop.cancelled() => return,
                signal = self.hangup.recv() => signal.is_some(),
                () = tokio::time::sleep(Self::INTERVAL) => false,
            };
            if is_signalled {
                self.node.logs.reopen();
            }
            self.check(is_signalled);
        }
    }

    /// Reloads a changed file. On a signal, secrets are read again even if the file is the same.
    pub(crate) fn check(&mut self, is_signalled: bool) {
        match fs::read_to_string(&self.path) {
            Ok(text) if is_signalled || text != self.text => {
                self.text = text;
                let config = Config::parse(&self.path, &self.text, &Environment::of_process());
                self.apply(config);
            }
            Err(cause) if is_signalled => {
                self.apply(Err(ConfigError::Read { path: self.path.clone(), cause }));
            }
            // Unchanged, or missing for a moment while it is replaced.
            _ => {}
        }
    }

    /// Applies from the next request on; requests in progress keep the previous configuration.
    fn apply(&self, config: Result<Config, ConfigError>) {
        match config {
            Ok(config) => {
                config.warnings.iter().for_each(|warning| warn!("{warning}"));
                let changed = config.needs_restart(&self.started);
                if !changed.is_empty() {
                    warn!("changes of {} take effect after a restart", changed.join(", "));
                }
                self.node.config.store(Arc::new(config));
                self.node.metrics.config_reloads.inc();
                info!("reloaded the configuration");
            }
            Err(cause) => {
                self.node.metrics.config_reload_errors.inc();
                error!("cannot reload the configuration, the previous one stays in force: {cause}");
            }
        }
    }
}
