//! Bundle errors.

use crate::parameters::ParameterError;
use zip::result::ZipError;

#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("{0:?} is not of the form wlrm_name=value")]
    Assignment(String),
    #[error("unknown parameter {name:?}; the launcher has {}", .known.join(", "))]
    UnknownParameter { name: String, known: Vec<String> },
    #[error("the value of {name} must be a text in quotes, a whole number, True, False or None")]
    Literal { name: String },
    #[error("the launcher has more than {limit} parameters")]
    TooManyParameters { limit: usize },
    #[error("{name} in the zip is larger than {limit} bytes")]
    TooLarge { name: &'static str, limit: u64 },
    #[error("{name} must be text without NUL, a whole number, true, false or null")]
    Value { name: String },
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error("the bundle has no parameter {name:?}; it has {}", .known.join(", "))]
    NotInBundle { name: String, known: Vec<String> },
    #[error("the bundles are for different functions: {old} and {new}")]
    OtherFunction { old: String, new: String },
    #[error("the zip is not a bundle of the connector")]
    Zip(#[from] ZipError),
    #[error("cannot read or write the zip")]
    Io(#[from] std::io::Error),
}

impl BundleError {
    /// The invalid parameter, if the error is about one.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::UnknownParameter { name, .. } | Self::Value { name } | Self::NotInBundle { name, .. } => {
                Some(name)
            }
            Self::Parameter(error) => Some(error.name),
            _ => None,
        }
    }
}
