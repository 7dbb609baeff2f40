//! Previews of exclusions: the recorded hits that an exclusion would suppress, by the rules of the
//! node.

use super::{
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

/// The effect of an exclusion on recorded hits.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// The rule of the exclusion.
    pub rule: RuleDraft,
    pub scanned: Progress,
    /// Hits with all findings suppressed.
    pub silenced: Marked,
    /// Hits with some findings suppressed.
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

/// Previews an exclusion on recorded hits.
pub async fn preview(store: &Store, rule: Rule, slice: &Slice) -> Result<Preview, StoreError> {
    let mut scan = Scan::new(store.clone(), affected_hits(&rule.effect), ScanLimits::CALL);
    let draft = RuleDraft::from(rule.clone());
    let book = on_blocking_thread(move || RuleBook::compile(&[rule]).0).await;
    let mut preview = Preview {
        rule: draft,
        scanned: Progress::default(),
        silenced: Marked::default(),
        reduced: 0,
        hits: Page { items: Vec::new(), next_cursor: None },
    };
    let mut listed = Vec::new();
    loop {
        let hits = scan.hits().await?;
        if hits.is_empty() {
            break;
        }
        let mut suppressed = Vec::new();
        for hit in hits {
            match suppressed_part(&book, &hit) {
                SuppressedPart::None => {}
                SuppressedPart::Some => preview.reduced += 1,
                SuppressedPart::All => suppressed.push(hit),
            }
        }
        let marks = store.marks_of(suppressed.iter().map(|hit| hit.attack_id)).await?;
        for hit in suppressed {
            preview.silenced.count(marks.get(&hit.attack_id).copied());
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

/// The hits that an exclusion may affect.
fn affected_hits(effect: &Effect) -> HitFilter {
    let filter = match effect {
        Effect::Ignore { findings: Suppressed::Type(code), .. } => Condition::Type(code.clone()).into(),
        _ => Filter::default(),
    };
    HitFilter { filter, ..HitFilter::default() }
}

/// The part of the findings of a hit that an exclusion suppresses.
enum SuppressedPart {
    None,
    Some,
    All,
}

fn suppressed_part(book: &RuleBook, hit: &RecordedHit) -> SuppressedPart {
    let rules = book.select_for(&hit.host, &hit.path, &hit.method, hit.application);
    let suppressed = |finding: &&Finding| is_detected(finding) && rules.suppresses(finding).is_some();
    match hit.findings.iter().filter(suppressed).count() {
        0 => SuppressedPart::None,
        all if all == hit.findings.len() => SuppressedPart::All,
        _ => SuppressedPart::Some,
    }
}

/// Whether the finding is of a detector. Exclusions do not apply to findings of lists and behaviour
/// counters.
fn is_detected(finding: &Finding) -> bool {
    finding.point.0.first().is_none_or(|step| step.tag != Tag::RemoteAddr)
}
