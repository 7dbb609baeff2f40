//! The rules: listed, added, changed, deleted.

use super::{PageError, change::Api, render, view};
use crate::{
    actor::Visitor,
    error::ApiError,
    extract::{Id, Query},
    paging::{Page, Slice},
    ruleset::StoredRule,
    store::Store,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    http::Method,
    response::{Redirect, Response},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What each kind of rule looks like.
const EXAMPLES: [(&str, &str); 6] = [
    ("Mode", r#"{"kind": "mode", "mode": "monitoring"}"#),
    ("Virtual patch", r#"{"kind": "virtual_patch", "attack_types": ["sqli"], "points": [["get", "id"]]}"#),
    (
        "Detector",
        r#"{"kind": "detector", "pattern": {"literal": "X-Debug-Me"}, "attack_type": "scanner", "severity": "low"}"#,
    ),
    (
        "Exclusion",
        r#"{"kind": "ignore", "findings": {"type": "sqli"}, "points": [["post"], ["json_doc"], ["hash", "query"]]}"#,
    ),
    ("Mask", r#"{"kind": "mask", "points": [["header", "X-API-KEY"]]}"#),
    ("Overlimit", r#"{"kind": "overlimit", "action": "block"}"#),
];

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    page: Page<StoredRule>,
    can_edit: bool,
}

impl RulesPage {
    fn effect(rule: &StoredRule) -> String {
        serde_json::to_string_pretty(&rule.rule.effect).unwrap_or_default()
    }
}

/// Which requests a rule is for, in one line.
pub(super) fn scope(rule: &StoredRule) -> String {
    let scope = &rule.rule.scope;
    let host_and_path =
        format!("{}{}", scope.host.as_deref().unwrap_or("*"), scope.path.as_deref().unwrap_or("/**"));
    let method = scope.method.iter().map(|method| format!("{method} "));
    let application = scope.application.iter().map(|number| format!(" application {number}"));
    method.chain([host_and_path]).chain(application).collect()
}

/// The kind of a rule, in words.
pub(super) fn kind(rule: &StoredRule) -> &'static str {
    match rule.rule.effect.kind() {
        "mode" => "Mode",
        "virtual_patch" => "Virtual patch",
        "detector" => "Detector",
        "ignore" => "Exclusion",
        "mask" => "Mask",
        _ => "Overlimit",
    }
}

pub(super) async fn list(
    Visitor(actor): Visitor,
    State(store): State<Store>,
    slice: Result<Query<Slice>, ApiError>,
) -> Result<Response, PageError> {
    let Query(slice) = slice?;
    Ok(render(&RulesPage { page: store.rules(&slice).await?, can_edit: actor.role.can_edit() }))
}

/// A rule as its form has it.
#[derive(Debug, Deserialize)]
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
    fn draft(&self) -> Result<Value, PageError> {
        let conditions = [("host", &*self.host), ("path", &self.path), ("method", &self.method)];
        draft(conditions, &self.effect, &self.comment)
    }
}

/// A rule as the API takes it. A condition that is empty is none; the effect is JSON.
pub(super) fn draft<const N: usize>(
    conditions: [(&str, &str); N],
    effect: &str,
    comment: &str,
) -> Result<Value, PageError> {
    let effect: Value = serde_json::from_str(effect)
        .map_err(|cause| ApiError::parameter("effect", format!("`effect` is not JSON: {cause}")))?;
    let given = conditions.into_iter().filter(|(_, value)| !value.trim().is_empty());
    let scope: Map<_, _> = given.map(|(name, value)| (name.to_owned(), value.trim().into())).collect();
    Ok(json!({"scope": scope, "effect": effect, "comment": comment}))
}

pub(super) async fn add(api: Api, Form(form): Form<RuleForm>) -> Result<Redirect, PageError> {
    api.post("/rules", &form.draft()?).await?;
    Ok(Redirect::to("/rules"))
}

pub(super) async fn replace(
    api: Api,
    id: Result<Id, ApiError>,
    Form(form): Form<RuleForm>,
) -> Result<Redirect, PageError> {
    let Id(id) = id?;
    api.change(Method::PUT, &format!("/rules/{id}"), Some(&form.draft()?), form.revision).await?;
    Ok(Redirect::to("/rules"))
}
