//! Actions on a hit or an attack: mark, exclude, name the content, block, patch. Each redirects to
//! the page it started on, with an undo button.

use super::{
    hits::JustMade,
    ip_lists, render,
    search::{Given, Origin},
    selection, view,
};
use crate::{
    attack::{Mark, MarkDraft},
    error::ApiError,
    extract::{self, Analyst, Id, Named, Searching},
    hit::{HitDetail, RecordedHit},
    paging::Slice,
    ruleset::{EntryDraft, RuleDraft},
    simulation::{
        HitRule,
        content::ContentDraft,
        exclusion::{ExclusionDraft, Width},
        preview::Preview,
    },
    store::Store,
    use_cases::{self, RulesetWriter, hit_rules, marks, rules},
};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    response::{Redirect, Response},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shared::{
    point::Tag,
    ruleset::{Content, Effect, List, Scope},
};
use uuid::Uuid;

/// The requests that a rule from a hit applies to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Requests {
    /// Of the same host, path and method.
    Alike,
    /// Of the same host and path.
    Path,
    Host,
    All,
}

impl Requests {
    fn scope(self, hit: &RecordedHit) -> Scope {
        let (host, path) = (Some(hit.host.clone()), Some(hit.path.clone()));
        match self {
            Self::Alike => Scope { host, path, method: Some(hit.method.clone()), application: None },
            Self::Path => Scope { host, path, ..Scope::default() },
            Self::Host => Scope { host, ..Scope::default() },
            Self::All => Scope::default(),
        }
    }

    /// `None`: the default scope, which also holds where the payload is in the path.
    fn wider_scope(self, hit: &RecordedHit) -> Option<Scope> {
        (!matches!(self, Self::Alike)).then(|| self.scope(hit))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Block {
    /// Hours; 0: no end.
    r#for: u32,
    #[serde(default)]
    what: Blocked,
}

/// What to block of a hit's source.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Blocked {
    #[default]
    Ip,
    Network,
    Country,
}

impl Blocked {
    /// As the form of IP lists takes it.
    fn source(&self, hit: &RecordedHit) -> Result<String, ApiError> {
        let (field, value) = match self {
            Self::Ip => return Ok(hit.client_ip.to_string()),
            Self::Network => ("network", &hit.network),
            Self::Country => ("country", &hit.country),
        };
        let unknown = || ApiError::parameter("what", format!("the {field} of this source is not known"));
        value.clone().ok_or_else(unknown)
    }
}

pub(super) async fn block_source(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Named(HitDetail { hit, .. }): Named<HitDetail>,
    extract::Query(origin): extract::Query<Origin>,
    Form(block): Form<Block>,
) -> Result<Redirect, ApiError> {
    let draft = EntryDraft {
        list: List::Deny,
        source: ip_lists::source(&block.what.source(&hit)?)?,
        applications: Vec::new(),
        expires_at: ip_lists::end(author.at, block.r#for),
        reason: format!("from hit {}", hit.id),
    };
    let entry = use_cases::ip_lists::add(&ruleset, &author, draft).await?;
    Ok(to_hit(&hit, &origin, (JustMade::ENTRY, entry.entry.id)))
}

#[derive(Debug, Deserialize)]
pub(super) struct Patch {
    what: Patched,
    requests: Requests,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Patched {
    /// Attacks of the hit's type.
    Type,
    /// Any value at the point.
    Any,
}

pub(super) async fn virtual_patch(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Named(HitDetail { hit, .. }): Named<HitDetail>,
    extract::Query(origin): extract::Query<Origin>,
    Form(patch): Form<Patch>,
) -> Result<Redirect, ApiError> {
    let attack_types = match patch.what {
        Patched::Type => vec![hit.attack_type.clone()],
        Patched::Any => Vec::new(),
    };
    let draft = RuleDraft {
        scope: patch.requests.scope(&hit),
        effect: Effect::VirtualPatch { attack_types, points: vec![hit.point.clone()] },
        comment: format!("from hit {}", hit.id),
        expires_at: None,
    };
    let rule = rules::add(&ruleset, &author, draft).await?;
    Ok(to_hit(&hit, &origin, (JustMade::RULE, rule.rule.id)))
}

/// The form of a rule from a hit.
pub(super) trait HitRuleForm: Serialize + DeserializeOwned + Send {
    /// The last part of the address.
    const ACTION: &str;

    fn draft(&self, hit: &RecordedHit) -> impl HitRule;

    /// Whether the attack is marked as a false positive, too.
    fn marks(&self) -> bool {
        false
    }
}

/// Whether detectors found the hit in a field of the request: exclusions do not apply to hits of
/// lists and behavior controls.
pub(super) fn is_detected(hit: &RecordedHit) -> bool {
    let first = hit.findings.first().and_then(|finding| finding.point.0.first());
    first.is_some_and(|step| step.tag != Tag::RemoteAddr)
}

/// The default width of an exclusion: several signatures are suppressed by their type.
pub(super) fn width_of(hit: &RecordedHit) -> &'static str {
    if hit.findings.len() > 1 { "type" } else { "signature" }
}

/// The form of an exclusion.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Exclusion {
    width: Width,
    location: Location,
    requests: Requests,
    /// Of the form that saves it.
    #[serde(default, skip_serializing)]
    also_mark: bool,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Location {
    Here,
    Anywhere,
}

impl HitRuleForm for Exclusion {
    const ACTION: &str = "exclusion";

    fn draft(&self, hit: &RecordedHit) -> impl HitRule {
        let points = matches!(self.location, Location::Anywhere).then(Vec::new);
        let scope = self.requests.wider_scope(hit);
        ExclusionDraft { width: self.width, finding: 0, points, scope, comment: String::new() }
    }

    fn marks(&self) -> bool {
        self.also_mark
    }
}

/// The form of a rule on the content of a field.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FieldContent {
    content: Content,
    requests: Requests,
}

impl HitRuleForm for FieldContent {
    const ACTION: &str = "content";

