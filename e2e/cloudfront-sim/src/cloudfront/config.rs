//! Distributions from AWS's descriptions, as JSON or YAML: the output of `aws cloudfront
//! get-distribution-config` or `get-distribution`, a CloudFormation resource or template, or the
//! bare `DistributionConfig`. Custom policies are next to it (`CachePolicies`,
//! `OriginRequestPolicies`, `ResponseHeadersPolicies`, each a map from id to the policy's
//! configuration) or in the same template.

mod behavior;
mod document;
mod given;
mod legacy;
mod origins;
mod policies;
mod response_headers;

use std::cell::RefCell;

use serde_json::Value;

use super::distribution::{DistributionConfig, ErrorPage, ErrorResponse};
use crate::faults::Faults;
use document::{Item, Object};
use policies::Policies;

pub use document::ConfigError;
pub use given::{Given, OriginAt};

/// A distribution, and the keys of its description that have no effect here.
#[derive(Debug)]
pub struct Loaded {
    pub distribution: DistributionConfig,
    /// Key paths, each with a remark.
    pub not_simulated: Vec<String>,
}

/// Keys without effect on requests, or set on the command line instead.
const WITHOUT_EFFECT: [&str; 12] = [
    "CallerReference",
    "Comment",
    "Enabled",
    "PriceClass",
    "Aliases",
    "CNAMEs",
    "Logging",
    "ViewerCertificate",
    "HttpVersion",
    "IsIPV6Enabled",
    "IPV6Enabled",
    "Staging",
];

pub fn load(text: &str, given: &Given) -> Result<Loaded, ConfigError> {
    let not_simulated = RefCell::default();
    let root: Value = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| ConfigError::new("", error.to_string()))?
    } else {
        serde_saphyr::from_str(text).map_err(|error| ConfigError::new("", error.to_string()))?
    };
    let distribution = distribution(&Item::new(&root, String::new(), &not_simulated), given)?;
    Ok(Loaded { distribution, not_simulated: not_simulated.into_inner() })
}

fn distribution(root: &Item<'_>, given: &Given) -> Result<DistributionConfig, ConfigError> {
    let (config, id, domain_name) = locate(root)?;
    let policies = Policies::of(root)?;
    let is_root = config.path().is_empty();
    let config = config.object()?;
    config.ignore(&WITHOUT_EFFECT);
    if is_root {
        config.ignore(&policies::SECTIONS);
    }
    let origins = origins::origins(&config.require("Origins")?, given)?;
    let origin_groups = match config.get("OriginGroups") {
        Some(groups) => origins::groups(&groups, &origins)?,
        None => Vec::new(),
    };
    let targets: Vec<_> = origins.iter().map(|origin| origin.id.as_str()).collect();
    let targets: Vec<_> =
        targets.into_iter().chain(origin_groups.iter().map(|group| group.id.as_str())).collect();
    let reader = behavior::Reader { policies: &policies, given, targets: &targets };
    let default_behavior = reader.behavior(&config.require("DefaultCacheBehavior")?)?;
    let behaviors = config.list("CacheBehaviors")?;
    let behaviors = behaviors.iter().map(|item| reader.with_pattern(item)).collect::<Result<_, _>>()?;
    let error_responses = config.list("CustomErrorResponses")?;
    let error_responses = error_responses.iter().map(error_response).collect::<Result<_, _>>()?;
    let default_root_object = config.text("DefaultRootObject")?.filter(|root| !root.is_empty());
    config.finish();
    Ok(DistributionConfig {
        distribution_id: id.unwrap_or_else(|| "EDFDVBD6EXAMPLE".to_owned()),
        domain_name: domain_name.unwrap_or_else(|| "d111111abcdef8.cloudfront.net".to_owned()),
        default_root_object,
        origins,
        origin_groups,
        behaviors,
        default_behavior,
        error_responses,
        error_caching: given.error_caching,
        faults: Faults::default(),
    })
}

/// The configuration, and the distribution's id and domain.
type Located<'a> = (Item<'a>, Option<String>, Option<String>);

/// Finds the `DistributionConfig`, and the distribution's id and domain if given.
fn locate<'a>(root: &Item<'a>) -> Result<Located<'a>, ConfigError> {
    let object = root.object()?;
    if let Some(resources) = object.get("Resources") {
        let resources = resources.object()?;
        let distributions: Vec<_> =
            resources.items().filter(|item| item.is_resource("AWS::CloudFront::Distribution")).collect();
        let [distribution] = &distributions[..] else {
            let found = distributions.len();
            return Err(resources.error(format!("contains {found} distributions; exactly one is required")));
        };
        return Ok((distribution.field("Properties")?.field("DistributionConfig")?, None, None));
    }
    if let Some(properties) = object.get("Properties") {
        return Ok((properties.field("DistributionConfig")?, None, None));
    }
    if let Some(distribution) = object.get("Distribution") {
        let described = distribution.object()?;
        let (id, domain_name) = (described.text("Id")?, described.text("DomainName")?);
        return Ok((described.require("DistributionConfig")?, id, domain_name));
    }
    if let Some(config) = object.get("DistributionConfig") {
        return Ok((config, None, None));
    }
    if object.get("DefaultCacheBehavior").is_none() {
        return Err(
            root.error("contains no distribution: neither DistributionConfig nor DefaultCacheBehavior")
        );
    }
    Ok((root.clone(), None, None))
}

fn error_response(item: &Item<'_>) -> Result<ErrorResponse, ConfigError> {
    let object: Object = item.object()?;
    let error_code = object.require("ErrorCode")?.status()?;
    let code = match object.get("ResponseCode") {
        Some(code) if !code.is_empty_text() => Some(code.status()?),
        _ => None,
    };
    let page = match object.text("ResponsePagePath")?.filter(|path| !path.is_empty()) {
        Some(path) if path.starts_with('/') => {
            Some(ErrorPage { path, response_code: code.unwrap_or(error_code) })
        }
        Some(_) => return Err(object.error("ResponsePagePath must begin with a slash")),
        None => None,
    };
    let caching_min_ttl = object.seconds("ErrorCachingMinTTL")?.unwrap_or(ErrorResponse::DEFAULT_TTL);
    object.finish();
    Ok(ErrorResponse { error_code, caching_min_ttl, page })
}
