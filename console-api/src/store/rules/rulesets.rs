//! Ruleset versions, derived from the current ruleset and the audit log.

use crate::store::{
    Connection, Store, StoreError,
    change::{Change, ChangeError},
    rules::versioned::{self, Versioned, logged},
    sql::{
        row::{ReadRow, Row},
        statement::Statement,
        text_codec::count,
    },
};
use crate::{
    audit::{AuditAction, AuditEvent, Author, ObjectKind},
    paging::{Page, Slice},
    ruleset::{Difference, StoredEntry, StoredRule, Version, VersionContent},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::ruleset::{ListEntry, Rule, Ruleset};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

impl ReadRow for Version {
    const TABLE: &'static str = "audit";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            version: row.count("version")?,
            at: row.time("at")?,
            actor: row.text("actor")?,
            created: row.count("created")?,
            changed: row.count("changed")?,
            deleted: row.count("deleted")?,
            activated: row.optional("activated", Row::parse)?,
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
    /// The version of the ruleset, and its id.
    pub async fn ruleset_head(&self) -> Result<(u64, Uuid), StoreError> {
        head(&mut *self.reader.acquire().await?).await
    }

    /// The current ruleset, without expired rules and entries.
    pub async fn ruleset(&self, now: Timestamp) -> Result<Ruleset, StoreError> {
        let mut snapshot = self.reader.begin_with(self.dialect.begin_snapshot()).await?;
        let (version, id) = head(&mut snapshot).await?;
        let mut rules = versioned::all::<StoredRule>(&mut snapshot).await?;
        rules.retain(|rule| rule.expires_at.is_none_or(|end| end > now));
        let rules: Vec<Rule> = rules.into_iter().map(|rule| rule.rule).collect();
        let entries = versioned::all::<StoredEntry>(&mut snapshot).await?;
        let mut lists: Vec<ListEntry> = entries.into_iter().map(|entry| entry.entry).collect();
        lists.retain(|entry| entry.expires_at.is_none_or(|end| end > now));
        Ok(Ruleset { version, id, rules: rules.into(), lists: lists.into() })
    }

    /// The rules of the current ruleset.
    pub async fn rules(&self) -> Result<Vec<Rule>, StoreError> {
        rules(&mut *self.reader.acquire().await?).await
    }

    /// The latest versions first.
    pub async fn versions(&self, slice: &Slice) -> Result<Page<Version>, StoreError> {
        let mut statement = Statement::new(VERSIONS);
        if let Some((version, _)) = slice.bounds() {
            statement.push(" and ruleset < ").bind(version);
        }
        statement.push(" group by ruleset order by ruleset desc limit ").bind(i64::from(slice.limit) + 1);
        statement.fetch_page(&self.reader, slice).await
    }

    /// The versions that no webhook was notified of, the oldest first, up to a limit.
    pub(crate) async fn new_versions(
        &self,
        limit: u32,
    ) -> Result<Vec<(Version, BTreeSet<String>)>, StoreError> {
        let mut statement = Statement::new(VERSIONS);
        statement.push(" and ruleset > coalesce((select max(notified_version) from ruleset), 0)");
        statement.push(" group by ruleset order by ruleset limit ").bind(i64::from(limit));
        let versions: Vec<Version> = statement.fetch_all(&self.reader).await?;
        let (Some(first), Some(last)) = (versions.first(), versions.last()) else { return Ok(Vec::new()) };
        let mut kinds = self.kinds_of(first.version, last.version).await?;
        let with_kinds = |version: Version| {
            let kinds = kinds.remove(&version.version).unwrap_or_default();
            (version, kinds)
        };
        Ok(versions.into_iter().map(with_kinds).collect())
    }

    /// The kinds of the rules, and the lists of the entries, that each of some versions changed.
    async fn kinds_of(&self, first: u64, last: u64) -> Result<BTreeMap<u64, BTreeSet<String>>, StoreError> {
        let number = |version: u64| i64::try_from(version).unwrap_or(i64::MAX);
        let mut statement = Statement::new(
            "select object, ruleset, coalesce(after, before) as state from audit where ruleset >= ",
        );
        statement.bind(number(first)).push(" and ruleset <= ").bind(number(last));
        statement.push(" and kind in ('rule', 'ip_list_entry')");
        let mut kinds: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
        for row in statement.fetch_rows(&self.reader).await? {
            let row = Row { table: "audit", row: &row };
            let state: Value = row.json("state")?;
            let kind = state["effect"]["kind"].as_str().or_else(|| state["list"].as_str());
            kinds.entry(row.count("ruleset")?).or_default().extend(kind.map(str::to_owned));
        }
        Ok(kinds)
    }

    /// The rules and entries of a version. `None` if it is unknown.
    pub async fn version(&self, version: u64) -> Result<Option<VersionContent>, StoreError> {
        let mut snapshot = self.reader.begin_with(self.dialect.begin_snapshot()).await?;
        let (current, _) = head(&mut snapshot).await?;
        let Some(since) = since(&mut snapshot, version, current).await? else { return Ok(None) };
        let (of_rules, of_lists) =
            since.into_iter().partition(|difference| difference.kind == ObjectKind::Rule);
        let mut rules: Vec<StoredRule> = undo_all(&mut snapshot, of_rules).await?;
        let mut lists: Vec<StoredEntry> = undo_all(&mut snapshot, of_lists).await?;
        rules.sort_by_key(|rule| (rule.created_at, rule.rule.id));
        lists.sort_by_key(|entry| (entry.created_at, entry.entry.id));
        Ok(Some(VersionContent { version, rules, lists }))
    }

    /// The differences between two versions. `None` if one of them is unknown.
    pub async fn difference(&self, from: u64, to: Option<u64>) -> Result<Vec<Difference>, ChangeError> {
        let unknown = |version: u64| ChangeError::unknown("ruleset", &version);
        let mut snapshot = self.reader.begin_with(self.dialect.begin_snapshot()).await?;
        let (current, _) = head(&mut snapshot).await?;
        let to = to.unwrap_or(current);
        if to > current {
            return Err(unknown(to));
        }
        since(&mut snapshot, from, to).await?.ok_or_else(|| unknown(from))
    }

    /// Restores a version as a new one, if `current` is still the current version.
    pub async fn activate(
        &self,
        version: u64,
        current: u32,
        author: &Author,
    ) -> Result<Version, ChangeError> {
        let unknown = || ChangeError::unknown("ruleset", &version);
        let (mut change, new) = self.begin_version(author).await?;
        let latest = count(new) - 1;
        if latest != u64::from(current) {
            return Err(ChangeError::Stale(u32::try_from(latest).unwrap_or(u32::MAX)));
        }
        let since = since(change.connection(), version, latest).await?.ok_or_else(unknown)?;
        for difference in since {
            put_back(&mut change, difference, author.at).await?;
        }
        let event = AuditEvent {
            action: AuditAction::Activate,
            kind: ObjectKind::Ruleset,
            object: version.to_string(),
            before: Some(json!({ "version": latest })),
            after: Some(json!({ "version": new })),
        };
        change.finish(event).await?;
        let slice = Slice { limit: 1, after: None };
        self.versions(&slice).await?.items.into_iter().next().ok_or_else(unknown)
    }
}

async fn head(connection: &mut Connection) -> Result<(u64, Uuid), StoreError> {
    let head: Option<(i64, String)> =
        sqlx::query_as("select version, id from ruleset where one = 1").fetch_optional(connection).await?;
    // Before the first change.
    let Some((version, id)) = head else { return Ok((0, Uuid::nil())) };
    let id = id.parse().map_err(|_| StoreError::bad_row("ruleset", "1", "id"))?;
    Ok((count(version), id))
}

async fn rules(connection: &mut Connection) -> Result<Vec<Rule>, StoreError> {
    let rules = versioned::all::<StoredRule>(connection).await?;
    Ok(rules.into_iter().map(|rule| rule.rule).collect())
}

/// The differences from version `from` to version `to`. `None` if a version is unknown or older
/// than the log.
async fn since(
    connection: &mut Connection,
    from: u64,
    to: u64,
) -> Result<Option<Vec<Difference>>, StoreError> {
    let number = |version: u64| i64::try_from(version).unwrap_or(i64::MAX);
    let rows = sqlx::query(
        "select object, ruleset as version, kind, before, after from audit \
         where ruleset > $1 and ruleset <= $2 order by ruleset, id",
    )
    .bind(number(from))
    .bind(number(to))
    .fetch_all(connection)
    .await?;
    let mut known = number(from);
    let mut differences: BTreeMap<(&str, String), Difference> = BTreeMap::new();
    for row in &rows {
        let row = Row { table: "audit", row };
        let version: i64 = row.get("version")?;
        if version > known + 1 {
            return Ok(None);
        }
        known = version;
        let object = row.text("object")?;
        let kind = ObjectKind::parse(&row.get::<String>("kind")?).ok_or_else(|| row.bad("kind"))?;
        if kind == ObjectKind::Ruleset {
            continue;
        }
        let before: Option<Value> = row.optional("before", Row::json)?;
        let after: Option<Value> = row.optional("after", Row::json)?;
        let revision = after.iter().chain(&before).find_map(|state| state["revision"].as_u64());
        let first = Difference { kind, object: object.clone(), before, after: None, revision: 0 };
        let difference = differences.entry((kind.as_str(), object)).or_insert(first);
        difference.after = after;
        difference.revision = revision.and_then(|revision| u32::try_from(revision).ok()).unwrap_or_default();
    }
    let differences = differences.into_values().filter(|difference| difference.before != difference.after);
    Ok((known == number(to)).then(|| differences.collect()))
}

/// The objects as they were before some differences.
async fn undo_all<T: Versioned>(
    connection: &mut Connection,
    differences: Vec<Difference>,
) -> Result<Vec<T>, StoreError> {
    let current = versioned::all::<T>(connection).await?;
    let mut objects: BTreeMap<String, T> =
        current.into_iter().map(|object| (object.id().to_string(), object)).collect();
    for Difference { object, before, .. } in differences {
        match before {
            Some(before) => {
                let restored = logged(&object, before)?;
                objects.insert(object, restored);
            }
            None => drop(objects.remove(&object)),
        }
    }
    Ok(objects.into_values().collect())
}

async fn put_back(change: &mut Change<'_>, difference: Difference, at: Timestamp) -> Result<(), StoreError> {
    match difference.kind {
        ObjectKind::Rule => versioned::put_back::<StoredRule>(change, difference, at).await,
        _ => versioned::put_back::<StoredEntry>(change, difference, at).await,
    }
}
