//! What is wrong with a configuration, and where.

use super::yaml::Place;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why the configuration cannot be used: everything that is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path} cannot be read: {cause}")]
    Read { path: PathBuf, cause: io::Error },
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
}

/// Something to tell about a key: an error, or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub(super) at: Origin,
    pub(super) message: String,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    File { path: PathBuf, place: Place },
    Environment { variable: String },
}

impl Origin {
    pub(super) fn file(path: &Path, place: Place) -> Self {
        Self::File { path: path.to_owned(), place }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Origin::File { path, place: Place { line, column } } => {
                write!(f, "{}:{line}:{column}: {}", path.display(), self.message)
            }
            Origin::Environment { variable } => write!(f, "{variable}: {}", self.message),
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
