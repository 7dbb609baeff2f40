//! Columns of the list of requests: names, for addresses and saved views.

use crate::facet::Facet;

/// A column, besides the time, which comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Source,
    Method,
    Host,
    Path,
    Parameter,
    Type,
    Payload,
    Score,
    Response,
    Action,
    Of(Facet),
}

impl Column {
    pub const ALL: [Self; 20] = [
        Self::Source,
        Self::Method,
        Self::Host,
        Self::Path,
        Self::Parameter,
        Self::Type,
        Self::Payload,
        Self::Score,
        Self::Response,
        Self::Action,
        Self::Of(Facet::Rule),
        Self::Of(Facet::Country),
        Self::Of(Facet::Network),
        Self::Of(Facet::UserAgent),
        Self::Of(Facet::HttpVersion),
        Self::Of(Facet::Signature),
        Self::Of(Facet::Severity),
        Self::Of(Facet::Connector),
        Self::Of(Facet::Node),
        Self::Of(Facet::SeenBy),
    ];
    /// Without a choice: the first ones but the payload.
    pub const DEFAULT: [Self; 10] = [
        Self::Source,
        Self::Method,
        Self::Host,
        Self::Path,
        Self::Parameter,
        Self::Type,
        Self::Score,
        Self::Response,
        Self::Action,
        Self::Of(Facet::Rule),
    ];
    pub const EXPECTED: &str = "names of columns, each once, with commas between them";

    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Method => "method",
            Self::Host => "host",
            Self::Path => "path",
            Self::Parameter => "parameter",
            Self::Type => "type",
            Self::Payload => "payload",
            Self::Score => "score",
            Self::Response => "response",
            Self::Action => "action",
            Self::Of(facet) => facet.name(),
        }
    }

    /// The columns of a list of names.
    pub fn parse_list(text: &str) -> Option<Vec<Self>> {
        let mut columns = Vec::new();
        for name in text.split(',') {
            let column = Self::ALL.into_iter().find(|column| column.name() == name)?;
            if columns.contains(&column) {
                return None;
            }
            columns.push(column);
        }
        Some(columns)
    }
}
