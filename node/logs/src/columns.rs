//! The columns of tab-separated lines.

use crate::Field;
use std::str::FromStr;

/// The fields of a line in their order, from a `#Fields` header or from a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    names: Vec<Box<str>>,
    /// `None`: the column is not read.
    fields: Vec<Option<Field>>,
}

/// Why a list of fields cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    #[error("has no field {0}")]
    Missing(&'static str),
    #[error("has more than {0} fields")]
    TooMany(usize),
}

/// Alternatives, one of which a list needs.
pub(crate) const REQUIRED: [(&str, &[Field]); 6] = [
    ("x-edge-request-id", &[Field::EdgeRequestId]),
    ("timestamp, or date and time", &[Field::Timestamp, Field::TimestampMs, Field::Time]),
    ("c-ip", &[Field::ClientIp]),
    ("cs-method", &[Field::Method]),
    ("cs-uri-stem", &[Field::UriStem]),
    ("cs-host, x-host-header or cs(Host)", &[Field::ViewerHost, Field::HostHeader, Field::Host]),
];

impl Columns {
    /// CloudFront has about 70 fields.
    const MAX: usize = 200;

    /// Parses names in the order of the columns.
    pub fn parse<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, ColumnsError> {
        let names: Vec<Box<str>> = names.into_iter().take(Self::MAX + 1).map(Box::from).collect();
        if names.len() > Self::MAX {
            return Err(ColumnsError::TooMany(Self::MAX));
        }
        let fields: Vec<_> = names.iter().map(|name| Field::named(name)).collect();
        for (name, alternatives) in REQUIRED {
            if !alternatives.iter().any(|field| fields.contains(&Some(*field))) {
                return Err(ColumnsError::Missing(name));
            }
        }
        Ok(Self { names, fields })
    }

    pub(crate) fn fields(&self) -> &[Option<Field>] {
        &self.fields
    }

    /// The names, separated by spaces, as in a `#Fields` header.
    pub fn names(&self) -> String {
        self.names.join(" ")
    }
}

impl FromStr for Columns {
    type Err = ColumnsError;

    /// Names separated by spaces or commas.
    fn from_str(text: &str) -> Result<Self, ColumnsError> {
        Self::parse(text.split([' ', ',', '\t']).filter(|name| !name.is_empty()))
    }
}
