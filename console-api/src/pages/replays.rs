//! The pages of replays: list, start, report.

use super::{form::Rejected, render, rules, view};
use crate::{
    clock::Clock,
    error::ApiError,
    extract::{Analyst, FromParameters, Named, Parameters, Query, Reader},
    paging::{Page, Slice},
    replay::{Candidate, Replay, ReplayDraft, ReplayStatus, ReplayVerdict, Selection, Verdicts},
    ruleset::{RuleDraft, StoredRule},
    simulation::replay::Replays,
    store::Store,
    use_cases::replays,
};
use askama::Template;
use axum::{
    Form,
    extract::State,
    response::{IntoResponse as _, Redirect, Response},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The time ranges to choose from, as values of `from`.
const RANGES: [(&str, &str); 5] = [
    ("-24h", "Last 24 hours"),
    ("-7d", "Last 7 days"),
    ("-30d", "Last 30 days"),
    ("-90d", "Last 90 days"),
    ("", "All time"),
];

/// The initial values of the form.
#[derive(Default)]
pub(super) struct Prefilled {
    ruleset: String,
    remove: String,
}

impl FromParameters for Prefilled {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let ruleset: Option<u64> = parameters.parse("ruleset", "the number of a version")?;
        let remove: Option<Uuid> = parameters.parse("remove", "the id of a rule")?;
        let text = |value: Option<String>| value.unwrap_or_default();
        Ok(Self {
            ruleset: text(ruleset.map(|it| it.to_string())),
            remove: text(remove.map(|it| it.to_string())),
        })
    }
}

#[derive(Template)]
#[template(path = "replays.html")]
struct ReplaysPage {
    page: Page<Replay>,
    rules: Vec<StoredRule>,
    prefilled: Prefilled,
    can_edit: bool,
    rejected: Rejected,
}

impl ReplaysPage {
    fn id(rule: &StoredRule) -> String {
        rule.rule.id.to_string()
    }
}

pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
    Query((prefilled, slice)): Query<(Prefilled, Slice)>,
) -> Result<Response, ApiError> {
    let can_edit = actor.role.can_edit();
    page((&store, &clock), &slice, prefilled, can_edit, Rejected::default()).await
}

async fn page(
    (store, clock): (&Store, &Clock),
    slice: &Slice,
    prefilled: Prefilled,
    can_edit: bool,
    rejected: Rejected,
) -> Result<Response, ApiError> {
    let rules = store.list::<StoredRule>(&Slice { limit: Slice::MAX_LIMIT, after: None }).await?.items;
    let page = store.replays(slice, clock.now()).await?;
    let page = ReplaysPage { page, rules, prefilled, can_edit, rejected };
    Ok(page.rejected.respond(&page))
}

/// The form of a replay.
#[derive(Serialize, Deserialize)]
pub(super) struct ReplayForm {
    /// Empty: the active version.
    ruleset: String,
    /// Empty: none.
    remove: String,
    /// As JSON. Empty: none.
    effect: String,
    host: String,
    path: String,
    query: String,
    from: String,
}

impl ReplayForm {
    fn draft(&self) -> Result<ReplayDraft, ApiError> {
        let mut candidate = Candidate::default();
        let version = self.ruleset.trim();
        if !version.is_empty() {
            let wrong = |_| ApiError::parameter("ruleset", "`ruleset` must be the number of a version");
            candidate.ruleset = Some(version.parse().map_err(wrong)?);
        }
        if !self.remove.is_empty() {
            let wrong = |_| ApiError::parameter("remove", "`remove` must be the id of a rule");
            candidate.remove.push(self.remove.parse().map_err(wrong)?);
        }
        if !self.effect.trim().is_empty() {
            let scope = rules::scope_of(&self.host, &self.path, "");
            let effect = rules::from_json(&self.effect)?;
            candidate.add.push(RuleDraft { scope, effect, comment: String::new(), expires_at: None });
        }
        let from = Some(self.from.clone()).filter(|from| !from.is_empty());
        let recorded = Selection { query: self.query.clone(), from, to: None };
        Ok(ReplayDraft { recorded, candidate, limit: ReplayDraft::DEFAULT_LIMIT })
    }
}

pub(super) async fn start(
    Analyst(author): Analyst,
    State(store): State<Store>,
    State(clock): State<Clock>,
    State(running): State<Replays>,
    Form(form): Form<ReplayForm>,
) -> Result<Response, ApiError> {
    let started = async { replays::start(store.clone(), clock, &running, author, form.draft()?).await };
    match started.await {
        Ok(replay) => Ok(Redirect::to(&format!("/replays/{}", replay.id)).into_response()),
        Err(error) => {
            let rejected = Rejected::new(&form, None, error)?;
            page((&store, &clock), &Slice::default(), Prefilled::default(), true, rejected).await
        }
    }
}

#[derive(Template)]
#[template(path = "replay.html")]
struct ReplayPage {
    replay: Replay,
}

impl ReplayPage {
    /// The kinds of changes, with a description.
    fn kinds(&self) -> [(&'static str, &'static str, &Verdicts); 3] {
        let report = &self.replay.report;
        [
            ("New", "requests with findings only under the candidate", &report.new),
            ("Lost", "requests with findings only under the current ruleset", &report.lost),
            ("Changed", "requests with other attack types or another verdict", &report.changed),
        ]
    }

    fn rules_added(&self) -> Vec<String> {
        let added = self.replay.draft.candidate.add.iter();
        added.map(|rule| serde_json::to_string(rule).unwrap_or_default()).collect()
    }
}

pub(super) async fn one(_: Reader, Named(replay): Named<Replay>) -> Response {
    render(&ReplayPage { replay })
}

/// The candidate, in one line.
fn candidate(replay: &Replay) -> String {
    let candidate = &replay.draft.candidate;
    let mut parts = vec![match candidate.ruleset {
        Some(version) => format!("version {version}"),
        None => "active ruleset".to_owned(),
    }];
    if !candidate.remove.is_empty() {
        parts.push(format!("minus {}", number_of_rules(candidate.remove.len())));
    }
    if !candidate.add.is_empty() {
        parts.push(format!("plus {}", number_of_rules(candidate.add.len())));
    }
    parts.join(", ")
}

fn number_of_rules(number: usize) -> String {
    format!("{number} rule{}", if number == 1 { "" } else { "s" })
}

fn status(replay: &Replay) -> &'static str {
    match replay.status {
        ReplayStatus::Running => "Running",
        ReplayStatus::Done => "Done",
        ReplayStatus::Failed => "Failed: see the console log",
        ReplayStatus::Interrupted => "Interrupted: the console stopped",
    }
}

/// A verdict in words: the attack types, and the outcome.
fn verdict(verdict: &ReplayVerdict) -> String {
    if verdict.is_nothing() {
        return "passes".to_owned();
    }
    let types: Vec<_> = verdict.attack_types.iter().map(String::as_str).collect();
    let outcome = match (verdict.blocks, verdict.suspicious) {
        (true, _) => "blocked",
        (false, true) => "suspicious",
        (false, false) => "recorded",
    };
    format!("{} {outcome}", types.join(", "))
}
