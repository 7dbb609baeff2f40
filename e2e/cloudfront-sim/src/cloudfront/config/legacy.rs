//! Legacy settings (`ForwardedValues`) of behaviors without policies.

use super::document::{ConfigError, Item, Object};
use crate::cloudfront::policy::{CachePolicy, OriginRequestPolicy, Selection};

/// "Request and response behavior for custom origins": viewer headers not forwarded unless listed.
const REMOVED: [&str; 9] = [
    "Accept",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Host",
    "Referer",
    "User-Agent",
    "X-HTTP-Method-Override",
];

pub(super) fn policies(
    values: &Item<'_>,
    behavior: &Object<'_>,
) -> Result<(CachePolicy, OriginRequestPolicy), ConfigError> {
    let values = values.object()?;
    let min = behavior.number("MinTTL")?.unwrap_or(0);
    let default = behavior.number("DefaultTTL")?.unwrap_or(86_400).max(min);
    let max = behavior.number("MaxTTL")?.unwrap_or(31_536_000).max(default);
    let headers = values.texts("Headers")?;
    let keys = values.texts("QueryStringCacheKeys")?;
    let query = match (values.require("QueryString")?.flag()?, keys.is_empty()) {
        (false, _) => Selection::None,
        (true, true) => Selection::All,
        (true, false) => Selection::Only(keys),
    };
    let cookies = match values.get("Cookies") {
        Some(cookies) => self::cookies(&cookies)?,
        None => Selection::None,
    };
    values.finish();
    let others = Selection::AllBut(REMOVED.map(str::to_owned).to_vec());
    // All headers selected: nothing is cached.
    if headers.iter().any(|name| name == "*") {
        let forwarded = OriginRequestPolicy { cookies, query, ..OriginRequestPolicy::all_viewer() };
        return Ok((CachePolicy::disabled(), forwarded));
    }
    // All parameters are forwarded, whichever are in the key.
    let to_origin = if query == Selection::None { Selection::None } else { Selection::All };
    let forwarded =
        OriginRequestPolicy { headers: others, query: to_origin, ..OriginRequestPolicy::default() };
    let headers = if headers.is_empty() { Selection::None } else { Selection::Only(headers) };
    Ok((CachePolicy { headers, cookies, query, ..CachePolicy::with_ttls(min, default, max) }, forwarded))
}

fn cookies(item: &Item<'_>) -> Result<Selection, ConfigError> {
    let cookies = item.object()?;
    let forward = cookies.require("Forward")?;
    let names = cookies.texts("WhitelistedNames")?;
    match forward.text()?.as_str() {
        "none" => Ok(Selection::None),
        "all" => Ok(Selection::All),
        "whitelist" => Ok(Selection::Only(names)),
        _ => Err(forward.error("must be none, whitelist or all")),
    }
}