    fn draft(&self, hit: &RecordedHit) -> impl HitRule {
        let scope = self.requests.wider_scope(hit);
        ContentDraft { content: self.content, finding: 0, points: None, scope, comment: String::new() }
    }
}

/// The fields of a form.
fn fields(form: &impl Serialize) -> Vec<(String, String)> {
    let fields = serde_json::to_value(form).unwrap_or_default();
    let fields = fields.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// The preview of a rule from a hit.
#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage {
    hit: RecordedHit,
    /// [`HitRuleForm::ACTION`].
    action: &'static str,
    form: Vec<(String, String)>,
    preview: Preview,
    /// The search of the list.
    origin: Origin,
}

impl PreviewPage {
    fn pretty(rule: &RuleDraft) -> String {
        serde_json::to_string_pretty(rule).unwrap_or_default()
    }
}

/// The recorded hits that the rule would affect.
pub(super) async fn preview_rule<F: HitRuleForm>(
    _: Searching<Analyst>,
    State(store): State<Store>,
    Named(HitDetail { hit, .. }): Named<HitDetail>,
    Query(form): Query<F>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Response, ApiError> {
    let (slice, origin) = (Slice { limit: 20, after: None }, Origin::of(&Given::new(pairs)));
    let preview = hit_rules::preview(&store, &hit, form.draft(&hit), &slice).await?;
    Ok(render(&PreviewPage { form: fields(&form), action: F::ACTION, hit, preview, origin }))
}

pub(super) async fn add_rule<F: HitRuleForm>(
    Analyst(author): Analyst,
    State(ruleset): State<RulesetWriter>,
    Named(HitDetail { hit, .. }): Named<HitDetail>,
    extract::Query(origin): extract::Query<Origin>,
    Form(form): Form<F>,
) -> Result<Redirect, ApiError> {
    if form.marks() {
        let batch = hit_rules::add_and_mark(&ruleset, &author, &hit, form.draft(&hit)).await?;
        return Ok(selection::done_page(batch, &origin, Some(hit.id)));
    }
    let rule = hit_rules::add(&ruleset, &author, &hit, form.draft(&hit)).await?;
    Ok(to_hit(&hit, &origin, (JustMade::RULE, rule.rule.id)))
}

#[derive(Debug, Deserialize)]
pub(super) struct MarkForm {
    /// Empty: clears the mark.
    mark: Option<String>,
    #[serde(default)]
    note: String,
    revision: u32,
}

pub(super) async fn mark(
    Analyst(author): Analyst,
    State(store): State<Store>,
    Id(id): Id,
    extract::Query(origin): extract::Query<Origin>,
    Form(MarkForm { mark, note, revision }): Form<MarkForm>,
) -> Result<Redirect, ApiError> {
    let mark = mark.filter(|mark| !mark.is_empty());
    let unknown = || ApiError::parameter("mark", "`mark` must be false_positive or true_positive");
    let mark = mark.map(|mark| Mark::parse(&mark).ok_or_else(unknown)).transpose()?;
    marks::mark(&store, &author, (id, revision), MarkDraft { mark, note }).await?;
    Ok(Redirect::to(&format!("/attacks/{id}{origin}")))
}

/// The change to undo, and the page to return to.
#[derive(Debug, Deserialize)]
pub(super) struct Undo {
    pub(super) revision: u32,
    #[serde(default)]
    back: String,
}

impl Undo {
    pub(super) fn back(&self, otherwise: &str) -> Redirect {
        back_to(&self.back, otherwise)
    }
}

/// To a page with an undo button: of an attack, a hit, a value, the rules, the IP lists or the views.
pub(super) fn back_to(page: &str, otherwise: &str) -> Redirect {
    let is_ours = page.starts_with("/hits/")
        || page.starts_with("/attacks/")
        || page.starts_with("/actions?")
        || ["/rules", "/ip-lists", "/views"].contains(&page);
    Redirect::to(if is_ours { page } else { otherwise })
}

fn to_hit(hit: &RecordedHit, origin: &Origin, (parameter, id): (&str, Uuid)) -> Redirect {
    Redirect::to(&format!("/hits/{}{}", hit.id, origin.and(parameter, id)))
}
