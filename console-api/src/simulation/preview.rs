//! Previews of rules from hits, by the code of the node: the recorded hits that an exclusion would
//! suppress, or that would no longer be attacks under a rule on content.

use super::{
    content::ContentSimulation,
    on_blocking_thread,
    scan::{Scan, ScanLimits},
};
use crate::{
    attack::Mark,
    hit::{HitFilter, RecordedHit},
    paging::{Listed, Page, Slice},
    query::{Condition, Filter},
    replay::Progress,
    ruleset::RuleDraft,
    store::{Store, StoreError},
};
use engine::rules::RuleBook;
use serde::Serialize;
use shared::{
    Finding,
    point::Tag,
    ruleset::{Effect, Rule, Suppressed},
};

/// The effect of a rule on recorded hits.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Preview {
    pub rule: RuleDraft,
    pub scanned: Progress,
    /// Hits with all findings suppressed, or of requests that are no longer attacks.
    #[serde(rename = "silenced")]
    pub suppressed: Marked,
    /// Hits with some findings suppressed, or of requests whose findings have a lower score.
    pub reduced: u64,
    /// The suppressed hits, the latest first.
    #[serde(flatten)]
    pub hits: Page<RecordedHit>,
}

/// Hits by the marks of their attacks.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Marked {
    pub hits: u64,
    pub false_positive: u64,
    pub true_positive: u64,
    pub unmarked: u64,
}

impl Marked {
    fn count(&mut self, mark: Option<Mark>) {
        self.hits += 1;
        *match mark {
            Some(Mark::FalsePositive) => &mut self.false_positive,
            Some(Mark::TruePositive) => &mut self.true_positive,
            None => &mut self.unmarked,
        } += 1;
    }
}

/// The effect of a rule on one hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HitEffect {
    None,
    Reduced,
    Suppressed,
}

/// A rule to preview.
enum Simulated {
    Exclusion(RuleBook),
    Content(ContentSimulation),
}

/// Previews an exclusion or a rule on content on recorded hits.
pub async fn preview(store: &Store, rule: Rule, slice: &Slice) -> Result<Preview, StoreError> {
    let mut scan = Scan::new(store.clone(), affected_hits(&rule.effect), ScanLimits::CALL);
    let mut preview = Preview {
        rule: rule.clone().into(),
        scanned: Progress::default(),
        suppressed: Marked::default(),
        reduced: 0,
        hits: Page { items: Vec::new(), next_cursor: None },
    };
    let simulated = Simulated::new(store, rule).await?;
    let mut listed = Vec::new();
    loop {
        let hits = scan.hits().await?;
        if hits.is_empty() {
            break;
        }
        let effects = simulated.effects(store, &hits).await?;
        preview.reduced += effects.iter().filter(|effect| **effect == HitEffect::Reduced).count() as u64;
        let suppressed = hits.into_iter().zip(effects).filter(|(_, effect)| *effect == HitEffect::Suppressed);
        let suppressed: Vec<RecordedHit> = suppressed.map(|(hit, _)| hit).collect();
        let marks = store.marks_of(suppressed.iter().map(|hit| hit.attack_id)).await?;
        for hit in suppressed {
            preview.suppressed.count(marks.get(&hit.attack_id).copied());
            let is_later = slice.after.as_ref().is_none_or(|after| hit.cursor().id < after.id);
            if is_later && listed.len() <= slice.limit as usize {
                listed.push(hit);
            }
        }
    }
    preview.scanned = scan.progress;
    preview.hits = Page::cut(listed, slice.limit);
    Ok(preview)
}

impl Simulated {
    /// Content is simulated with the current rules.
    async fn new(store: &Store, rule: Rule) -> Result<Self, StoreError> {
        Ok(match &rule.effect {
            Effect::Content { points, .. } => {
                let points = points.clone();
                Self::Content(ContentSimulation::new(store.rules().await?, rule, points).await)
            }
            _ => Self::Exclusion(on_blocking_thread(move || RuleBook::compile(&[rule]).0).await),
        })
    }

    /// The effect on each of the hits.
    async fn effects(&self, store: &Store, hits: &[RecordedHit]) -> Result<Vec<HitEffect>, StoreError> {
        match self {
            Self::Exclusion(book) => Ok(hits.iter().map(|hit| suppression(book, hit)).collect()),
            Self::Content(simulation) => simulation.effects(store, hits).await,
        }
    }
}

/// The hits that an exclusion may affect.
fn affected_hits(effect: &Effect) -> HitFilter {
    let filter = match effect {
        Effect::Ignore { findings: Suppressed::Type(code), .. } => Condition::Type(code.clone()).into(),
        _ => Filter::default(),
    };
    HitFilter { filter, ..HitFilter::default() }
}

/// The effect of exclusions on a hit.
pub(super) fn suppression(book: &RuleBook, hit: &RecordedHit) -> HitEffect {
    let rules = book.select_for(&hit.host, &hit.path, &hit.method, hit.application);
    let suppressed = |finding: &&Finding| is_detected(finding) && rules.suppresses(finding).is_some();
    match hit.findings.iter().filter(suppressed).count() {
        0 => HitEffect::None,
        all if all == hit.findings.len() => HitEffect::Suppressed,
        _ => HitEffect::Reduced,
    }
}

/// Whether the finding is of a detector. Exclusions do not apply to findings of lists and behavior
/// controls.
fn is_detected(finding: &Finding) -> bool {
    finding.point.0.first().is_none_or(|step| step.tag != Tag::RemoteAddr)
}
