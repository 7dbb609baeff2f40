//! The page of the audit log: changes or sign-ins, with filters and undo.

mod summary;

use super::{
    actions::back_to,
    render,
    rulesets::{Diff, diff},
    search::Given,
    view,
};
use crate::{
    audit::{AuditAction, AuditLine, LogFilter, ObjectKind},
    error::ApiError,
    extract::{Admin, Analyst, Id, Query},
    notification::Sender,
    paging::{Page, Slice},
    store::Store,
    use_cases::{RulesetWriter, undo},
};
use askama::Template;
use axum::{
    Form,
    extract::{Query as Pairs, State},
    response::{Redirect, Response},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The time ranges to choose from, as values of `from`.
const RANGES: [(&str, &str); 5] = [
    ("", "All time"),
    ("-24h", "Last 24 hours"),
    ("-7d", "Last 7 days"),
    ("-30d", "Last 30 days"),
    ("-90d", "Last 90 days"),
];

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    page: Page<AuditLine>,
    given: Given,
    sign_ins: bool,
    /// The titles of attacks.
    attacks: BTreeMap<String, String>,
    /// The ids of the lines that can be undone.
    undoable: BTreeSet<Uuid>,
}

impl AuditPage {
    fn name(&self, line: &AuditLine) -> String {
        summary::name(line, &self.attacks)
    }

    fn diff(line: &AuditLine) -> Diff {
        Diff { lines: diff(line.before.as_ref(), line.after.as_ref()) }
    }

    fn can_be_undone(&self, line: &AuditLine) -> bool {
        self.undoable.contains(&line.id)
    }

    /// The search for the lines of the same object or actor.
    fn of(&self, name: &str, value: &str) -> String {
        self.given.with(name, value)
    }

    /// The value that selects the object of a line.
    fn object(line: &AuditLine) -> String {
        format!("{}:{}", line.kind, line.object)
    }

    /// The object that the search selects; empty: all of a kind.
    fn selected(&self) -> &str {
        Some(self.given.value("object")).filter(|object| object.contains(':')).unwrap_or_default()
    }
}

pub(super) async fn list(
    _: Admin,
    State(store): State<Store>,
    Pairs(pairs): Pairs<Vec<(String, String)>>,
    Query((filter, slice)): Query<(LogFilter, Slice)>,
) -> Result<Response, ApiError> {
    let sign_ins = filter.sign_ins.unwrap_or_default();
    let filter = LogFilter { sign_ins: Some(sign_ins), ..filter };
    let page = store.log(&filter, &slice).await?;
    let undoable = undo::possible(&store, &page.items).await?;
    let is_attack = |line: &&AuditLine| line.kind == ObjectKind::Attack.as_str();
    let attacks = page.items.iter().filter(is_attack).map(|line| line.object.clone()).collect::<Vec<_>>();
    let attacks = store.attack_titles(&attacks).await?;
    Ok(render(&AuditPage { page, given: Given::new(pairs), sign_ins, attacks, undoable }))
}

/// The page to return to.
#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    back: String,
}

/// Restores the state before an audit line.
pub(super) async fn undo(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    State(sender): State<Sender>,
    Id(id): Id,
    Form(Back { back }): Form<Back>,
) -> Result<Redirect, ApiError> {
    let line = ruleset.store.log_line(id).await?;
    let line = line.ok_or_else(|| ApiError::not_found("audit line", id))?;
    undo::undo(&ruleset, sender.targets(), &author, &line).await?;
    Ok(back_to(&back, "/audit"))
}
