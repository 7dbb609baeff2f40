//! `log`: the node's own log and the access log.

use super::{
    scalar::{Scalar, words},
    section::{Part, Section},
};
use std::{fmt, path::PathBuf};
use tracing::Level;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    pub level: Level,
    /// Plain text instead of JSON.
    pub pretty: bool,
    pub destination: Destination,
    /// Absent: requests are not logged.
    pub access_log: Option<AccessLogConfig>,
}

/// Where a log is written: `log_file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    Stdout,
    Stderr,
    File(PathBuf),
}

/// `log.access_log`: a line for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLogConfig {
    pub is_verbose: bool,
    pub destination: Destination,
}

impl Part for LogConfig {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let (level, pretty) = (section.or("level", Level::INFO), section.or("pretty", true));
        let destination = section.or("log_file", Destination::Stderr);
        section.ignored("proton_log_mask", "this node has one log, with one level: log.level");
        let access_log = section.nested("access_log", read_access_log)?;
        Some(Self { level, pretty, destination, access_log })
    }
}

fn read_access_log(section: &mut Section<'_>) -> Option<AccessLogConfig> {
    let is_enabled = section.or("enabled", false);
    let is_verbose = section.or("verbose", true);
    let destination = section.or("log_file", Destination::Stderr);
    is_enabled.then_some(AccessLogConfig { is_verbose, destination })
}

impl Scalar for Destination {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "stdout" => Ok(Self::Stdout),
            "stderr" => Ok(Self::Stderr),
            _ if text.contains('/') => Ok(Self::File(text.into())),
            _ => Err("must be stdout, stderr or the path of a file".to_owned()),
        }
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

words! { Level:
    "trace" => Level::TRACE,
    "debug" => Level::DEBUG,
    "info" => Level::INFO,
    "warn" => Level::WARN,
    "error" => Level::ERROR,
    // A level of the original; here the same as error.
    "fatal" => Level::ERROR,
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
