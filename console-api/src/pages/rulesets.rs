//! The pages of ruleset versions: list, compare, roll back.

use super::{render, view};
use crate::{
    audit::ObjectKind,
    error::ApiError,
    extract::{Analyst, FromParameters, Number, Parameters, Query, Reader},
    paging::{Page, Slice},
    ruleset::{Difference, Version},
    store::Store,
    use_cases::{RulesetWriter, rulesets},
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{Redirect, Response},
};
use serde::Deserialize;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

#[derive(Template)]
#[template(path = "rulesets.html")]
struct VersionsPage {
    page: Page<Version>,
    current: u64,
    can_edit: bool,
}

pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    Query(slice): Query<Slice>,
) -> Result<Response, ApiError> {
    let (current, _) = store.ruleset_head().await?;
    Ok(render(&VersionsPage {
        page: store.versions(&slice).await?,
        current,
        can_edit: actor.role.can_edit(),
    }))
}

/// A rule or an entry that differs between two versions.
struct Changed {
    what: &'static str,
    did: &'static str,
    object: String,
    diff: Diff,
}

/// A line of the diff.
pub(super) struct Line {
    tag: ChangeTag,
    text: String,
}

/// The difference between two states of an object, as lines of JSON.
pub(super) fn diff(before: Option<&Value>, after: Option<&Value>) -> Vec<Line> {
    let text = |object: Option<&Value>| object.map(|object| format!("{object:#}\n")).unwrap_or_default();
    let (before, after) = (text(before), text(after));
    let diff = TextDiff::from_lines(&before, &after);
    let line = |change: similar::Change<&str>| Line { tag: change.tag(), text: change.value().to_owned() };
    diff.iter_all_changes().map(line).collect()
}

/// The lines of a difference.
#[derive(Template)]
#[template(path = "diff.html")]
pub(super) struct Diff {
    pub(super) lines: Vec<Line>,
}

impl Changed {
    fn new(kind: ObjectKind, object: String, before: Option<&Value>, after: Option<&Value>) -> Self {
        let did = match (before, after) {
            (None, _) => "added",
            (_, None) => "deleted",
            _ => "changed",
        };
        let what = if kind == ObjectKind::Rule { "Rule" } else { "IP list entry" };
        Self { what, did, object, diff: Diff { lines: diff(before, after) } }
    }

    /// The change from the older to the newer version.
    fn since(Difference { kind, object, before, after, .. }: Difference) -> Self {
        Self::new(kind, object, before.as_ref(), after.as_ref())
    }

    /// The change from the newer to the older version.
    fn back(Difference { kind, object, before, after, .. }: Difference) -> Self {
        Self::new(kind, object, after.as_ref(), before.as_ref())
    }
}

/// Two versions, in either order.
pub(super) struct Both {
    from: u64,
    to: Option<u64>,
}

impl FromParameters for Both {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        const NUMBER: &str = "the number of a version";
        let from = parameters.parse("from", NUMBER)?;
        let missing = || ApiError::parameter("from", "`from` must be the number of a version");
        Ok(Self { from: from.ok_or_else(missing)?, to: parameters.parse("to", NUMBER)? })
    }
}

#[derive(Template)]
#[template(path = "ruleset_compare.html")]
struct ComparePage {
    from: u64,
    to: u64,
    changed: Vec<Changed>,
}

pub(super) async fn compare(
    _: Reader,
    State(store): State<Store>,
    Query(Both { from, to }): Query<Both>,
) -> Result<Response, ApiError> {
    let to = match to {
        Some(to) => to,
        None => store.ruleset_head().await?.0,
    };
    let differences = store.difference(from.min(to), Some(from.max(to))).await?.into_iter();
    let changed = if from <= to {
        differences.map(Changed::since).collect()
    } else {
        differences.map(Changed::back).collect()
    };
    Ok(render(&ComparePage { from, to, changed }))
}

#[derive(Template)]
#[template(path = "ruleset.html")]
struct VersionPage {
    version: u64,
    current: u64,
    rules: usize,
    entries: usize,
    /// The changes of a rollback.
    changed: Vec<Changed>,
    can_edit: bool,
}

pub(super) async fn one(
    Reader(actor): Reader,
    State(store): State<Store>,
    Number(version): Number,
) -> Result<Response, ApiError> {
    let (current, _) = store.ruleset_head().await?;
    let unknown = || ApiError::not_found("ruleset", version);
    let content = store.version(version).await?.ok_or_else(unknown)?;
    let differences = store.difference(version, Some(current)).await?;
    Ok(render(&VersionPage {
        version,
        current,
        rules: content.rules.len(),
        entries: content.lists.len(),
        changed: differences.into_iter().map(Changed::back).collect(),
        can_edit: actor.role.can_edit(),
    }))
}

#[derive(Deserialize)]
pub(super) struct KnownVersion {
    /// The active version when the form was shown.
    current: u32,
}

pub(super) async fn activate(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Number(version): Number,
    Form(KnownVersion { current }): Form<KnownVersion>,
) -> Result<Redirect, ApiError> {
    rulesets::activate(&ruleset, &author, version, current).await?;
    Ok(Redirect::to("/rulesets"))
}
