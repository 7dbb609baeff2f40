//! The page of rules: list, add, change, delete, test.

use super::{actions::Undo, form::Rejected, ip_lists::Deleted, render, view};
use crate::{
    audit::ObjectKind,
    error::ApiError,
    extract::{Analyst, Id, Query, Reader, Searching},
    hit::HitFilter,
    paging::{Page, Slice},
    ruleset::{RuleDraft, StoredRule},
    simulation::detector::Test,
    store::Store,
    use_cases::{RulesetWriter, rules, undo},
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::ruleset::Scope;
use uuid::Uuid;

/// An example of each kind of rule.
const EXAMPLES: [(&str, &str); 8] = [
    ("Mode", r#"{"kind": "mode", "mode": "monitoring"}"#),
    ("Virtual patch", r#"{"kind": "virtual_patch", "attack_types": ["sqli"], "points": [[["get", "id"]]]}"#),
    (
        "Detector",
        r#"{"kind": "detector", "pattern": {"literal": "X-Debug-Me"}, "attack_type": "scanner", "severity": "low"}"#,
    ),
    (
        "Exclusion",
        r#"{"kind": "ignore", "findings": {"type": "sqli"}, "points": [[["post"], ["json_doc"], ["hash", "query"]]]}"#,
    ),
    ("Mask", r#"{"kind": "mask", "points": [[["header", "X-API-KEY"]]]}"#),
    ("Overlimit", r#"{"kind": "overlimit", "action": "block"}"#),
    ("Sensitivity", r#"{"kind": "sensitivity", "sensitivity": "strict"}"#),
    (
        "Content",
        r#"{"kind": "content", "content": "code", "points": [[["post"], ["form_urlencoded", "sql"]]]}"#,
    ),
];

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    page: Page<StoredRule>,
    can_edit: bool,
    /// The audit line of a deletion, to undo it.
    undo: Option<Uuid>,
    rejected: Rejected,
}

impl RulesPage {
    fn effect(rule: &StoredRule) -> String {
        serde_json::to_string_pretty(&rule.rule.effect).unwrap_or_default()
    }
}

/// The scope of a rule, in one line.
pub(super) fn scope(rule: &StoredRule) -> String {
    let scope = &rule.rule.scope;
    let host_and_path =
        format!("{}{}", scope.host.as_deref().unwrap_or("*"), scope.path.as_deref().unwrap_or("/**"));
    let method = scope.method.iter().map(|method| format!("{method} "));
    let application = scope.application.iter().map(|number| format!(" application {number}"));
    method.chain([host_and_path]).chain(application).collect()
}

/// The readable kind of a rule.
pub(super) fn kind(rule: &StoredRule) -> &'static str {
    match rule.rule.effect.kind() {
        "mode" => "Mode",
        "virtual_patch" => "Virtual patch",
        "detector" => "Detector",
        "ignore" => "Exclusion",
        "mask" => "Mask",
        "sensitivity" => "Sensitivity",
        "content" => "Content",
        _ => "Overlimit",
    }
}

pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    Query((Deleted(deleted), slice)): Query<(Deleted, Slice)>,
) -> Result<Response, ApiError> {
    let undo = match deleted {
        Some(id) => undo::of_deleted(&store, ObjectKind::Rule, id).await?,
        None => None,
    };
    let (page, can_edit) = (store.list(&slice).await?, actor.role.can_edit());
    Ok(render(&RulesPage { page, can_edit, undo, rejected: Rejected::default() }))
}

/// The form of a rule.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RuleForm {
    host: String,
    path: String,
    method: String,
    /// As JSON.
    effect: String,
    comment: String,
    #[serde(default)]
    revision: u32,
}

impl RuleForm {
    fn draft(&self) -> Result<RuleDraft, ApiError> {
        let scope = scope_of(&self.host, &self.path, &self.method);
        draft(scope, &self.effect, &self.comment)
    }
}

/// The scope of a form. An empty condition is none.
pub(super) fn scope_of(host: &str, path: &str, method: &str) -> Scope {
    let condition = |value: &str| Some(value.trim()).filter(|value| !value.is_empty()).map(str::to_owned);
    Scope { host: condition(host), path: condition(path), method: condition(method), application: None }
}

/// The rule of a form. The effect is JSON.
pub(super) fn draft(scope: Scope, effect: &str, comment: &str) -> Result<RuleDraft, ApiError> {
    let fields = serde_json::from_str::<Map<String, Value>>(effect);
    let effect =
        fields.and_then(|fields| serde_json::from_value(Value::Object(fields))).map_err(|cause| {
            ApiError::parameter("effect", format!("`effect` must be an effect as JSON: {cause}"))
        })?;
    Ok(RuleDraft { scope, effect, comment: comment.to_owned() })
}

pub(super) async fn add(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Form(form): Form<RuleForm>,
) -> Result<Response, ApiError> {
    let added = async { rules::add(&ruleset, &author, form.draft()?).await };
    respond(added.await, &ruleset.store, (&form, None)).await
}

/// The list, or the form with its error.
async fn respond(
    changed: Result<StoredRule, ApiError>,
    store: &Store,
    (form, id): (&RuleForm, Option<Uuid>),
) -> Result<Response, ApiError> {
    match changed {
        Ok(_) => Ok(Redirect::to("/rules").into_response()),
        Err(error) => {
            let rejected = Rejected::new(form, id, error)?;
            let page = store.list(&Slice::default()).await?;
            let page = RulesPage { page, can_edit: true, undo: None, rejected };
            Ok(page.rejected.respond(&page))
        }
    }
}

/// The test of a detector before it is added.
#[derive(Template)]
#[template(path = "rule_test.html")]
struct TestPage {
    form: RuleForm,
    test: Test,
}

impl TestPage {
    /// The time that the detector adds to a request.
    fn added_time(&self) -> String {
        let micros = self.test.cost.micros_per_request;
        micros.map_or_else(|| "not measured: no recorded requests".to_owned(), |it| format!("{it:.1} µs"))
    }
}

/// Tests the detector of the form on the recorded requests.
pub(super) async fn test(
    _: Searching<Analyst>,
    State(store): State<Store>,
    Form(form): Form<RuleForm>,
) -> Result<Response, ApiError> {
    let test = rules::test(&store, form.draft()?, HitFilter::default()).await?;
    Ok(render(&TestPage { form, test }))
}

pub(super) async fn replace(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Id(id): Id,
    Form(form): Form<RuleForm>,
) -> Result<Response, ApiError> {
    let replaced = async { rules::replace(&ruleset, &author, (id, form.revision), form.draft()?).await };
    respond(replaced.await, &ruleset.store, (&form, Some(id))).await
}

pub(super) async fn delete(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Id(id): Id,
    Form(undo): Form<Undo>,
) -> Result<Redirect, ApiError> {
    rules::delete(&ruleset, &author, (id, undo.revision)).await?;
    Ok(undo.back(&format!("/rules?deleted={id}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::ruleset::Rule;

    #[test]
    fn nodes_can_compile_the_examples() {
        for (title, effect) in EXAMPLES {
            let RuleDraft { scope, effect, comment } = draft(Scope::default(), effect, "").unwrap();
            let rule = StoredRule {
                rule: Rule { id: Uuid::nil(), revision: 1, scope, effect, comment },
                created_at: jiff::Timestamp::UNIX_EPOCH,
                updated_at: jiff::Timestamp::UNIX_EPOCH,
            };
            assert_eq!(kind(&rule), title);
            engine::rules::check(&rule.rule).unwrap();
        }
    }
}
