//! Rules, and the ruleset they are part of.

use super::{
    Connection, Store, StoreError, audit,
    words::{Columns, Text, count, json},
};
use crate::{
    audit::{Author, Deed, Kind},
    paging::{Page, Slice},
    ruleset::{RuleDraft, StoredRule},
};
use jiff::Timestamp;
use shared::ruleset::{Rule, Ruleset};
use sqlx::FromRow;
use uuid::Uuid;

/// More than nodes should have to try for each request.
const MAX_RULES: i64 = 10_000;

/// What became of a change.
#[derive(Debug)]
pub enum Change<T> {
    Made(T),
    /// There is no such thing.
    Unknown,
    /// Somebody changed it in between: it has this revision now.
    Stale(u32),
    /// There are too many already.
    Full(i64),
}

#[derive(FromRow)]
struct Row {
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
            revision: u32::try_from(row.revision).map_err(|_| columns.bad("revision"))?,
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

impl Store {
    /// The version of the ruleset, and its id.
    pub async fn ruleset_head(&self) -> Result<(u64, Uuid), StoreError> {
        let head: Option<(i64, String)> = sqlx::query_as("select version, id from ruleset where one = 1")
            .fetch_optional(&self.reader)
            .await?;
        // Before the first change.
        let Some((version, id)) = head else { return Ok((0, Uuid::nil())) };
        let id = Columns { table: "ruleset", id: "1" }.parse("id", &id)?;
        Ok((count(version), id))
    }

    /// All that nodes decide by. Entries that have expired are left out.
    pub async fn ruleset(&self, now: Timestamp) -> Result<Ruleset, StoreError> {
        loop {
            let head = self.ruleset_head().await?;
            let rows: Vec<Row> = sqlx::query_as(
                "select id, revision, scope, effect, comment, created_at, updated_at from rules order by created_at, id",
            )
            .fetch_all(&self.reader)
            .await?;
            let rules: Result<Vec<Rule>, StoreError> =
                rows.into_iter().map(|row| Ok(StoredRule::try_from(row)?.rule)).collect();
            let lists = self.all_entries(now).await?;
            // Read in pieces: when something changed in between, they do not belong together.
            if self.ruleset_head().await? == head {
                let (version, id) = head;
                return Ok(Ruleset { version, id, rules: rules?.into(), lists: lists.into() });
            }
        }
    }

    /// The newest rules first.
    pub async fn rules(&self, slice: &Slice) -> Result<Page<StoredRule>, StoreError> {
        let (at, id) = slice.bounds().unzip();
        let rows: Vec<Row> = sqlx::query_as(
            "select id, revision, scope, effect, comment, created_at, updated_at from rules \
             where $1 is null or created_at < $1 or (created_at = $1 and id < $2) \
             order by created_at desc, id desc limit $3",
        )
        .bind(at)
        .bind(id)
        .bind(i64::from(slice.limit) + 1)
        .fetch_all(&self.reader)
        .await?;
        let rules = rows.into_iter().map(StoredRule::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(rules, slice.limit))
    }

    pub async fn rule(&self, id: Uuid) -> Result<Option<StoredRule>, StoreError> {
        rule(&mut *self.reader.acquire().await?, id).await
    }

    pub async fn add_rule(&self, rule: Rule, author: &Author) -> Result<Change<StoredRule>, StoreError> {
        let mut change = self.writer.begin().await?;
        changed(&mut change).await?;
        let (rules,): (i64,) = sqlx::query_as("select count(*) from rules").fetch_one(&mut *change).await?;
        if rules >= MAX_RULES {
            return Ok(Change::Full(MAX_RULES));
        }
        sqlx::query(
            "insert into rules (id, revision, kind, scope, effect, comment, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $7)",
        )
        .bind(rule.id.to_string())
        .bind(i64::from(rule.revision))
        .bind(rule.effect.kind())
        .bind(Text::from(json(&rule.scope).as_str()))
        .bind(Text::from(json(&rule.effect).as_str()))
        .bind(Text::from(rule.comment.as_str()))
        .bind(author.at.as_millisecond())
        .execute(&mut *change)
        .await?;
        let rule = StoredRule { rule, created_at: author.at, updated_at: author.at };
        audit::note(&mut change, author, &Deed::created(Kind::Rule, &rule.rule.id, &rule)).await?;
        change.commit().await?;
        Ok(Change::Made(rule))
    }

    /// Replaces a rule that still has this revision.
    pub async fn replace_rule(
        &self,
        id: Uuid,
        revision: u32,
        draft: RuleDraft,
        author: &Author,
    ) -> Result<Change<StoredRule>, StoreError> {
        let mut change = self.writer.begin().await?;
        changed(&mut change).await?;
        let Some(before) = rule(&mut change, id).await? else { return Ok(Change::Unknown) };
        if before.rule.revision != revision {
            return Ok(Change::Stale(before.rule.revision));
        }
        let RuleDraft { scope, effect, comment } = draft;
        let rule = Rule { id, revision: revision + 1, scope, effect, comment };
        let after = StoredRule { rule, updated_at: author.at, ..before };
        sqlx::query(
            "update rules set revision = $2, kind = $3, scope = $4, effect = $5, comment = $6, updated_at = $7 where id = $1",
        )
        .bind(id.to_string())
        .bind(i64::from(after.rule.revision))
        .bind(after.rule.effect.kind())
        .bind(Text::from(json(&after.rule.scope).as_str()))
        .bind(Text::from(json(&after.rule.effect).as_str()))
        .bind(Text::from(after.rule.comment.as_str()))
        .bind(author.at.as_millisecond())
        .execute(&mut *change)
        .await?;
        audit::note(&mut change, author, &Deed::changed(Kind::Rule, &id, &before, &after)).await?;
        change.commit().await?;
        Ok(Change::Made(after))
    }

    /// Deletes a rule that still has this revision.
    pub async fn delete_rule(
        &self,
        id: Uuid,
        revision: u32,
        author: &Author,
    ) -> Result<Change<()>, StoreError> {
        let mut change = self.writer.begin().await?;
        changed(&mut change).await?;
        let Some(before) = rule(&mut change, id).await? else { return Ok(Change::Unknown) };
        if before.rule.revision != revision {
            return Ok(Change::Stale(before.rule.revision));
        }
        sqlx::query("delete from rules where id = $1").bind(id.to_string()).execute(&mut *change).await?;
        audit::note(&mut change, author, &Deed::deleted(Kind::Rule, &id, &before)).await?;
        change.commit().await?;
        Ok(Change::Made(()))
    }
}

/// Begins every change: makes it another ruleset, and changes by others wait.
pub(super) async fn changed(connection: &mut Connection) -> Result<(), StoreError> {
    sqlx::query(
        "insert into ruleset (one, version, id) values (1, 1, $1) \
         on conflict (one) do update set version = ruleset.version + 1, id = excluded.id",
    )
    .bind(Uuid::new_v4().to_string())
    .execute(connection)
    .await?;
    Ok(())
}

async fn rule(connection: &mut Connection, id: Uuid) -> Result<Option<StoredRule>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "select id, revision, scope, effect, comment, created_at, updated_at from rules where id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(StoredRule::try_from).transpose()
}
