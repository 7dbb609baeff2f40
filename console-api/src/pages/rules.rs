//! The pages of rules: list, add, change, delete, test.

mod form;
mod points;
mod sentence;

pub(super) use form::{RuleForm, from_json};
pub(super) use sentence::sentence;

use super::{actions::Undo, form::Rejected, ip_lists::Deleted, render, search::condition, view};
use crate::{
    audit::{Author, ObjectKind},
    clock::Clock,
    error::ApiError,
    extract::{Analyst, FromParameters, Id, Named, Parameters, Query, Reader, Searching},
    hit::HitFilter,
    paging::{Page, Slice},
    ruleset::{Activity, StoredRule},
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
use form_urlencoded::Serializer;
use jiff::Timestamp;
use shared::{
    AttackType,
    ruleset::{Effect, Rule, Scope},
};
use uuid::Uuid;

/// The kinds of rules, with their titles and what they are for.
const KINDS: [(&str, &str, &str); 8] = [
    ("ignore", "Exclusion", "Ignore findings that are false positives."),
    ("virtual_patch", "Virtual patch", "Block attacks, or any value of a field, in every mode."),
    ("detector", "Detector", "Report requests with a text or a pattern."),
    ("mode", "Mode", "Monitor or block other requests than the configuration of nodes says."),
    ("sensitivity", "Sensitivity", "Change the score from which a request is an attack."),
    (
        "content",
        "Content",
        "Declare what a field contains, e.g. HTML or SQL: findings that it explains get a lower score.",
    ),
    ("mask", "Mask", "Hide secrets in recorded hits."),
    ("overlimit", "Overlimit", "Choose what happens to requests over the analysis limit."),
];

/// The ends to choose from, in hours.
const ENDS: [(&str, &str); 5] =
    [("0", "Never"), ("24", "in 1 day"), ("168", "in 1 week"), ("720", "in 30 days"), ("2160", "in 90 days")];

/// The choices of the fields, with their titles.
const MODES: [(&str, &str); 4] = [
    ("off", "Off: no analysis"),
    ("monitoring", "Monitoring"),
    ("safe_blocking", "Safe blocking: graylisted sources only"),
    ("block", "Block"),
];
const SEVERITIES: [(&str, &str); 4] =
    [("low", "Low"), ("medium", "Medium"), ("high", "High"), ("critical", "Critical")];
const MATCHINGS: [(&str, &str); 2] =
    [("literal", "contains the text"), ("regex", "matches the regular expression")];
const ACTIONS: [(&str, &str); 3] = [
    ("auto", "Block where the rest may be interpreted"),
    ("monitor", "Record, do not block"),
    ("block", "Treat as an attack"),
];
const SENSITIVITIES: [(&str, &str); 3] = [
    ("low", "Low: only evidence that benign requests do not contain"),
    ("balanced", "Balanced"),
    ("strict", "Strict: also weak evidence"),
];
const SUPPRESSED: [(&str, &str); 3] =
    [("all", "All attack types"), ("signature", "The signature …"), ("subtype", "The subtype …")];

/// The effect that the JSON form starts with.
const EXAMPLE: &str = EXAMPLES[0].1;

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

/// A rule of the list.
struct Listed {
    rule: StoredRule,
    activity: Activity,
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    page: Page<Listed>,
    can_edit: bool,
    /// The audit line of a deletion, to undo it.
    undo: Option<Uuid>,
}

/// The readable kind of a rule.
pub(super) fn kind(rule: &Rule) -> &'static str {
    let code = rule.effect.kind();
    KINDS.iter().find(|(kind, ..)| *kind == code).map_or("", |(_, title, _)| title)
}

/// Whether nodes report when they apply the rule.
fn is_counted(rule: &Rule) -> bool {
    !matches!(rule.effect, Effect::Mask { .. } | Effect::Sensitivity { .. } | Effect::Content { .. })
}

/// The search for the hits of a rule, if it is the reason for them.
fn hits_of(rule: &Rule) -> Option<String> {
    match rule.effect {
        Effect::VirtualPatch { .. } | Effect::Overlimit { .. } => Some(search("rule", &rule.id)),
        Effect::Detector { .. } => Some(search("signature", &format!("rule-{}", rule.id))),
        _ => None,
    }
}

