//! Cache lifetimes of responses.

use std::time::Duration;

use jiff::Timestamp;

use super::key::holds_header;
use crate::cloudfront::distribution::{Behavior, DistributionConfig, ErrorCaching, ErrorResponse};
use crate::cloudfront::policy::CachePolicy;
use crate::http1::Response;

/// "HTTP 4xx and 5xx status codes that CloudFront caches".
const ALWAYS_CACHED: [u16; 7] = [404, 414, 500, 501, 502, 503, 504];
/// "HTTP 4xx and 5xx status codes that CloudFront caches based on Cache-Control headers".
const CACHED_WITH_MAX_AGE: [u16; 5] = [400, 403, 405, 412, 415];
/// "Control how long CloudFront caches errors": statuses whose `no-store` is respected.
const NO_STORE_RESPECTED: [u16; 4] = [404, 410, 414, 501];

/// The caching directives of a response.
#[derive(Debug, Default)]
struct Directives {
    /// `no-cache`, `no-store` or `private`.
    forbidden: bool,
    /// `s-maxage`, or else `max-age`.
    age: Option<Duration>,
    /// From now to `Expires`.
    expires: Option<Duration>,
}

/// Zero means not cached.
pub(in crate::cloudfront) fn lifetime<B>(
    config: &DistributionConfig,
    behavior: &Behavior,
    response: &Response<B>,
    now: Timestamp,
) -> Duration {
    let policy = &behavior.cache;
    // Partial content and 304 are not cached as the object.
    if policy.is_disabled() || matches!(response.status, 206 | 304 | 416) {
        return Duration::ZERO;
    }
    let directives = Directives::of(response, now);
    if response.status < 400 {
        return if varies_with_everything(policy, response) {
            Duration::ZERO
        } else {
            directives.clamped(policy)
        };
    }
    let minimum = config.error_response(response.status);
    let minimum = minimum.map_or(ErrorResponse::DEFAULT_TTL, |error| error.caching_min_ttl);
    if directives.forbidden && NO_STORE_RESPECTED.contains(&response.status) {
        return Duration::ZERO;
    }
    match config.error_caching {
        ErrorCaching::Pessimistic => minimum.max(directives.clamped(policy)),
        ErrorCaching::Documented => {
            let from_headers = directives.age.or(directives.expires).map(|age| age.min(policy.max_ttl));
            let cached = ALWAYS_CACHED.contains(&response.status)
                || (CACHED_WITH_MAX_AGE.contains(&response.status) && directives.age.is_some());
            if cached { minimum.max(from_headers.unwrap_or_default()) } else { Duration::ZERO }
        }
    }
}

/// "Simultaneous requests for the same object": whether waiting requests cannot share the first
/// one's response.
pub(in crate::cloudfront) fn is_never_shared<B>(
    policy: &CachePolicy,
    response: &Response<B>,
    now: Timestamp,
) -> bool {
    let directives = Directives::of(response, now);
    // Waiting requests may have another range or condition.
    if matches!(response.status, 206 | 304) {
        return true;
    }
    policy.min_ttl.is_zero() && (directives.forbidden || directives.age == Some(Duration::ZERO))
}

/// Headers named in `Vary` that are not in the cache key: visitors get responses that vary for
/// others.
pub(in crate::cloudfront) fn vary_outside_key<B>(
    behavior: &Behavior,
    response: &Response<B>,
) -> Option<String> {
    let vary = response.headers.text("vary")?;
    let outside: Vec<_> =
        vary.split(',').map(str::trim).filter(|name| *name != "*" && !holds_header(behavior, name)).collect();
    (!outside.is_empty()).then(|| outside.join(", "))
}

/// "Content negotiation": revalidated each time.
fn varies_with_everything<B>(policy: &CachePolicy, response: &Response<B>) -> bool {
    policy.min_ttl.is_zero() && response.headers.text("vary").is_some_and(|vary| vary.trim() == "*")
}

impl Directives {
    fn of<B>(response: &Response<B>, now: Timestamp) -> Self {
        let mut directives = Self::default();
        let (mut max_age, mut s_maxage) = (None, None);
        for value in response.headers.all("cache-control") {
            let value = String::from_utf8_lossy(value).to_ascii_lowercase();
            for directive in value.split(',').map(str::trim) {
                match directive.split_once('=') {
                    None => directives.forbidden |= matches!(directive, "no-cache" | "no-store" | "private"),
                    Some(("no-cache" | "private", _)) => directives.forbidden = true,
                    Some(("max-age", seconds)) => max_age = max_age.or(parse_seconds(seconds)),
                    Some(("s-maxage", seconds)) => s_maxage = s_maxage.or(parse_seconds(seconds)),
                    Some(_) => {}
                }
            }
        }
        directives.age = s_maxage.or(max_age);
        directives.expires = response.headers.text("expires").map(|date| until(&date, now));
        directives
    }

