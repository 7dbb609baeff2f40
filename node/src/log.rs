//! Logs: the node's own log and the access log, in files that can be reopened.

pub mod access;
mod writer;

use crate::{
    config::{Destination, LogConfig},
    metrics::on_scrape,
};
use access::AccessLog;
use arc_swap::ArcSwap;
use prometheus_client::registry::Registry;
use std::{
    fs::{File, OpenOptions},
    io::{self, IsTerminal as _, Write},
    sync::Arc,
};
use tracing::error;
use tracing_subscriber::filter::LevelFilter;

/// A log's destination. Each call of `write_all` appends one whole line.
pub struct LogFile {
    destination: Destination,
    file: Option<ArcSwap<File>>,
}

/// Both logs.
#[derive(Default)]
pub struct Logs {
    node: Arc<LogFile>,
    /// Absent: requests are not logged.
    pub access: Option<AccessLog>,
}

#[derive(Debug, thiserror::Error)]
#[error("{key}: cannot write to {destination}: {cause}")]
pub struct LogError {
    key: &'static str,
    destination: Destination,
    cause: io::Error,
}

impl Logs {
    pub fn open(config: &LogConfig) -> Result<Self, LogError> {
        let open = |key, destination: &Destination| {
            LogFile::open(destination.clone()).map_err(|cause| LogError {
                key,
                destination: destination.clone(),
                cause,
            })
        };
        let node = open("log.log_file", &config.destination)?.into();
        let access = config.access_log.as_ref().map(|access| {
            let file = open("log.access_log.log_file", &access.destination)?;
            Ok(AccessLog::new(file, access.is_verbose))
        });
        Ok(Self { node, access: access.transpose()? })
    }

    /// Installs the node's own log as the process's subscriber.
    pub fn start(&self, config: &LogConfig) {
        let is_terminal = config.destination == Destination::Stderr && io::stderr().is_terminal();
        let log = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::from_level(config.level))
            .with_writer(self.node.clone());
        if config.pretty {
            log.with_ansi(is_terminal).init();
        } else {
            log.json().init();
        }
    }

    /// Registers the series of lost access log lines.
    pub fn register(&self, registry: &mut Registry) {
        let writer = self.access.as_ref().map(|access| access.writer.clone());
        on_scrape(registry, move |scrape| {
            let lost = writer.as_ref().map_or(0, |writer| writer.lost());
            scrape.counter("access_log_lost", "Access log lines that could not be written", lost)
        });
    }

    /// Reopens files, e.g. after log rotation.
    pub fn reopen(&self) {
        let access = self.access.iter().map(AccessLog::file);
        for file in std::iter::once(&*self.node).chain(access) {
            if let Err(cause) = file.reopen() {
                error!("cannot reopen the log {}, keeps writing to the old file: {cause}", file.destination);
            }
        }
    }
}

impl LogFile {
    pub(crate) fn open(destination: Destination) -> io::Result<Self> {
        let file = open_file(&destination)?.map(ArcSwap::from_pointee);
        Ok(Self { destination, file })
    }

    fn reopen(&self) -> io::Result<()> {
        if let (Some(file), Some(new)) = (&self.file, open_file(&self.destination)?) {
            file.store(Arc::new(new));
        }
        Ok(())
    }
}

impl Default for LogFile {
    fn default() -> Self {
        Self { destination: Destination::Stderr, file: None }
    }
}

impl Write for &LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match (&self.file, &self.destination) {
            (Some(file), _) => (&**file.load()).write(bytes),
            (None, Destination::Stdout) => io::stdout().write(bytes),
            (None, _) => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.destination == Destination::Stdout { io::stdout().flush() } else { Ok(()) }
    }
}

fn open_file(destination: &Destination) -> io::Result<Option<File>> {
    let Destination::File(path) = destination else { return Ok(None) };
    OpenOptions::new().create(true).append(true).open(path).map(Some)
}
