//! Ruleset versions, derived from the current ruleset and the audit log.

use crate::store::{
    Connection, Store, StoreError,
    access::audit,
    rules::{
        lists, {self, Change, changed},
    },
    sql::{
        statement::Statement,
        text_codec::{Columns, Text, count},
    },
};
use crate::{
    audit::{Action, Author, Deed, Kind},
    paging::{Page, Slice},
    ruleset::{Difference, StoredEntry, StoredRule, Version, VersionContent},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::FromRow;
use std::collections::BTreeMap;

#[derive(FromRow)]
struct Row {
    version: i64,
    at: i64,
    actor: Text,
    created: i64,
    changed: i64,
    deleted: i64,
    activated: Option<String>,
}

impl TryFrom<Row> for Version {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = row.version.to_string();
        let columns = Columns { table: "audit", id: &id };
        Ok(Self {
            version: count(row.version),
            at: columns.time("at", row.at)?,
            actor: row.actor.into(),
            created: count(row.created),
            changed: count(row.changed),
            deleted: count(row.deleted),
            activated: row.activated.map(|version| columns.parse("object", &version)).transpose()?,
        })
    }
}

const VERSIONS: &str = "select ruleset as version, min(at) as at, min(actor) as actor, \
     cast(sum(case when action = 'create' then 1 else 0 end) as bigint) as created, \
     cast(sum(case when action = 'change' then 1 else 0 end) as bigint) as changed, \
     cast(sum(case when action = 'delete' then 1 else 0 end) as bigint) as deleted, \
     max(case when action = 'activate' then object end) as activated \
     from audit where ruleset is not null";

impl Store {
    /// The latest versions first.
    pub async fn versions(&self, slice: &Slice) -> Result<Page<Version>, StoreError> {
        let mut statement = Statement::new(VERSIONS);
        if let Some((version, _)) = slice.bounds() {
            statement.push(" and ruleset < ").bind(version);
        }
        statement.push(" group by ruleset order by ruleset desc limit ").bind(i64::from(slice.limit) + 1);
        let rows: Vec<Row> = statement.fetch_all(&self.reader).await?;
        let versions = rows.into_iter().map(Version::try_from).collect::<Result<_, _>>()?;
        Ok(Page::cut(versions, slice.limit))
    }

    /// The rules and entries of a version. `None` if it is unknown.
    pub async fn version(&self, version: u64) -> Result<Option<VersionContent>, StoreError> {
        let mut snapshot = self.reader.begin_with(self.dialect.begin_snapshot()).await?;
        let current = head(&mut snapshot).await?;
        let Some(since) = since(&mut snapshot, version, current).await? else { return Ok(None) };
        let rules = rules::all(&mut snapshot).await?;
        let entries = lists::all(&mut snapshot).await?;
        let mut rules: BTreeMap<String, StoredRule> =
            rules.into_iter().map(|rule| (rule.rule.id.to_string(), rule)).collect();
        let mut lists: BTreeMap<String, StoredEntry> =
            entries.into_iter().map(|entry| (entry.entry.id.to_string(), entry)).collect();
        for difference in since {
            match difference.kind {
                Kind::Rule => put_back(&mut rules, difference)?,
                _ => put_back(&mut lists, difference)?,
            }
        }
        let (mut rules, mut lists): (Vec<_>, Vec<_>) =
            (rules.into_values().collect(), lists.into_values().collect());
        rules.sort_by_key(|rule| (rule.created_at, rule.rule.id));
        lists.sort_by_key(|entry| (entry.created_at, entry.entry.id));
        Ok(Some(VersionContent { version, rules, lists }))
    }

    /// The differences between two versions. `None` if one of them is unknown.
    pub async fn difference(
        &self,
        from: u64,
        to: Option<u64>,
    ) -> Result<Option<Vec<Difference>>, StoreError> {
        let mut snapshot = self.reader.begin_with(self.dialect.begin_snapshot()).await?;
        let current = head(&mut snapshot).await?;
        let to = to.unwrap_or(current);
        if to > current {
            return Ok(None);
        }
        since(&mut snapshot, from, to).await
    }

