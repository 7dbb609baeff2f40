//! The page of the audit log, with undo.

use super::{render, view};
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
    extract::State,
    response::{Redirect, Response},
};
use serde_json::Value;

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    page: Page<AuditLine>,
}

impl AuditPage {
    fn pretty(value: &Value) -> String {
        serde_json::to_string_pretty(value).unwrap_or_default()
    }

    fn can_be_undone(line: &AuditLine) -> bool {
        undo::is_supported(line)
    }
}

pub(super) async fn list(
    _: Admin,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    Ok(render(&AuditPage { page: store.log(&LogFilter::default(), &slice).await? }))
}

/// Restores the state before an audit line.
pub(super) async fn undo(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Id(id): Id,
) -> Result<Redirect, ApiError> {
    let line = ruleset.store.log_line(id).await?;
    let line = line.ok_or_else(|| ApiError::not_found("audit line", id))?;
    undo::undo(&ruleset, &author, &line).await?;
    Ok(Redirect::to("/audit"))
}
