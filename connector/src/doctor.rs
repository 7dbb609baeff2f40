//! Hazard checks for a CloudFront distribution, read from the output of AWS's tools: settings that
//! prevent the connector from inspecting or blocking, or a node from reading the access logs.

mod deployment;
mod document;
mod forwarded;
mod forwarding;
mod lifetime;
mod log_documents;
mod logging;
mod managed;
mod report;
mod slots;

use document::{Behavior, Distribution, ErrorPage};
use jiff::civil::Date;

pub use deployment::{Deployment, Stages};
pub use document::{DocumentError, Documents};
pub use logging::{LogsUrl, LogsUrlError, Setup, SetupFormat};
pub use report::{Hazard, HazardKind, Report};

/// The checks of one distribution.
struct Examination<'a> {
    documents: &'a Documents,
    distribution: &'a Distribution,
    deployment: &'a Deployment,
    report: Report,
}

/// Lists the hazards, those of the whole distribution first.
pub fn examine(documents: &Documents, deployment: &Deployment, today: Date) -> Result<Report, DocumentError> {
    let distribution = documents.distribution()?;
    let mut examination = Examination { documents, distribution, deployment, report: Report::default() };
    examination.error_page();
    examination.behaviors()?;
    lifetime::examine(documents, deployment, today, &mut examination.report);
    if let Some(url) = &deployment.logs {
        logging::examine(documents, distribution, url, &mut examination.report);
    }
    Ok(examination.report)
}

impl Examination<'_> {
    fn behaviors(&mut self) -> Result<(), DocumentError> {
        let attached = slots::attached(self.distribution, self.deployment);
        if attached.is_empty() {
            let pattern = &self.deployment.behavior;
            let behavior = self.distribution.behaviors().find(|behavior| behavior.pattern() == *pattern);
            let behavior = behavior.ok_or_else(|| DocumentError::NoSuchBehavior(pattern.clone()))?;
            self.behavior(behavior, self.deployment.stages);
            return Ok(());
        }
        for behavior in self.distribution.behaviors() {
            match attached.iter().find(|(attached, _)| std::ptr::eq(*attached, behavior)) {
                Some((_, stages)) => self.behavior(behavior, *stages),
                None => self.report.hazard(HazardKind::BehaviorNotCovered, behavior.pattern(), format!(
                    "Requests to {} are not inspected: the request function is attached to other behaviors only.",
                    behavior.pattern(),
                )),
            }
        }
        Ok(())
    }

    fn behavior(&mut self, behavior: &Behavior, stages: Stages) {
        slots::examine(behavior, stages, self.deployment, &mut self.report);
        if stages.has_origin() {
            let forwarded = forwarding::forwarded(behavior, self.documents, &mut self.report);
            forwarding::examine(behavior, stages, &forwarded, &mut self.report);
            if forwarded.cached {
                self.cached_block(behavior);
            }
        }
    }

    /// CloudFront's error pages also replace responses that a function generates.
    fn error_page(&mut self) {
        let status = self.deployment.block_status;
        if let Some(ErrorPage { response_page_path: Some(page), response_code, .. }) =
            self.distribution.error_page(status)
            && !page.is_empty()
        {
            let shown = response_code.clone().filter(|code| !code.is_empty()).unwrap_or(status.to_string());
            self.report.hazard(HazardKind::ErrorPageReplacesBlock, "distribution", format!(
                "A blocked visitor gets {page} with status {shown}: the error page for {status} replaces the block page.",
            ));
        }
    }

    /// A block generated at origin-request may be cached and served to other visitors.
    fn cached_block(&mut self, behavior: &Behavior) {
        let status = self.deployment.block_status;
        let (seconds, source) =
            self.distribution.error_page(status).map_or((10, "CloudFront's default"), |page| {
                (page.error_caching_min_ttl, "its error caching minimum TTL")
            });
        if seconds > 0 {
            self.report.hazard(
                HazardKind::BlockCached,
                behavior.pattern(),
                format!("A {status} may be cached for {seconds} s ({source}) and served to other visitors."),
            );
        }
    }
}
