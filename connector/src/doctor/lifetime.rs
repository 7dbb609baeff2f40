//! Lifetime checks: end of support of the functions' runtime, and trust policy of their role.

use super::{
    deployment::Deployment,
    document::{Distribution, Documents, Role},
    report::{HazardKind, Report},
};
use jiff::{ToSpan as _, civil::Date};
use serde_json::Value;

/// AWS notifies the owners of functions this long before the end of support.
const NOTICE_DAYS: i64 = 180;
const SERVICES: [&str; 2] = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"];

/// Planned end of support. Runtimes that are not listed are newer than this program.
fn end_of(runtime: &str) -> Option<Date> {
    Some(match runtime {
        "python3.8" => Date::constant(2024, 10, 14),
        "python3.9" => Date::constant(2025, 12, 15),
        "python3.10" => Date::constant(2026, 10, 31),
        "python3.11" => Date::constant(2027, 6, 30),
        "python3.12" => Date::constant(2028, 10, 31),
        "python3.13" | "python3.14" => Date::constant(2029, 6, 30),
        _ => return None,
    })
}

pub(super) fn examine(documents: &Documents, deployment: &Deployment, today: Date, report: &mut Report) {
    let (ours, others): (Vec<_>, Vec<_>) =
        documents.functions.iter().partition(|function| deployment.owns(&function.arn));
    for function in &ours {
        let runtime = function.runtime.as_deref().unwrap_or_default();
        if let Some(end) = end_of(runtime)
            && today.saturating_add(NOTICE_DAYS.days()) >= end
        {
            let ends = if today >= end { "ended" } else { "ends" };
            report.hazard(HazardKind::RuntimeEnds, &function.arn, format!(
                "AWS's support for {runtime} {ends} on {end}; later, functions on it cannot be created or updated.",
            ));
        }
        if !documents.roles.iter().any(|role| role.arn == function.role) {
            let name = function.role.rsplit('/').next().unwrap_or_default();
            report.not_checked(format!(
                "the trust policy of {}; add the output of: aws iam get-role --role-name {name}",
                function.role
            ));
        }
    }
    let elsewhere = |role: &&Role| {
        others.iter().any(|it| it.role == role.arn) && !ours.iter().any(|it| it.role == role.arn)
    };
    for role in documents.roles.iter().filter(|role| !elsewhere(role)) {
        let missing: Vec<_> = SERVICES.into_iter().filter(|service| !trusts(role, service)).collect();
        if !missing.is_empty() {
            report.hazard(
                HazardKind::TrustMissing,
                &role.arn,
                format!(
                    "The role does not trust {}: CloudFront cannot run functions that use it.",
                    missing.join(" and "),
                ),
            );
        }
    }
    attached_without_configuration(documents, deployment, report);
}

fn attached_without_configuration(documents: &Documents, deployment: &Deployment, report: &mut Report) {
    let behaviors = documents.distribution().into_iter().flat_map(Distribution::behaviors);
    for association in behaviors.flat_map(|behavior| &behavior.lambda_function_associations.items) {
        let known = documents.functions.iter().any(|function| function.arn == association.arn);
        if deployment.owns(&association.arn) && !known {
            let arn = &association.arn;
            report.not_checked(format!(
                "the runtime and role of {arn}; add the output of: aws lambda get-function-configuration --region us-east-1 \
                 --function-name {arn}",
            ));
        }
    }
}

fn trusts(role: &Role, service: &str) -> bool {
    let policy = match &role.assume_role_policy_document {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        json => json.clone(),
    };
    one_or_many(&policy["Statement"]).any(|statement| {
        statement["Effect"] == "Allow"
            && one_or_many(&statement["Action"]).any(|action| action == "sts:AssumeRole")
            && one_or_many(&statement["Principal"]["Service"]).any(|it| it == service)
    })
}

/// Policies may write a list of one item as the item.
fn one_or_many(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().map_or(std::slice::from_ref(json), Vec::as_slice).iter()
}