    /// Restores a version as a new one, if `current` is still the current version.
    pub async fn activate(
        &self,
        version: u64,
        current: u32,
        author: &Author,
    ) -> Result<Change<Version>, StoreError> {
        let mut change = self.writer.begin().await?;
        let new = changed(&mut change).await?;
        let latest = count(new) - 1;
        if latest != u64::from(current) {
            return Ok(Change::Stale(u32::try_from(latest).unwrap_or(u32::MAX)));
        }
        let Some(since) = since(&mut change, version, latest).await? else { return Ok(Change::Unknown) };
        for difference in since {
            match difference.kind {
                Kind::Rule => rules::put_back(&mut change, difference, new, author).await?,
                _ => lists::put_back(&mut change, difference, new, author).await?,
            }
        }
        let deed = Deed {
            action: Action::Activate,
            kind: Kind::Ruleset,
            object: version.to_string(),
            before: Some(json!({ "version": latest })),
            after: Some(json!({ "version": new })),
            ruleset: Some(new),
        };
        audit::record(&mut change, author, &deed).await?;
        change.commit().await?;
        let slice = Slice { limit: 1, after: None };
        let latest = self.versions(&slice).await?.items.into_iter().next();
        Ok(latest.map_or(Change::Unknown, Change::Made))
    }
}

async fn head(connection: &mut Connection) -> Result<u64, StoreError> {
    let head: Option<(i64,)> =
        sqlx::query_as("select version from ruleset where one = 1").fetch_optional(connection).await?;
    Ok(head.map_or(0, |(version,)| count(version)))
}

#[derive(FromRow)]
struct ChangeRow {
    version: i64,
    kind: String,
    object: Text,
    before: Option<String>,
    after: Option<String>,
}

/// The differences from version `from` to version `to`. `None` if a version is unknown or older
/// than the log.
async fn since(
    connection: &mut Connection,
    from: u64,
    to: u64,
) -> Result<Option<Vec<Difference>>, StoreError> {
    let number = |version: u64| i64::try_from(version).unwrap_or(i64::MAX);
    let rows: Vec<ChangeRow> = sqlx::query_as(
        "select ruleset as version, kind, object, before, after from audit \
         where ruleset > $1 and ruleset <= $2 order by ruleset, id",
    )
    .bind(number(from))
    .bind(number(to))
    .fetch_all(connection)
    .await?;
    let mut known = number(from);
    let mut differences: BTreeMap<(&str, String), Difference> = BTreeMap::new();
    for row in rows {
        if row.version > known + 1 {
            return Ok(None);
        }
        known = row.version;
        let object = String::from(row.object);
        let columns = Columns { table: "audit", id: &object };
        let kind = Kind::parse(&row.kind).ok_or_else(|| columns.bad("kind"))?;
        if kind == Kind::Ruleset {
            continue;
        }
        let value =
            |column, text: Option<String>| text.map(|text| columns.json::<Value>(column, &text)).transpose();
        let (before, after): (Option<Value>, _) = (value("before", row.before)?, value("after", row.after)?);
        let revision = after.iter().chain(&before).find_map(|state| state["revision"].as_u64());
        let first = Difference { kind, object: object.clone(), before, after: None, revision: 0 };
        let difference = differences.entry((kind.as_str(), object)).or_insert(first);
        difference.after = after;
        difference.revision = revision.and_then(|revision| u32::try_from(revision).ok()).unwrap_or_default();
    }
    let differences = differences.into_values().filter(|difference| difference.before != difference.after);
    Ok((known == number(to)).then(|| differences.collect()))
}

/// Undoes a difference.
fn put_back<T: DeserializeOwned>(
    objects: &mut BTreeMap<String, T>,
    Difference { object, before, .. }: Difference,
) -> Result<(), StoreError> {
    match before {
        Some(before) => {
            let restored = logged(&object, before)?;
            objects.insert(object, restored);
        }
        None => drop(objects.remove(&object)),
    }
    Ok(())
}

/// An object from its JSON in the log.
pub(crate) fn logged<T: DeserializeOwned>(object: &str, value: Value) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|_| Columns { table: "audit", id: object }.bad("before"))
}
