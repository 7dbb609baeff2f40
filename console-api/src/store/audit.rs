//! The audit log.

use crate::store::{
    Connection, Store, StoreError,
    delivery::sealed_webhook,
    sql::{
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::Text,
    },
};
use crate::{
    actor::Role,
    audit::{AuditAction, AuditEvent, AuditLine, Author, LogFilter, ObjectKind},
    paging::{Page, Slice},
};
use jiff::Timestamp;
use uuid::Uuid;

/// What a recorded change is a part of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PartOf {
    /// The version of the ruleset that it creates.
    pub(crate) version: Option<i64>,
    pub(crate) batch: Option<Uuid>,
}

/// Records a change in its transaction.
pub(crate) async fn record(
    connection: &mut Connection,
    author: &Author,
    event: &AuditEvent,
    part: PartOf,
) -> Result<(), StoreError> {
    let value = |value: &Option<_>| value.as_ref().map(|value: &serde_json::Value| value.to_string());
    sqlx::query(
        "insert into audit (id, at, actor, role, action, kind, object, before, after, ruleset, actor_id, batch) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(author.at.as_millisecond())
    .bind(Text::from(author.name.as_str()))
    .bind(author.role.map(Role::as_str))
    .bind(event.action.as_str())
    .bind(event.kind.as_str())
    .bind(Text::from(event.object.as_str()))
    .bind(value(&event.before))
    .bind(value(&event.after))
    .bind(part.version)
    .bind(author.id.map(|id| id.to_string()))
    .bind(part.batch.map(|id| id.to_string()))
    .execute(connection)
    .await?;
    Ok(())
}

/// Refused sign-ins that are kept.
const MAX_REFUSED: i64 = 10_000;

impl Store {
    /// Deletes refused sign-ins before a time, and all but the latest 10,000.
    pub async fn delete_refused_sign_ins(&self, before: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "delete from audit where action = $1 and kind = $2 and (at < $3 or id <= coalesce((select id from audit \
             where action = $1 and kind = $2 order by id desc limit 1 offset $4), ''))",
        )
        .bind(AuditAction::Refuse.as_str())
        .bind(ObjectKind::Session.as_str())
        .bind(before.as_millisecond())
        .bind(MAX_REFUSED)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}

impl ReadRow for AuditLine {
    const TABLE: &'static str = "audit";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.parse("id")?,
            at: row.time("at")?,
            before: row.optional("before", Row::json)?,
            after: row.optional("after", Row::json)?,
            actor: row.text("actor")?,
            actor_id: row.optional("actor_id", Row::parse)?,
            role: row.get("role")?,
            action: row.get("action")?,
            kind: row.get("kind")?,
            object: row.text("object")?,
        })
    }
}

pub(crate) const LINES: &str =
    "select id, at, actor, actor_id, role, action, kind, object, before, after from audit";

impl Store {
    pub async fn log_line(&self, id: Uuid) -> Result<Option<AuditLine>, StoreError> {
        let mut statement = Statement::new(LINES);
        statement.push(" where id = ").bind(id.to_string());
        let mut line: Option<AuditLine> = statement.fetch_optional(&self.reader).await?;
        if let Some(line) = &mut line {
            self.open_urls(line);
        }
        Ok(line)
    }

    /// The audit log, the latest change first.
    pub async fn log(&self, filter: &LogFilter, slice: &Slice) -> Result<Page<AuditLine>, StoreError> {
        let mut statement = Statement::new(LINES);
        statement.push(" where true");
        if let Some(actor) = &filter.actor {
            statement.push(" and actor = ").bind(Text::from(actor.as_str()));
        }
        if let Some(action) = filter.action {
            statement.push(" and action = ").bind(action.as_str());
        }
        if let Some(kind) = filter.kind {
            statement.push(" and kind = ").bind(kind.as_str());
        }
        if let Some(object) = &filter.object {
            statement.push(" and object = ").bind(Text::from(object.as_str()));
        }
        if let Some(sign_ins) = filter.sign_ins {
            statement.push(if sign_ins { " and kind = " } else { " and kind <> " });
            statement.bind(ObjectKind::Session.as_str());
        }
        if let Some(from) = filter.from {
            statement.push(" and at >= ").bind(from.as_millisecond());
        }
        if let Some(to) = filter.to {
            statement.push(" and at < ").bind(to.as_millisecond());
        }
        statement.push(" and ").push_newest_by(("at", "id"), slice);
        let mut page: Page<AuditLine> = statement.fetch_page(&self.reader, slice).await?;
        for line in &mut page.items {
            self.open_urls(line);
        }
        Ok(page)
    }

    /// Webhooks are logged with a sealed URL.
    fn open_urls(&self, line: &mut AuditLine) {
        if line.kind == ObjectKind::Webhook.as_str() {
            for logged in [&mut line.before, &mut line.after].into_iter().flatten() {
                sealed_webhook::open_logged(&self.keys, &line.object, logged);
            }
        }
    }
}
