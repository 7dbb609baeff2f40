//! Batches: changes of several objects in one transaction, which are undone together. Rules and
//! entries of a batch are one version of the ruleset.

use crate::store::{
    Store, StoreError,
    attacks::marks,
    audit,
    change::{Change, ChangeError},
    ingest,
    rules::versioned::{Versioned, lock_version, next_version},
    sql::{
        row::{ReadRow, Row},
        statement::Statement,
    },
};
use crate::{
    attack::Mark,
    audit::{AuditEvent, AuditLine, Author, LoggedMark, ObjectKind},
    ruleset::{StoredEntry, StoredRule},
};
use uuid::Uuid;

/// Changes to make together.
#[derive(Debug, Default)]
pub struct Batch {
    /// To add.
    pub rules: Vec<StoredRule>,
    /// To add.
    pub entries: Vec<StoredEntry>,
    /// The attacks to mark.
    pub attacks: Vec<Uuid>,
    /// Their mark; `None`: it is cleared.
    pub mark: Option<Mark>,
}

/// What a batch changed.
#[derive(Debug, Default)]
pub struct BatchSummary {
    pub rules: u64,
    pub entries: u64,
    pub attacks: u64,
    /// The mark that the attacks got.
    pub mark: Option<Mark>,
}

impl BatchSummary {
    pub fn is_empty(&self) -> bool {
        self.rules + self.entries + self.attacks == 0
    }
}

/// The changed objects of a kind.
struct Changed {
    kind: String,
    objects: u64,
    /// Attacks of a batch have one mark.
    mark: Option<Mark>,
}

impl ReadRow for Changed {
    const TABLE: &'static str = "audit";

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let kind: String = row.get("kind")?;
        let is_attack = kind == ObjectKind::Attack.as_str();
        let after = if is_attack { row.optional("after", Row::json::<LoggedMark>)? } else { None };
        let mark = after.and_then(|after| after.mark).map(|mark| mark.value);
        Ok(Self { kind, objects: row.count("objects")?, mark })
    }
}

impl Store {
    /// Makes all changes of a batch or none, and returns its id. Attacks that are gone, or have the
    /// mark already, stay as they are.
    pub async fn apply(&self, batch: Batch, author: &Author) -> Result<Uuid, ChangeError> {
        let Batch { rules, entries, attacks, mark } = batch;
        let id = Uuid::now_v7();
        let mut change = self.begin_change(author).await?;
        change.part.batch = Some(id);
        if !attacks.is_empty() {
            ingest::lock_attacks(change.connection()).await?;
        }
        if !(rules.is_empty() && entries.is_empty()) {
            next_version(&mut change).await?;
        }
        add_all(&mut change, &rules).await?;
        add_all(&mut change, &entries).await?;
        for attack in attacks {
            let Some(current) = marks::current(change.connection(), attack).await? else { continue };
            if current.value() != mark {
                marks::put(&mut change, current, mark.map(|mark| (mark, String::new()))).await?;
            }
        }
        change.commit().await?;
        Ok(id)
    }

    /// What a batch changed; nothing, if there is no such batch.
    pub async fn batch_summary(&self, id: Uuid) -> Result<BatchSummary, StoreError> {
        let mut statement =
            Statement::new("select kind, count(*) as objects, min(after) as after from audit where batch = ");
        statement.bind(id.to_string()).push(" group by kind");
        let mut summary = BatchSummary::default();
        for Changed { kind, objects, mark } in statement.fetch_all(&self.reader).await? {
            match ObjectKind::parse(&kind) {
                Some(ObjectKind::Rule) => summary.rules = objects,
                Some(ObjectKind::IpListEntry) => summary.entries = objects,
                _ => (summary.attacks, summary.mark) = (objects, mark),
            }
        }
        Ok(summary)
    }

    /// Undoes all changes of a batch or none: none if an object was changed since. Objects that were
    /// deleted since stay deleted. Returns whether the ruleset changed.
    pub async fn undo_batch(&self, id: Uuid, author: &Author) -> Result<bool, ChangeError> {
        let mut statement = Statement::new(audit::LINES);
        statement.push(" where batch = ").bind(id.to_string()).push(" order by id");
        let lines: Vec<AuditLine> = statement.fetch_all(&self.reader).await?;
        if lines.is_empty() {
            return Err(ChangeError::unknown("batch", &id));
        }
        let of = |kind: ObjectKind| lines.iter().filter(move |line| line.kind == kind.as_str());
        let mut change = self.begin_change(author).await?;
        if of(ObjectKind::Attack).next().is_some() {
            ingest::lock_attacks(change.connection()).await?;
        }
        for line in of(ObjectKind::Attack) {
            undo_mark(&mut change, line).await?;
        }
        lock_version(&mut change).await?;
        let rules: Vec<StoredRule> = added(&mut change, of(ObjectKind::Rule)).await?;
        let entries: Vec<StoredEntry> = added(&mut change, of(ObjectKind::IpListEntry)).await?;
        let changes_ruleset = !(rules.is_empty() && entries.is_empty());
        if changes_ruleset {
            next_version(&mut change).await?;
        }
        for rule in &rules {
            change.remove(rule).await?;
        }
        for entry in &entries {
            change.remove(entry).await?;
        }
        change.commit().await?;
        Ok(changes_ruleset)
    }
}

async fn add_all<T: Versioned>(change: &mut Change<'_>, objects: &[T]) -> Result<(), ChangeError> {
    if objects.is_empty() {
        return Ok(());
    }
    change.check_room::<T>(objects.len()).await?;
    for object in objects {
        change.check_room_of_sort(object).await?;
        object.upsert().execute(change.connection()).await?;
        change.record(AuditEvent::created(T::KIND, &object.id(), object)).await?;
    }
    Ok(())
}

/// The added objects that still exist, unless one was changed.
async fn added<T: Versioned>(
    change: &mut Change<'_>,
    lines: impl Iterator<Item = &AuditLine>,
) -> Result<Vec<T>, ChangeError> {
    let mut objects = Vec::new();
    for line in lines {
        let id = line.object.parse().map_err(|_| StoreError::bad_row("audit", &line.object, "object"))?;
        match change.find::<T>(id).await {
            Ok(object) if object.revision() == 1 => objects.push(object),
            Ok(object) => return Err(ChangeError::Stale(object.revision())),
            Err(ChangeError::Unknown { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(objects)
}

async fn undo_mark(change: &mut Change<'_>, line: &AuditLine) -> Result<(), ChangeError> {
    let id = line.object.parse().map_err(|_| StoreError::bad_row("audit", &line.object, "object"))?;
    let Some(current) = marks::current(change.connection(), id).await? else { return Ok(()) };
    if Some(marks::shown(current.marking())) != line.after {
        return Err(ChangeError::Stale(current.revision()));
    }
    let before = line.before.clone().map(serde_json::from_value::<LoggedMark>).transpose();
    let before = before.map_err(|_| StoreError::bad_row("audit", &line.object, "before"))?;
    let mark = before.and_then(|before| before.mark).map(|mark| (mark.value, mark.note));
    Ok(marks::put(change, current, mark).await?)
}
