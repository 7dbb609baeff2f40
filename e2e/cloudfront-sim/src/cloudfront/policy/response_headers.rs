//! Response headers policies, and their application to responses.

use crate::http1::{Headers, Request, Response};

/// Headers removed from and added to every response: "Understand response headers policies".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResponseHeadersPolicy {
    pub remove: Vec<String>,
    pub cors: Option<Cors>,
    /// Custom and security headers alike.
    pub headers: Vec<PolicyHeader>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyHeader {
    pub name: String,
    pub value: String,
    /// Whether it replaces the origin's.
    pub overrides: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cors {
    pub origins: Vec<String>,
    pub methods: Vec<String>,
    pub headers: Vec<String>,
    pub expose: Vec<String>,
    pub max_age: Option<u64>,
    pub credentials: bool,
    pub overrides: bool,
}

/// The request headers a policy reads, before functions change them.
#[derive(Debug, Clone)]
pub(in crate::cloudfront) struct CorsRequest {
    origin: Option<String>,
    is_preflight: bool,
}

impl CorsRequest {
    pub(in crate::cloudfront) fn of<B>(request: &Request<B>) -> Self {
        let is_preflight = request.method == "OPTIONS";
        Self { origin: request.headers.text("origin"), is_preflight }
    }
}

impl ResponseHeadersPolicy {
    /// Removes, then adds.
    pub(in crate::cloudfront) fn apply<B>(&self, request: &CorsRequest, response: &mut Response<B>) {
        for name in &self.remove {
            response.headers.remove(name);
        }
        if let (Some(cors), Some(origin)) = (&self.cors, &request.origin) {
            cors.apply(origin, request.is_preflight, &mut response.headers);
        }
        for header in &self.headers {
            if header.overrides || !response.headers.has(&header.name) {
                response.headers.set(&header.name, &header.value);
            }
        }
    }
}

impl Cors {
    fn apply(&self, origin: &str, is_preflight: bool, headers: &mut Headers) {
        let from_origin = |headers: &Headers| {
            headers.0.iter().any(|(name, _)| name.to_ascii_lowercase().starts_with(b"access-control-"))
        };
        if !self.overrides && from_origin(headers) {
            return;
        }
        let any = self.origins.iter().any(|allowed| allowed == "*");
        if !any && !self.origins.iter().any(|allowed| matches_origin(allowed, origin)) {
            return;
        }
        headers.set("Access-Control-Allow-Origin", if any { "*" } else { origin });
        if self.credentials {
            headers.set("Access-Control-Allow-Credentials", "true");
        }
        let mut list = |name: &str, values: &[String]| {
            if !values.is_empty() {
                headers.set(name, values.join(", "));
            }
        };
        list("Access-Control-Expose-Headers", &self.expose);
        if is_preflight {
            list("Access-Control-Allow-Methods", &self.methods);
            list("Access-Control-Allow-Headers", &self.headers);
            if let Some(seconds) = self.max_age {
                headers.set("Access-Control-Max-Age", seconds.to_string());
            }
        }
    }
}

/// Whether an entry of the list matches an origin. An entry may lack the scheme, and may have `*`
/// as its first label.
fn matches_origin(allowed: &str, origin: &str) -> bool {
    let bare = |text: &str| text.split_once("://").map_or(text.to_owned(), |(_, rest)| rest.to_owned());
    let (host, same_scheme) = match allowed.split_once("://") {
        Some((scheme, host)) => (host.to_owned(), origin.starts_with(&format!("{scheme}://"))),
        None => (allowed.to_owned(), true),
    };
    let origin = bare(origin);
    same_scheme && host.strip_prefix('*').map_or(host == origin, |domain| origin.ends_with(domain))
}
