//! Reads a distribution as AWS's tools print it, and says what would blind the connector there, or turn its blocks into
//! something else.

mod document;
mod forwarding;
mod lifetime;
mod managed;
mod report;
mod slots;

use document::{Behavior, Distribution, ErrorPage};
use forwarding::Forwarded;
use jiff::civil::Date;

pub use document::{DocumentError, Documents};
pub use report::{Hazard, HazardKind, Report};
pub use slots::Side;

/// What the connector is called there, and how it is, or will be, attached.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The functions are called `{name}-request` and `{name}-response`.
    pub name: String,
    /// Where the functions will be attached. Where they are attached already, the distribution says it.
    pub side: Side,
    /// The path pattern of the behavior they will be attached to.
    pub behavior: String,
    /// The status of a block.
    pub block_status: u16,
}

impl Deployment {
    /// Whether an association's ARN, with its version, is one of our functions.
    fn owns(&self, arn: &str) -> bool {
        let name = arn.split(':').nth(6).unwrap_or_default();
        name.strip_prefix(self.name.as_str()).is_some_and(|which| matches!(which, "-request" | "-response"))
    }
}

/// Lists the hazards, those of the whole distribution first.
pub fn examine(documents: &Documents, deployment: &Deployment, today: Date) -> Result<Report, DocumentError> {
    let distribution = documents.distribution()?;
    let mut report = Report::default();
    error_page(distribution, deployment, &mut report);
    let placed = slots::placed(distribution, deployment);
    if placed.is_empty() {
        match distribution.behaviors().find(|behavior| behavior.pattern() == deployment.behavior) {
            Some(behavior) => {
                examine_behavior(distribution, behavior, deployment.side, documents, deployment, &mut report);
            }
            None => return Err(DocumentError::NoSuchBehavior(deployment.behavior.clone())),
        }
    }
    for behavior in distribution.behaviors() {
        match placed.iter().find(|(attached, _)| std::ptr::eq(*attached, behavior)) {
            Some((_, side)) => {
                examine_behavior(distribution, behavior, *side, documents, deployment, &mut report);
            }
            None if placed.is_empty() => {}
            None => report.hazard(HazardKind::BehaviorNotCovered, behavior.pattern(), format!(
                "Requests to {} are not inspected: the request function is attached to other behaviors only.",
                behavior.pattern(),
            )),
        }
    }
    lifetime::examine(documents, deployment, today, &mut report);
    Ok(report)
}

fn examine_behavior(
    distribution: &Distribution,
    behavior: &Behavior,
    side: Side,
    documents: &Documents,
    deployment: &Deployment,
    report: &mut Report,
) {
    slots::examine(behavior, side, deployment, report);
    if side == Side::Origin {
        let forwarded = Forwarded::of(behavior, documents, report);
        forwarding::examine(behavior, &forwarded, report);
        if forwarded.cached {
            cached_block(behavior, distribution.error_page(deployment.block_status), deployment, report);
        }
    }
}

/// CloudFront puts its error pages in the place of a function's answers, too.
fn error_page(distribution: &Distribution, deployment: &Deployment, report: &mut Report) {
    let status = deployment.block_status;
    if let Some(ErrorPage { response_page_path: Some(page), response_code, .. }) =
        distribution.error_page(status)
        && !page.is_empty()
    {
        let shown = response_code
            .as_deref()
            .filter(|code| !code.is_empty())
            .map_or(status.to_string(), str::to_owned);
        report.hazard(HazardKind::ErrorPageReplacesBlock, "distribution", format!(
            "A blocked visitor gets {page} with status {shown}: the error page for {status} takes the place of the block page.",
        ));
    }
}

/// A block that origin-request answers may be kept and shown to others.
fn cached_block(behavior: &Behavior, page: Option<&ErrorPage>, deployment: &Deployment, report: &mut Report) {
    let status = deployment.block_status;
    let (seconds, whose) = page.map_or((10, "CloudFront's default"), |page| {
        (page.error_caching_min_ttl, "the error caching minimum TTL set for it")
    });
    if seconds > 0 {
        report.hazard(HazardKind::BlockCached, behavior.pattern(), format!(
            "A {status} may be cached for {seconds} s ({whose}) and be shown to visitors who did nothing wrong.",
        ));
    }
}
