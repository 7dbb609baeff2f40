//! Errors and warnings of a configuration, with their positions.

use super::yaml::Position;
use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// Why the configuration is invalid, with every error.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {path}: {cause}")]
    Read { path: PathBuf, cause: io::Error },
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
}

/// An error or a warning about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub(super) at: Origin,
    pub(super) message: String,
}

/// The origin of a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    File { path: PathBuf, position: Position },
    Environment { variable: String },
}

impl Origin {
    pub(super) fn file(path: &Path, position: Position) -> Self {
        Self::File { path: path.to_owned(), position }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Origin::File { path, position: Position { line, column } } => {
                write!(f, "{}:{line}:{column}: {}", path.display(), self.message)
            }
            Origin::Environment { variable } => write!(f, "{variable}: {}", self.message),
        }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
