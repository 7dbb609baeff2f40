//! Rules and the ruleset.

pub(crate) mod lists;
pub(crate) mod replays;
pub(crate) mod rulesets;

use crate::store::{
    Connection, Store, StoreError,
    access::audit,
    rules::rulesets::logged,
    sql::{
        statement::Statement,
        text_codec::{Columns, Text, count, json},
    },
};
use crate::{
    audit::{Author, Deed, Kind},
    paging::{Page, Slice},
    ruleset::{Difference, StoredRule},
};
use jiff::Timestamp;
use shared::ruleset::{ListEntry, Rule, Ruleset};
use sqlx::FromRow;
use uuid::Uuid;

/// The maximum number of rules: nodes match each request against them.
const MAX_RULES: i64 = 10_000;

/// The result of a change.
#[derive(Debug)]
pub enum Change<T> {
    Made(T),
    /// The object does not exist.
    Unknown,
    /// Revision conflict, with the current revision.
    Stale(u32),
    /// The limit is reached.
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
        head(&mut *self.reader.acquire().await?).await
    }

    /// The current ruleset, without expired entries.
    pub async fn ruleset(&self, now: Timestamp) -> Result<Ruleset, StoreError> {
        let mut snapshot = self.reader.begin_with(self.dialect.begin_snapshot()).await?;
        let (version, id) = head(&mut snapshot).await?;
        let rules = all(&mut snapshot).await?;
        let mut lists: Vec<ListEntry> =
            lists::all(&mut snapshot).await?.into_iter().map(|entry| entry.entry).collect();
        lists.retain(|entry| entry.expires_at.is_none_or(|end| end > now));
        let rules: Vec<Rule> = rules.into_iter().map(|rule| rule.rule).collect();
        Ok(Ruleset { version, id, rules: rules.into(), lists: lists.into() })
    }

    /// The newest rules first.
    pub async fn rules(&self, slice: &Slice) -> Result<Page<StoredRule>, StoreError> {
        let mut statement = Statement::new(
            "select id, revision, scope, effect, comment, created_at, updated_at from rules where ",
        );
        statement.push_newest(slice);
        statement.fetch_page::<Row, _>(&self.reader, slice).await
    }

    pub async fn rule(&self, id: Uuid) -> Result<Option<StoredRule>, StoreError> {
        stored_rule(&mut *self.reader.acquire().await?, id).await
    }

    pub async fn add_rule(&self, rule: Rule, author: &Author) -> Result<Change<StoredRule>, StoreError> {
        let mut change = self.writer.begin().await?;
        let version = changed(&mut change).await?;
        let (rules,): (i64,) = sqlx::query_as("select count(*) from rules").fetch_one(&mut *change).await?;
        if rules >= MAX_RULES {
            return Ok(Change::Full(MAX_RULES));
        }
        let rule = StoredRule { rule, created_at: author.at, updated_at: author.at };
        insert(&mut change, &rule).await?;
        audit::record(&mut change, author, &Deed::created(Kind::Rule, &rule.rule.id, &rule).making(version))
            .await?;
        change.commit().await?;
        Ok(Change::Made(rule))
    }

    /// Replaces a rule that still has the revision of this one, which becomes the next.
    pub async fn replace_rule(
        &self,
        mut rule: Rule,
        author: &Author,
    ) -> Result<Change<StoredRule>, StoreError> {
        let id = rule.id;
        let mut change = self.writer.begin().await?;
        let version = changed(&mut change).await?;
        let Some(before) = stored_rule(&mut change, id).await? else { return Ok(Change::Unknown) };
        if before.rule.revision != rule.revision {
            return Ok(Change::Stale(before.rule.revision));
        }
        rule.revision += 1;
        let after = StoredRule { rule, updated_at: author.at, ..before };
        delete(&mut change, id).await?;
        insert(&mut change, &after).await?;
        audit::record(&mut change, author, &Deed::changed(Kind::Rule, &id, &before, &after).making(version))
            .await?;
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
        let version = changed(&mut change).await?;
        let Some(before) = stored_rule(&mut change, id).await? else { return Ok(Change::Unknown) };
        if before.rule.revision != revision {
            return Ok(Change::Stale(before.rule.revision));
        }
        delete(&mut change, id).await?;
        audit::record(&mut change, author, &Deed::deleted(Kind::Rule, &id, &before).making(version)).await?;
        change.commit().await?;
        Ok(Change::Made(()))
    }
}

/// Starts a change: increments the version of the ruleset and returns it. Concurrent changes wait.
pub(crate) async fn changed(connection: &mut Connection) -> Result<i64, StoreError> {
    let (version,): (i64,) = sqlx::query_as(
        "insert into ruleset (one, version, id) values (1, 1, $1) \
         on conflict (one) do update set version = ruleset.version + 1, id = excluded.id returning version",
    )
    .bind(Uuid::new_v4().to_string())
    .fetch_one(connection)
    .await?;
    Ok(version)
}

async fn head(connection: &mut Connection) -> Result<(u64, Uuid), StoreError> {
    let head: Option<(i64, String)> =
        sqlx::query_as("select version, id from ruleset where one = 1").fetch_optional(connection).await?;
    // Before the first change.
    let Some((version, id)) = head else { return Ok((0, Uuid::nil())) };
    let id = Columns { table: "ruleset", id: "1" }.parse("id", &id)?;
    Ok((count(version), id))
}

/// The oldest first.
pub(crate) async fn all(connection: &mut Connection) -> Result<Vec<StoredRule>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "select id, revision, scope, effect, comment, created_at, updated_at from rules order by created_at, id",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(StoredRule::try_from).collect()
}

/// Restores an earlier state of a rule as a new revision.
pub(crate) async fn put_back(
    connection: &mut Connection,
    Difference { object, before, after, revision, .. }: Difference,
    version: i64,
    author: &Author,
) -> Result<(), StoreError> {
    let id = Columns { table: "audit", id: &object }.parse("object", &object)?;
    delete(connection, id).await?;
    let deed = match before {
        None => Deed::deleted(Kind::Rule, &object, &after),
        Some(before) => {
            let mut rule: StoredRule = logged(&object, before)?;
            (rule.rule.revision, rule.updated_at) = (revision + 1, author.at);
            insert(connection, &rule).await?;
            Deed { before: after, ..Deed::created(Kind::Rule, &object, &rule) }
        }
    };
    audit::record(connection, author, &deed.again().making(version)).await
}

async fn insert(connection: &mut Connection, stored: &StoredRule) -> Result<(), StoreError> {
    let rule = &stored.rule;
    sqlx::query(
        "insert into rules (id, revision, kind, scope, effect, comment, created_at, updated_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(rule.id.to_string())
    .bind(i64::from(rule.revision))
    .bind(rule.effect.kind())
    .bind(Text::from(json(&rule.scope).as_str()))
    .bind(Text::from(json(&rule.effect).as_str()))
    .bind(Text::from(rule.comment.as_str()))
    .bind(stored.created_at.as_millisecond())
    .bind(stored.updated_at.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(connection: &mut Connection, id: Uuid) -> Result<(), StoreError> {
    sqlx::query("delete from rules where id = $1").bind(id.to_string()).execute(connection).await?;
    Ok(())
}

async fn stored_rule(connection: &mut Connection, id: Uuid) -> Result<Option<StoredRule>, StoreError> {
    let row: Option<Row> = sqlx::query_as(
        "select id, revision, scope, effect, comment, created_at, updated_at from rules where id = $1",
    )
    .bind(id.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(StoredRule::try_from).transpose()
}
