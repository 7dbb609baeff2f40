//! Where the node's own log and the access log go.

use crate::{access_log::AccessLog, config::LogConfig};
use arc_swap::ArcSwap;
use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, IsTerminal as _, Write},
    path::PathBuf,
    sync::Arc,
};
use tracing::error;
use tracing_subscriber::filter::LevelFilter;

/// What `log_file` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    Stdout,
    Stderr,
    File(PathBuf),
}

/// A log that is written to. Each call of `write_all` appends one whole line.
pub struct LogFile {
    destination: Destination,
    file: Option<ArcSwap<File>>,
}

/// Both logs.
#[derive(Default)]
pub struct Logs {
    own: Arc<LogFile>,
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
        let own = open("log.log_file", &config.destination)?.into();
        let access = config.access_log.as_ref().map(|access| {
            let file = open("log.access_log.log_file", &access.destination)?;
            Ok(AccessLog::new(file, access.is_verbose))
        });
        Ok(Self { own, access: access.transpose()? })
    }

    /// From now on what the node says of itself goes there.
    pub fn start(&self, config: &LogConfig) {
        let is_terminal = config.destination == Destination::Stderr && io::stderr().is_terminal();
        let log = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::from_level(config.level))
            .with_writer(self.own.clone());
        if config.pretty {
            log.with_ansi(is_terminal).init();
        } else {
            log.json().init();
        }
    }

    /// Opens files anew, after somebody has moved them away to begin new ones.
    pub fn reopen(&self) {
        let access = self.access.iter().map(AccessLog::file);
        for file in std::iter::once(&*self.own).chain(access) {
            if let Err(cause) = file.reopen() {
                error!("the log goes on where it went: {} cannot be opened: {cause}", file.destination);
            }
        }
    }
}

impl LogFile {
    pub(crate) fn open(destination: Destination) -> io::Result<Self> {
        let file = destination.open()?.map(ArcSwap::from_pointee);
        Ok(Self { destination, file })
    }

    fn reopen(&self) -> io::Result<()> {
        if let (Some(file), Some(new)) = (&self.file, self.destination.open()?) {
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

impl Destination {
    fn open(&self) -> io::Result<Option<File>> {
        let Self::File(path) = self else { return Ok(None) };
        OpenOptions::new().create(true).append(true).open(path).map(Some)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::Stderr => f.write_str("stderr"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
