//! Function slots of a behavior: one function per trigger.

use super::{
    deployment::{Deployment, Side},
    document::{Behavior, Distribution},
    report::{HazardKind, Report},
};

/// The behaviors that the request function is attached to, with its side.
pub(super) fn attached<'a>(
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
    // A response function attached to the other side needs no slot here.
    let has_response =
        associations.iter().any(|it| it.event_type.ends_with("-response") && deployment.owns(&it.arn));
    for it in associations {
        let ours = deployment.owns(&it.arn);
        if ours && it.event_type == request_event && !it.include_body {
            report.hazard(HazardKind::BodyNotIncluded, behavior.pattern(), format!(
                "Request bodies are not inspected: the function at {request_event} does not receive them.",
            ));
        }
        let needed = it.event_type == request_event || (it.event_type == response_event && !has_response);
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
    if behavior.grpc_config.enabled {
        report.hazard(
            HazardKind::GrpcNotInspected,
            behavior.pattern(),
            "gRPC calls are not inspected: CloudFront forwards them without running Lambda functions."
                .to_owned(),
        );
    }
    let functions = behavior.function_associations.items.iter();
    if let (Side::Viewer, Some(function)) = (side, functions.into_iter().next()) {
        report.hazard(HazardKind::CloudFrontFunction, behavior.pattern(), format!(
            "The CloudFront function {} is attached to {}: a behavior cannot combine it with Lambda functions at viewer triggers.",
            function.arn, function.event_type,
        ));
    }
}
