//! Cache and origin request policies of a description.

use std::collections::BTreeMap;

use super::document::{ConfigError, Item, Object};
use super::response_headers;
use crate::cloudfront::forward::OWN_HEADERS;
use crate::cloudfront::policy::{CachePolicy, OriginRequestPolicy, ResponseHeadersPolicy, Selection};

/// Keys of custom policies next to a distribution, each with the key of a policy's configuration.
pub(super) const SECTIONS: [&str; 3] = ["CachePolicies", "OriginRequestPolicies", "ResponseHeadersPolicies"];
const CONFIGS: [&str; 3] = ["CachePolicyConfig", "OriginRequestPolicyConfig", "ResponseHeadersPolicyConfig"];
/// Keys of a policy in the output of `aws cloudfront get-…-policy`.
const WRAPPERS: [&str; 3] = ["CachePolicy", "OriginRequestPolicy", "ResponseHeadersPolicy"];

/// The policies of the document, by id.
pub(super) struct Policies<'a>([BTreeMap<String, Item<'a>>; 3]);

impl<'a> Policies<'a> {
    pub(super) fn of(root: &Item<'a>) -> Result<Self, ConfigError> {
        let root = root.object()?;
        let mut by_kind: [BTreeMap<_, _>; 3] = Default::default();
        for (kind, section) in SECTIONS.into_iter().enumerate() {
            let Some(section) = root.get(section) else { continue };
            for item in section.object()?.items() {
                let id = item.path().rsplit('.').next().unwrap_or_default().to_owned();
                by_kind[kind].insert(id, unwrapped(item, kind)?);
            }
        }
        let resources = root.get("Resources").map(|resources| resources.object()).transpose()?;
        for item in resources.iter().flat_map(Object::items) {
            for (kind, config) in CONFIGS.into_iter().enumerate() {
                if item.is_resource(&format!("AWS::CloudFront::{}", WRAPPERS[kind])) {
                    let id = item.path().rsplit('.').next().unwrap_or_default().to_owned();
                    by_kind[kind].insert(id, item.field("Properties")?.field(config)?);
                }
            }
        }
        Ok(Self(by_kind))
    }

    pub(super) fn cache(&self, id: &Item<'_>) -> Result<CachePolicy, ConfigError> {
        self.find(0, id, CachePolicy::managed, cache_policy)
    }

    pub(super) fn origin_request(&self, id: &Item<'_>) -> Result<OriginRequestPolicy, ConfigError> {
        self.find(1, id, OriginRequestPolicy::managed, origin_request_policy)
    }

    pub(super) fn response_headers(&self, id: &Item<'_>) -> Result<ResponseHeadersPolicy, ConfigError> {
        self.find(2, id, ResponseHeadersPolicy::managed, response_headers::policy)
    }

    fn find<P>(
        &self,
        kind: usize,
        id: &Item<'_>,
        managed: fn(&str) -> Option<P>,
        read: fn(&Item<'_>) -> Result<P, ConfigError>,
    ) -> Result<P, ConfigError> {
        let name = id.text()?;
        if let Some(policy) = managed(&name) {
            return Ok(policy);
        }
        let policy = self.0[kind].get(&name).ok_or_else(|| {
            id.error(format!("{name} is not a known managed policy; add it to {}", SECTIONS[kind]))
        })?;
        read(policy)
    }
}

fn unwrapped(item: Item<'_>, kind: usize) -> Result<Item<'_>, ConfigError> {
    let object = item.object()?;
    match object.get(WRAPPERS[kind]).or_else(|| object.get(CONFIGS[kind])) {
        Some(inner) => unwrapped(inner, kind),
        None => Ok(item),
    }
}

fn cache_policy(item: &Item<'_>) -> Result<CachePolicy, ConfigError> {
    let config = item.object()?;
    config.ignore(&["Name", "Comment"]);
    let min_ttl = config.require("MinTTL")?.number()?;
    let default_ttl = config.number("DefaultTTL")?.unwrap_or(86_400).max(min_ttl);
    let max_ttl = config.number("MaxTTL")?.unwrap_or(31_536_000).max(default_ttl);
    let mut policy = CachePolicy::with_ttls(min_ttl, default_ttl, max_ttl);
    if let Some(key) = config.get("ParametersInCacheKeyAndForwardedToOrigin") {
        let key = key.object()?;
        policy.gzip = key.flag("EnableAcceptEncodingGzip")?;
        policy.brotli = key.flag("EnableAcceptEncodingBrotli")?;
        if let Some(headers) = key.get("HeadersConfig") {
            policy.headers = selection(&headers, "HeaderBehavior", "Headers", &["none", "whitelist"])?;
            note_unknown(&headers, policy.headers.names());
        }
        policy.cookies = cookies(&key)?;
        policy.query = query(&key)?;
        key.finish();
    }
    config.finish();
    Ok(policy)
}

fn origin_request_policy(item: &Item<'_>) -> Result<OriginRequestPolicy, ConfigError> {
    let config = item.object()?;
    config.ignore(&["Name", "Comment"]);
    let mut policy =
        OriginRequestPolicy { cookies: cookies(&config)?, query: query(&config)?, ..Default::default() };
    if let Some(headers) = config.get("HeadersConfig") {
        let words = ["none", "whitelist", "allViewer", "allViewerAndWhitelistCloudFront", "allExcept"];
        let selected = selection(&headers, "HeaderBehavior", "Headers", &words)?;
        let behavior = headers.field("HeaderBehavior")?.text()?;
        note_unknown(&headers, selected.names());
        if behavior == "allViewerAndWhitelistCloudFront" {
            policy.cloudfront_headers = selected.names().to_vec();
            policy.headers = Selection::All;
        } else {
            policy.headers = selected;
        }
    }
    config.finish();
    Ok(policy)
}

fn cookies(config: &Object) -> Result<Selection, ConfigError> {
    part(config, "CookiesConfig", "CookieBehavior", "Cookies")
}

fn query(config: &Object) -> Result<Selection, ConfigError> {
    part(config, "QueryStringsConfig", "QueryStringBehavior", "QueryStrings")
}

fn part(config: &Object, key: &str, behavior: &str, names: &str) -> Result<Selection, ConfigError> {
    let Some(part) = config.get(key) else { return Ok(Selection::None) };
    selection(&part, behavior, names, &["none", "whitelist", "allExcept", "all"])
}

fn selection(item: &Item, behavior: &str, names: &str, words: &[&str]) -> Result<Selection, ConfigError> {
    let object = item.object()?;
    let behavior = object.require(behavior)?;
    let (word, names) = (behavior.text()?, object.texts(names)?);
    object.finish();
    if !words.contains(&word.as_str()) {
        return Err(behavior.error(format!("must be one of {}", words.join(", "))));
    }
    Ok(match word.as_str() {
        "all" | "allViewer" => Selection::All,
        "allExcept" => Selection::AllBut(names),
        "whitelist" | "allViewerAndWhitelistCloudFront" => Selection::Only(names),
        _ => Selection::None,
    })
}

/// Most of CloudFront's headers have values that are not available on a local machine.
fn note_unknown(item: &Item, names: &[String]) {
    let is_simulated = |name: &str| OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(name));
    for name in names {
        if name.to_ascii_lowercase().starts_with("cloudfront-") && !is_simulated(name) {
            item.record_not_simulated(&format!("{name} is not simulated"));
        }
    }
}
