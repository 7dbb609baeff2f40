//! Groups of attacks with equal values of fields.

use crate::{
    attack::AttackStatus,
    facet::Facet,
    paging::{Cursor, Listed},
};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The fields to group by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupField {
    Type,
    Host,
    Path,
    Parameter,
    Ip,
    Facet(Facet),
}

/// One to four fields, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping(Vec<GroupField>);

/// Attacks with equal values of the fields. With conditions on hits, the hits that meet them count,
/// and the times are theirs.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct AttackGroup {
    /// The fields and their values.
    pub group: BTreeMap<&'static str, String>,
    pub attacks: u64,
    pub hits: u64,
    pub blocked: u64,
    pub status: AttackStatus,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    #[serde(skip)]
    pub(crate) cursor: Cursor,
}

impl Listed for AttackGroup {
    fn cursor(&self) -> Cursor {
        self.cursor.clone()
    }
}

impl GroupField {
    pub const ALL: [Self; 16] = [
        Self::Type,
        Self::Host,
        Self::Path,
        Self::Parameter,
        Self::Ip,
        Self::Facet(Facet::Country),
        Self::Facet(Facet::Network),
        Self::Facet(Facet::UserAgent),
        Self::Facet(Facet::HttpVersion),
        Self::Facet(Facet::Connector),
        Self::Facet(Facet::Node),
        Self::Facet(Facet::Rule),
        Self::Facet(Facet::Signature),
        Self::Facet(Facet::Severity),
        Self::Facet(Facet::Score),
        Self::Facet(Facet::SeenBy),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Host => "host",
            Self::Path => "path",
            Self::Parameter => "parameter",
            Self::Ip => "ip",
            Self::Facet(facet) => facet.name(),
        }
    }

    /// The name on pages.
    pub fn title(self) -> &'static str {
        match self {
            Self::Type => "Type",
            Self::Host => "Host",
            Self::Path => "Path",
            Self::Parameter => "Parameter",
            Self::Ip => "Source address",
            Self::Facet(facet) => facet.title(),
        }
    }

    /// Whether hits of one attack may differ in it.
    pub(crate) fn is_of_hit(self) -> bool {
        matches!(self, Self::Ip | Self::Facet(_))
    }
}

impl Grouping {
    pub const EXPECTED: &str = "one to four of type, host, path, parameter, ip, country, network, user_agent, \
        http_version, connector, node, rule, signature, severity, score and seen_by, with commas between them";

    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = Vec::new();
        for name in text.split(',') {
            let field = GroupField::ALL.into_iter().find(|field| field.name() == name.trim())?;
            if fields.contains(&field) {
                return None;
            }
            fields.push(field);
        }
        (1..=4).contains(&fields.len()).then_some(Self(fields))
    }

    pub fn by(field: GroupField) -> Self {
        Self(vec![field])
    }

    pub fn fields(&self) -> &[GroupField] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grouping_names_one_to_four_fields_once() {
        let fields = |text| Grouping::parse(text).map(|grouping| grouping.fields().len());
        assert_eq!(fields("type"), Some(1));
        assert_eq!(fields("type, host,path,ip"), Some(4));
        for wrong in ["", "type,", "type,type", "size", "type,host,path,parameter,ip"] {
            assert_eq!(fields(wrong), None, "{wrong}");
        }
    }
}
