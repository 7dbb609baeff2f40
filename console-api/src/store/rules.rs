//! Rules and the ruleset.

pub(crate) mod activity;
pub(crate) mod lists;
pub(crate) mod replays;
pub(crate) mod rulesets;
pub(crate) mod versioned;

use crate::store::{
    Store, StoreError,
    change::{SortLimit, Stored},
    rules::versioned::Versioned,
    sql::{
        bulk::Query,
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::{Text, json},
    },
};
use crate::{audit::ObjectKind, ruleset::StoredRule};
use jiff::Timestamp;
use shared::ruleset::{Effect, Rule};
use uuid::Uuid;

impl ReadRow for StoredRule {
    const TABLE: &'static str = "rules";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let rule = Rule {
            id: row.parse("id")?,
            revision: row.number("revision")?,
            scope: row.json("scope")?,
            effect: row.json("effect")?,
            comment: row.text("comment")?,
        };
        Ok(Self {
            rule,
            created_at: row.time("created_at")?,
            updated_at: row.time("updated_at")?,
            expires_at: row.optional("expires_at", Row::time)?,
        })
    }
}

impl Stored for StoredRule {
    const KIND: ObjectKind = ObjectKind::Rule;
    const NAMES: (&'static str, &'static str) = ("rule", "rules");
    /// Nodes match each request against all rules.
    const MAX: Option<i64> = Some(10_000);
    const SELECT: &'static str =
        "select id, revision, scope, effect, comment, created_at, updated_at, expires_at from rules";

    /// Nodes compile all detectors of a ruleset before they apply it: it arrives the later.
    fn limit_of_sort(&self) -> Option<SortLimit> {
        matches!(self.rule.effect, Effect::Detector { .. }).then_some(SortLimit {
            limit: 1_000,
            objects: "detectors",
            count: "select count(*) from rules where kind = 'detector'",
        })
    }

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
            "insert into rules (id, revision, kind, scope, effect, comment, created_at, updated_at, expires_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do update set revision = excluded.revision, \
             kind = excluded.kind, scope = excluded.scope, effect = excluded.effect, comment = excluded.comment, \
             created_at = excluded.created_at, updated_at = excluded.updated_at, expires_at = excluded.expires_at",
        )
        .bind(rule.id.to_string())
        .bind(i64::from(rule.revision))
        .bind(rule.effect.kind())
        .bind(json(&rule.scope))
        .bind(json(&rule.effect))
        .bind(Text::from(rule.comment.as_str()))
        .bind(self.created_at.as_millisecond())
        .bind(self.updated_at.as_millisecond())
        .bind(self.expires_at.map(Timestamp::as_millisecond))
    }
}

impl Store {
    /// The rules that have ended.
    pub(crate) async fn ended_rules(&self, now: Timestamp) -> Result<Vec<StoredRule>, StoreError> {
        let mut statement = Statement::new(StoredRule::SELECT);
        statement.push(" where expires_at <= ").bind(now.as_millisecond());
        statement.fetch_all(&self.reader).await
    }
}