/// The search for the hits of a signature, which an exclusion names.
fn hits_of_signature(rule: &Rule) -> Option<String> {
    match &rule.effect {
        Effect::Ignore { findings: shared::ruleset::Suppressed::Signature(id), .. } => {
            Some(search("signature", id))
        }
        _ => None,
    }
}

/// Whether the text is a point, as the form of a rule takes it.
pub(super) fn is_point(text: &str) -> bool {
    points::parse(text).is_ok()
}

/// The address of a search for a condition.
pub(super) fn search(field: &str, value: &impl ToString) -> String {
    let query = condition(field, &value.to_string());
    format!("/attacks?{}", Serializer::new(String::new()).append_pair("q", &query).finish())
}

pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query((Deleted(deleted), slice)): Query<(Deleted, Slice)>,
) -> Result<Response, ApiError> {
    let undo = match deleted {
        Some(id) => undo::of_deleted(&store, ObjectKind::Rule, id).await?,
        None => None,
    };
    let page = store.list::<StoredRule>(&slice).await?;
    let ids: Vec<Uuid> = page.items.iter().map(|rule| rule.rule.id).collect();
    let mut activities = store.activities(ObjectKind::Rule, &ids, clock.now()).await?;
    let page =
        page.map(|rule| Listed { activity: activities.remove(&rule.rule.id).unwrap_or_default(), rule });
    Ok(render(&RulesPage { page, can_edit: actor.role.can_edit(), undo }))
}

/// The page of a rule, or of a new one.
#[derive(Template)]
#[template(path = "rule.html")]
struct RulePage {
    /// Absent: a new rule.
    known: Option<Listed>,
    fields: RuleForm,
    can_edit: bool,
    rejected: Rejected,
}

impl RulePage {
    fn address(&self) -> String {
        self.known.as_ref().map_or("/rules".to_owned(), |known| format!("/rules/{}", known.rule.rule.id))
    }

    fn title(&self) -> &'static str {
        match &self.known {
            Some(known) => kind(&known.rule.rule),
            None => KINDS
                .iter()
                .find(|(kind, ..)| *kind == self.fields.kind)
                .map_or("rule", |(_, title, _)| title),
        }
    }

    fn help(&self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self.fields.kind).map_or("", |(.., help)| help)
    }

    /// Whether rules of this kind have points.
    fn has_points(&self) -> bool {
        !matches!(self.fields.kind.as_str(), "" | "mode" | "overlimit" | "sensitivity")
    }

    fn effect(rule: &Rule) -> String {
        serde_json::to_string_pretty(&rule.effect).unwrap_or_default()
    }
}

/// The form of a new rule: of a kind, or else as JSON, with values of some fields.
pub(super) struct NewRule(RuleForm);

impl FromParameters for NewRule {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let known = |text: &str| KINDS.iter().map(|(kind, ..)| *kind).find(|kind| *kind == text);
        let kind = parameters.read("kind", "a kind of rules", known)?.unwrap_or_default();
        let mut form = RuleForm::of_kind(kind);
        let fields = [
            ("host", &mut form.host),
            ("path", &mut form.path),
            ("method", &mut form.method),
            ("points", &mut form.points),
            ("findings", &mut form.findings),
            ("suppressed", &mut form.suppressed),
            ("attack_types", &mut form.attack_types),
        ];
        for (name, field) in fields {
            if let Some(text) = parameters.text(name)? {
                *field = text;
            }
        }
        Ok(Self(form))
    }
}

pub(super) async fn new(_: Analyst, Query(NewRule(fields)): Query<NewRule>) -> Response {
    render(&RulePage { known: None, fields, can_edit: true, rejected: Rejected::default() })
}

/// Whether the form is JSON.
pub(super) struct AsJson(bool);

impl FromParameters for AsJson {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.flag("json").map(Self)
    }
}

pub(super) async fn one(
    Reader(actor): Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query(AsJson(as_json)): Query<AsJson>,
    Named(rule): Named<StoredRule>,
) -> Result<Response, ApiError> {
    let fields = RuleForm::of(&rule, as_json);
    let known = Some(listed(&store, rule, clock.now()).await?);
    Ok(render(&RulePage { known, fields, can_edit: actor.role.can_edit(), rejected: Rejected::default() }))
}

