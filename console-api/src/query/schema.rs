//! The schema of queries, for programs and for the completion in the search bar.

use super::{Field, HitAction, condition::SEVERITIES, field::ValueKind};
use crate::{
    attack::{AttackStatus, GroupField, Marks, SortKey},
    facet::Facet,
    user_agent,
};
use serde::Serialize;
use shared::AttackType;

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Schema {
    pub fields: Vec<FieldSchema>,
    pub group_by: Vec<&'static str>,
    pub sort: Vec<&'static str>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FieldSchema {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub about: &'static str,
    pub example: &'static str,
    pub kind: ValueKind,
    pub operators: &'static [&'static str],
    /// All known values of fields of words.
    pub values: Vec<&'static str>,
}

impl Schema {
    pub fn new() -> Self {
        Self {
            fields: Field::ALL.into_iter().map(FieldSchema::new).collect(),
            group_by: GroupField::ALL.into_iter().map(GroupField::name).collect(),
            sort: SortKey::ALL.into_iter().map(SortKey::name).collect(),
        }
    }
}

impl Default for Schema {
    fn default() -> Self {
        Self::new()
    }
}

impl FieldSchema {
    fn new(field: Field) -> Self {
        let kind = field.kind();
        Self {
            name: field.name(),
            aliases: &field.names()[1..],
            about: field.about(),
            example: field.example(),
            kind,
            operators: match kind {
                ValueKind::Word => &[":", ","],
                ValueKind::Text => &[":", ",", "*", "?"],
                ValueKind::Number | ValueKind::Time => &[":", ",", ">", ">=", "<", "<=", ".."],
                ValueKind::Address => &[":", ",", "/", "-"],
            },
            values: match field {
                Field::Type => AttackType::ALL.iter().map(AttackType::as_str).collect(),
                Field::Status => AttackStatus::ALL.into_iter().map(AttackStatus::as_str).collect(),
                Field::Action => HitAction::ALL.into_iter().map(HitAction::as_str).collect(),
                Field::Facet(Facet::Severity) => SEVERITIES.to_vec(),
                Field::Facet(Facet::UserAgent) => user_agent::families().collect(),
                Field::Mark => Marks::ALL.into_iter().map(Marks::as_str).collect(),
                _ => Vec::new(),
            },
        }
    }
}
