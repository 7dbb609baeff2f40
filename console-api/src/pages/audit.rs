//! The page of the audit log, with undo.

use super::{actions::back_to, render, view};
use crate::{
    audit::{AuditLine, LogFilter},
    error::ApiError,
    extract::{Admin, Analyst, Id, Query},
    paging::{Page, Slice},
    store::Store,
    use_cases::{RulesetWriter, undo},
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{Redirect, Response},
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    page: Page<AuditLine>,
    /// The ids of the lines that can be undone.
    undoable: BTreeSet<Uuid>,
}

impl AuditPage {
    fn pretty(value: &Value) -> String {
        serde_json::to_string_pretty(value).unwrap_or_default()
    }

    fn can_be_undone(&self, line: &AuditLine) -> bool {
        self.undoable.contains(&line.id)
    }
}

pub(super) async fn list(
    _: Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    let page = store.log(&LogFilter::default(), &slice).await?;
    let mut undoable = BTreeSet::new();
    for line in &page.items {
        if undo::is_possible(&store, line).await? {
            undoable.insert(line.id);
        }
    }
    Ok(render(&AuditPage { page, undoable }))
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
    Id(id): Id,
    Form(Back { back }): Form<Back>,
) -> Result<Redirect, ApiError> {
    let line = ruleset.store.log_line(id).await?;
    let line = line.ok_or_else(|| ApiError::not_found("audit line", id))?;
    undo::undo(&ruleset, &author, &line).await?;
    Ok(back_to(&back, "/audit"))
}
