//! Cache behaviors of a description.

use std::sync::Arc;

use super::document::{ConfigError, Item, Object};
use super::given::Given;
use super::legacy;
use super::policies::Policies;
use crate::cloudfront::distribution::{Association, Behavior, Functions, Trigger, ViewerProtocol};
use crate::cloudfront::limits::METHODS;
use crate::cloudfront::path_pattern::PathPattern;
use crate::cloudfront::policy::OriginRequestPolicy;
use crate::lambda::Function;

/// The context in which behaviors are read.
pub(super) struct Reader<'a> {
    pub(super) policies: &'a Policies<'a>,
    pub(super) given: &'a Given,
    /// The ids of origins and origin groups.
    pub(super) targets: &'a [&'a str],
}

impl Reader<'_> {
    pub(super) fn with_pattern(&self, item: &Item<'_>) -> Result<(PathPattern, Behavior), ConfigError> {
        let pattern = item.field("PathPattern")?;
        let text = pattern.text()?;
        if text.is_empty() || text.len() > 255 {
            return Err(pattern.error("must have 1 to 255 characters"));
        }
        Ok((PathPattern::new(&text), self.behavior(item)?))
    }

    pub(super) fn behavior(&self, item: &Item<'_>) -> Result<Behavior, ConfigError> {
        let object = item.object()?;
        object.ignore(&["PathPattern"]);
        let target = object.require("TargetOriginId")?;
        if !self.targets.contains(&target.text()?.as_str()) {
            return Err(target.error(format!("no origin or origin group has the id {}", target.text()?)));
        }
        let mut behavior = Behavior::new(&target.text()?);
        behavior.viewer_protocol = viewer_protocol(&object.require("ViewerProtocolPolicy")?)?;
        (behavior.allowed_methods, behavior.caches_options) = methods(&object)?;
        match (object.get("CachePolicyId"), object.get("ForwardedValues")) {
            (Some(id), _) => {
                behavior.cache = self.policies.cache(&id)?;
                behavior.origin_request = OriginRequestPolicy::default();
            }
            (None, Some(values)) => {
                (behavior.cache, behavior.origin_request) = legacy::policies(&values, &object)?;
            }
            (None, None) => return Err(object.error("must have CachePolicyId or ForwardedValues")),
        }
        if let Some(id) = object.get("OriginRequestPolicyId") {
            behavior.origin_request = self.policies.origin_request(&id)?;
        }
        if let Some(id) = object.get("ResponseHeadersPolicyId") {
            behavior.response_headers = self.policies.response_headers(&id)?;
        }
        behavior.functions = self.functions(&object)?;
        object.finish();
        Ok(behavior)
    }

    fn functions(&self, behavior: &Object) -> Result<Functions, ConfigError> {
        let mut functions = Functions::default();
        for item in behavior.list("LambdaFunctionAssociations")? {
            let object = item.object()?;
            let event = object.require("EventType")?;
            let word = event.text()?;
            let trigger = Trigger::ALL.into_iter().find(|trigger| trigger.to_string() == word);
            let trigger = trigger.ok_or_else(|| event.error("must be one of the four event types"))?;
            let include_body = object.flag("IncludeBody")?;
            if include_body && !trigger.is_request() {
                return Err(object.error("IncludeBody is only allowed for request events"));
            }
            let function = self.function(&object.require("LambdaFunctionARN")?)?;
            object.finish();
            let slot = functions.at_mut(trigger);
            if slot.is_some() {
                return Err(event.error(format!("{trigger} has two functions")));
            }
            *slot = Some(Association { function, include_body });
        }
        Ok(functions)
    }

    fn function(&self, arn: &Item) -> Result<Arc<Function>, ConfigError> {
        let text = arn.text()?;
        let name = match text.strip_prefix("arn:").and_then(|rest| rest.split_once(":function:")) {
            Some((_, named)) => match named.split_once(':') {
                Some((name, version)) if version.bytes().all(|byte| byte.is_ascii_digit()) => name,
                _ => {
                    return Err(
                        arn.error("must end in a version number; $LATEST and aliases are not allowed")
                    );
                }
            },
            None => &text,
        };
        self.given.functions.get(name).cloned().ok_or_else(|| {
            arn.error(format!("the function {name} has no zip; add --function {name}=FILE.zip"))
        })
    }
}

fn viewer_protocol(item: &Item) -> Result<ViewerProtocol, ConfigError> {
    match item.text()?.as_str() {
        "allow-all" => Ok(ViewerProtocol::AllowAll),
        "redirect-to-https" => Ok(ViewerProtocol::RedirectToHttps),
        "https-only" => Ok(ViewerProtocol::HttpsOnly),
        _ => Err(item.error("must be allow-all, redirect-to-https or https-only")),
    }
}

/// AWS's API nests the cached methods in the allowed ones, CloudFormation does not.
fn methods(behavior: &Object) -> Result<(Vec<String>, bool), ConfigError> {
    let Some(allowed) = behavior.get("AllowedMethods") else {
        return Ok((vec!["GET".to_owned(), "HEAD".to_owned()], false));
    };
    let cached = behavior.texts("CachedMethods")?;
    let within = if allowed.is_list() { Vec::new() } else { allowed.object()?.texts("CachedMethods")? };
    let methods = allowed.texts()?;
    if let Some(unknown) = methods.iter().find(|method| !METHODS.contains(&method.as_str())) {
        return Err(allowed.error(format!("{unknown} is not a method that CloudFront supports")));
    }
    Ok((methods, cached.iter().chain(&within).any(|method| method == "OPTIONS")))
}