    /// The table of "Specify the amount of time that CloudFront caches objects".
    fn clamped(&self, policy: &CachePolicy) -> Duration {
        if self.forbidden {
            return policy.min_ttl;
        }
        match self.age.or(self.expires) {
            Some(from_headers) => from_headers.min(policy.max_ttl).max(policy.min_ttl),
            None => policy.default_ttl.max(policy.min_ttl),
        }
    }
}

fn parse_seconds(text: &str) -> Option<Duration> {
    text.trim_matches('"').parse().ok().map(Duration::from_secs)
}

/// An invalid date counts as past.
fn until(date: &str, now: Timestamp) -> Duration {
    let date = jiff::fmt::rfc2822::parse(date).map(|date| date.timestamp());
    date.ok().and_then(|date| date.duration_since(now).try_into().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn seconds(error_caching: ErrorCaching, ttls: [u64; 3], status: u16, headers: &[(&str, &str)]) -> u64 {
        let [min, default, max] = ttls;
        let mut config = DistributionConfig::new(SocketAddr::from(([127, 0, 0, 1], 1)));
        config.error_caching = error_caching;
        config.default_behavior.cache = CachePolicy::with_ttls(min, default, max);
        let mut response = Response::new(status);
        for (name, value) in headers {
            response.headers.push(name, value);
        }
        lifetime(&config, &config.default_behavior, &response, Timestamp::UNIX_EPOCH).as_secs()
    }

    #[test]
    fn lifetimes_follow_the_table_of_aws() {
        let cache_control = |value| ("Cache-Control", value);
        let expires = ("Expires", "Thu, 01 Jan 1970 00:01:00 GMT");
        for (ttls, headers, expected) in [
            ([0, 100, 1000], &[][..], 100),
            ([200, 100, 1000], &[], 200),
            ([0, 100, 1000], &[cache_control("max-age=50")], 50),
            ([0, 100, 1000], &[cache_control("max-age=5000")], 1000),
            ([80, 100, 1000], &[cache_control("max-age=50")], 80),
            ([0, 100, 1000], &[cache_control("max-age=50, s-maxage=70")], 70),
            ([0, 100, 1000], &[expires], 60),
            ([0, 100, 30], &[expires], 30),
            ([90, 100, 1000], &[expires], 90),
            ([0, 100, 1000], &[expires, cache_control("max-age=5")], 5),
            ([0, 100, 1000], &[("Expires", "0")], 0),
            ([0, 100, 1000], &[cache_control("no-store")], 0),
            ([0, 100, 1000], &[cache_control("public"), cache_control("Private, max-age=9")], 0),
            ([7, 100, 1000], &[cache_control("no-cache=\"x\"")], 7),
            ([0, 100, 1000], &[("Vary", "*")], 0),
            ([5, 100, 1000], &[("Vary", "*")], 100),
            ([0, 0, 0], &[cache_control("max-age=50")], 0),
        ] {
            assert_eq!(
                seconds(ErrorCaching::Pessimistic, ttls, 200, headers),
                expected,
                "{ttls:?} {headers:?}"
            );
        }
        assert_eq!(seconds(ErrorCaching::Pessimistic, [1, 9, 9], 206, &[]), 0);
    }

    #[test]
    fn errors_are_cached_by_the_selected_page() {
        use ErrorCaching::{Documented, Pessimistic};
        let (no_store, max_age) = ("no-store", "max-age=60");
        for (status, cache_control, documented, pessimistic) in [
            (404, "", 10, 100),
            (404, no_store, 0, 0),
            (404, max_age, 60, 60),
            (410, no_store, 0, 0),
            (503, no_store, 10, 10),
            (403, "", 0, 100),
            (403, no_store, 0, 10),
            (403, max_age, 60, 60),
            (429, "", 0, 100),
            (429, max_age, 0, 60),
            (416, max_age, 0, 0),
        ] {
            let headers = [("Cache-Control", cache_control)];
            let cached = |how| seconds(how, [0, 100, 1000], status, &headers);
            assert_eq!(
                (cached(Documented), cached(Pessimistic)),
                (documented, pessimistic),
                "{status} {cache_control}"
            );
            assert_eq!(seconds(Pessimistic, [0, 0, 0], status, &headers), 0, "CachingDisabled, {status}");
        }
    }
}