async fn listed(store: &Store, rule: StoredRule, now: Timestamp) -> Result<Listed, ApiError> {
    let id = rule.rule.id;
    let activity = store.activities(ObjectKind::Rule, &[id], now).await?.remove(&id).unwrap_or_default();
    Ok(Listed { rule, activity })
}

/// The scope of a form. An empty condition is none.
pub(super) fn scope_of(host: &str, path: &str, method: &str) -> Scope {
    let condition = |value: &str| Some(value.trim()).filter(|value| !value.is_empty()).map(str::to_owned);
    Scope { host: condition(host), path: condition(path), method: condition(method), application: None }
}

pub(super) async fn add(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Form(form): Form<RuleForm>,
) -> Result<Response, ApiError> {
    let added = async { rules::add(&ruleset, &author, form.draft(author.at)?).await };
    match added.await {
        Ok(_) => Ok(Redirect::to("/rules").into_response()),
        Err(error) => reject(form, None, error),
    }
}

/// The page with the error of its form.
fn reject(form: RuleForm, known: Option<Listed>, error: ApiError) -> Result<Response, ApiError> {
    let rejected = Rejected::new(&form, None, error)?;
    let page = RulePage { known, fields: form, can_edit: true, rejected };
    Ok(page.rejected.respond(&page))
}

/// The test of a detector before it is added.
#[derive(Template)]
#[template(path = "rule_test.html")]
struct TestPage {
    form: RuleForm,
    effect: String,
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
    Searching { caller: Analyst(author), .. }: Searching<Analyst>,
    State(store): State<Store>,
    Form(form): Form<RuleForm>,
) -> Result<Response, ApiError> {
    let tested = async {
        let draft = form.draft(author.at)?;
        let effect = serde_json::to_string_pretty(&draft.effect).unwrap_or_default();
        Ok((effect, rules::test(&store, draft, HitFilter::default()).await?))
    };
    match tested.await {
        Ok((effect, test)) => Ok(render(&TestPage { form, effect, test })),
        Err(error) => reject(form, None, error),
    }
}

pub(super) async fn replace(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Id(id): Id,
    Form(form): Form<RuleForm>,
) -> Result<Response, ApiError> {
    match replaced(&ruleset, &author, id, &form).await {
        Ok(_) => Ok(Redirect::to("/rules").into_response()),
        Err(error) => {
            let store = &ruleset.store;
            let rule: StoredRule = store.find(id).await?.ok_or_else(|| ApiError::not_found("rule", id))?;
            // After the message, "Save" replaces the other change.
            let revision =
                if matches!(error, ApiError::Stale(_)) { rule.rule.revision } else { form.revision };
            let form = RuleForm { revision, ..form };
            reject(form, Some(listed(store, rule, author.at).await?), error)
        }
    }
}

async fn replaced(
    ruleset: &RulesetWriter,
    author: &Author,
    id: Uuid,
    form: &RuleForm,
) -> Result<StoredRule, ApiError> {
    rules::replace(ruleset, author, (id, form.revision), form.draft(author.at)?).await
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

    #[test]
    fn nodes_can_compile_the_examples() {
        for (title, effect) in EXAMPLES {
            let effect = from_json(effect).unwrap();
            let scope = Scope::default();
            let rule = Rule { id: Uuid::nil(), revision: 1, scope, effect, comment: String::new() };
            assert_eq!(kind(&rule), title);
            engine::rules::check(&rule).unwrap();
        }
    }

    #[test]
    fn forms_of_each_kind_name_their_choices() {
        for (kind, ..) in KINDS {
            let form =
                RuleForm { points: "get:id".to_owned(), pattern: "x".to_owned(), ..RuleForm::of_kind(kind) };
            let effect = form.draft(Timestamp::UNIX_EPOCH).unwrap().effect;
            assert_eq!(effect.kind(), kind);
        }
        assert_eq!(MODES.len() + SEVERITIES.len() + ACTIONS.len() + SENSITIVITIES.len(), 14);
        assert_eq!(SENSITIVITIES.len(), shared::Sensitivity::ALL.len());
    }
}
