//! Rules and the ruleset.

pub(crate) mod lists;
pub(crate) mod replays;
pub(crate) mod rulesets;
pub(crate) mod versioned;

use crate::store::{
    StoreError,
    change::Stored,
    rules::versioned::Versioned,
    sql::{
        bulk::Query,
        text_codec::{Columns, Text},
    },
};
use crate::{audit::Kind, ruleset::StoredRule};
use jiff::Timestamp;
use shared::ruleset::Rule;
use sqlx::FromRow;
use uuid::Uuid;

#[derive(FromRow)]
pub(crate) struct Row {
    id: String,
    revision: i64,
    scope: Text,
    effect: Text,
    comment: Text,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<Row> for StoredRule {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let columns = Columns { table: "rules", id: &row.id };
        let rule = Rule {
            id: columns.parse("id", &row.id)?,
            revision: columns.number("revision", row.revision)?,
            scope: columns.json("scope", &String::from(row.scope))?,
            effect: columns.json("effect", &String::from(row.effect))?,
            comment: row.comment.into(),
        };
        Ok(Self {
            rule,
            created_at: columns.time("created_at", row.created_at)?,
            updated_at: columns.time("updated_at", row.updated_at)?,
        })
    }
}

impl Stored for StoredRule {
    type Row = Row;

    const KIND: Kind = Kind::Rule;
    const NAMES: (&'static str, &'static str) = ("rule", "rules");
    const TABLE: &'static str = "rules";
    /// Nodes match each request against all rules.
    const MAX: i64 = 10_000;
    const SELECT: &'static str =
        "select id, revision, scope, effect, comment, created_at, updated_at from rules";

    fn id(&self) -> Uuid {
        self.rule.id
    }

    fn revision(&self) -> u32 {
        self.rule.revision
    }
}

impl Versioned for StoredRule {
    fn set_revision(&mut self, revision: u32, at: Timestamp) {
        (self.rule.revision, self.updated_at) = (revision, at);
    }

    fn upsert(&self) -> Query {
        let rule = &self.rule;
        sqlx::query(
            "insert into rules (id, revision, kind, scope, effect, comment, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do update set revision = excluded.revision, \
             kind = excluded.kind, scope = excluded.scope, effect = excluded.effect, comment = excluded.comment, \
             created_at = excluded.created_at, updated_at = excluded.updated_at",
        )
        .bind(rule.id.to_string())
        .bind(i64::from(rule.revision))
        .bind(rule.effect.kind())
        .bind(Text::json(&rule.scope))
        .bind(Text::json(&rule.effect))
        .bind(Text::from(rule.comment.as_str()))
        .bind(self.created_at.as_millisecond())
        .bind(self.updated_at.as_millisecond())
    }
}
