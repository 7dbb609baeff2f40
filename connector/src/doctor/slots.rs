//! The four places for functions of a behavior: one function each.

use super::{
    Deployment,
    document::{Behavior, Distribution},
    report::{HazardKind, Report},
};
use std::fmt;

/// Before the cache, or behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Viewer,
    Origin,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Viewer => "viewer",
            Self::Origin => "origin",
        })
    }
}

/// The behaviors that have our request function, and where.
pub(super) fn placed<'a>(
    distribution: &'a Distribution,
    deployment: &Deployment,
) -> Vec<(&'a Behavior, Side)> {
    let side = |behavior: &'a Behavior| {
        let ours = |event: &str| {
            let associations = &behavior.lambda_function_associations.items;
            associations.iter().any(|it| it.event_type == event && deployment.owns(&it.arn))
        };
        let side = if ours("viewer-request") { Side::Viewer } else { Side::Origin };
        (side == Side::Viewer || ours("origin-request")).then_some((behavior, side))
    };
    distribution.behaviors().filter_map(side).collect()
}

pub(super) fn examine(behavior: &Behavior, side: Side, deployment: &Deployment, report: &mut Report) {
    let request_event = format!("{side}-request");
    let response_event = format!("{side}-response");
    let associations = &behavior.lambda_function_associations.items;
    // The response function may be on the other side: then its own slot is settled.
    let answered =
        associations.iter().any(|it| it.event_type.ends_with("-response") && deployment.owns(&it.arn));
    for it in associations {
        let ours = deployment.owns(&it.arn);
        if ours && it.event_type == request_event && !it.include_body {
            report.hazard(HazardKind::BodyNotIncluded, behavior.pattern(), format!(
                "Bodies of requests are not inspected: the function at {request_event} does not get them.",
            ));
        }
        let needed = it.event_type == request_event || (it.event_type == response_event && !answered);
        if !ours && needed {
            report.hazard(
                HazardKind::SlotOccupied,
                behavior.pattern(),
                format!(
                    "{} is at {} already, and a behavior takes one function per trigger.",
                    it.arn, it.event_type,
                ),
            );
        }
    }
    let functions = behavior.function_associations.items.iter();
    if let (Side::Viewer, Some(function)) = (side, functions.into_iter().next()) {
        report.hazard(HazardKind::CloudFrontFunction, behavior.pattern(), format!(
            "The CloudFront function {} is at {}: a behavior cannot have one and a Lambda function at viewer triggers.",
            function.arn, function.event_type,
        ));
    }
}
