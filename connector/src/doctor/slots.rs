//! Function slots of a behavior: one function per trigger.

use super::{
    deployment::{Deployment, Stages},
    document::{Behavior, Distribution},
    report::{HazardKind, Report},
};

/// The behaviors that the request function is attached to, with its stages.
pub(super) fn attached<'a>(
    distribution: &'a Distribution,
    deployment: &Deployment,
) -> Vec<(&'a Behavior, Stages)> {
    let stages = |behavior: &'a Behavior| {
        let ours = |event: &str| {
            let associations = &behavior.lambda_function_associations.items;
            associations.iter().any(|it| it.event_type == event && deployment.owns(&it.arn))
        };
        let stages = match (ours("viewer-request"), ours("origin-request")) {
            (true, true) => Stages::Both,
            (true, false) => Stages::Viewer,
            (false, true) => Stages::Origin,
            (false, false) => return None,
        };
        Some((behavior, stages))
    };
    distribution.behaviors().filter_map(stages).collect()
}

pub(super) fn examine(behavior: &Behavior, stages: Stages, deployment: &Deployment, report: &mut Report) {
    let is_request = |event: &str| match event {
        "viewer-request" => stages.has_viewer(),
        "origin-request" => stages.has_origin(),
        _ => false,
    };
    let response_event = if stages.has_origin() { "origin-response" } else { "viewer-response" };
    let associations = &behavior.lambda_function_associations.items;
    // A response function attached to the other side needs no slot here.
    let has_response =
        associations.iter().any(|it| it.event_type.ends_with("-response") && deployment.owns(&it.arn));
    for it in associations {
        let ours = deployment.owns(&it.arn);
        if ours && is_request(&it.event_type) && !it.include_body {
            report.hazard(
                HazardKind::BodyNotIncluded,
                behavior.pattern(),
                format!(
                    "Request bodies are not inspected: the function at {} does not receive them.",
                    it.event_type,
                ),
            );
        }
        let needed = is_request(&it.event_type) || (it.event_type == response_event && !has_response);
        if !ours && needed {
            report.hazard(
                HazardKind::SlotOccupied,
                behavior.pattern(),
                format!(
                    "{} is attached to {}, and a behavior allows one function per trigger.",
                    it.arn, it.event_type,
                ),
            );
        }
    }
    if stages == Stages::Viewer {
        let what = "Of a request body, the function at viewer-request receives 40 KB: attacks behind them are missed. The \
                    function at origin-request, in addition, receives 1 MB.";
        report.hazard(HazardKind::BodyRestNotInspected, behavior.pattern(), what.to_owned());
    }
    if behavior.grpc_config.enabled {
        report.hazard(
            HazardKind::GrpcNotInspected,
            behavior.pattern(),
            "gRPC calls are not inspected: CloudFront forwards them without running Lambda functions."
                .to_owned(),
        );
    }
    let functions = behavior.function_associations.items.iter();
    if let (true, Some(function)) = (stages.has_viewer(), functions.into_iter().next()) {
        report.hazard(HazardKind::CloudFrontFunction, behavior.pattern(), format!(
            "The CloudFront function {} is attached to {}: a behavior cannot combine it with Lambda functions at viewer triggers.",
            function.arn, function.event_type,
        ));
    }
}
