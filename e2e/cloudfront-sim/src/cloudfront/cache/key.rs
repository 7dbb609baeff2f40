//! Cache keys.

use crate::cloudfront::distribution::Behavior;
use crate::cloudfront::forward::{Cookies, accept_encoding, select_cookies, select_query};
use crate::cloudfront::policy::Selection;
use crate::cloudfront::request::{EdgeRequest, text};

/// "Understand the cache key": requests with the same key share a response.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::cloudfront) struct CacheKey {
    method: String,
    /// The path, and the query parameters selected by the policy.
    target: Vec<u8>,
    /// Headers and cookies selected by the policy.
    fields: Vec<(String, Vec<u8>)>,
}

impl CacheKey {
    /// The key of a request after viewer-request, with the function's changes.
    pub(in crate::cloudfront) fn of(behavior: &Behavior, request: &EdgeRequest) -> Self {
        let policy = &behavior.cache;
        let query = request.query.clone().and_then(|query| select_query(&[&policy.query], query));
        let target = match query {
            Some(query) => [request.path.as_slice(), b"?", &query].concat(),
            None => request.path.clone(),
        };
        let mut fields = Vec::new();
        for name in policy.headers.names() {
            let values = request.headers.all(name).map(|value| (name.to_ascii_lowercase(), value.to_vec()));
            fields.extend(values);
        }
        let cookies = match select_cookies(&[&policy.cookies], &request.headers) {
            Cookies::AsSent => request.headers.all("cookie").map(<[u8]>::to_vec).collect(),
            Cookies::None => Vec::new(),
            Cookies::Some(cookies) => vec![cookies],
        };
        fields.extend(cookies.into_iter().map(|value| ("cookie".to_owned(), value)));
        let encoding = accept_encoding(behavior, &request.headers).in_key();
        fields.extend(encoding.map(|value| ("accept-encoding".to_owned(), value.into())));
        Self { method: request.method.clone(), target, fields }
    }

    /// The key of the same request with GET, for a HEAD.
    pub(super) fn as_get(&self) -> Option<Self> {
        (self.method == "HEAD").then(|| Self { method: "GET".to_owned(), ..self.clone() })
    }

    /// Whether an invalidation of this path includes it.
    pub(super) fn is_at(&self, path: &str) -> bool {
        let target = text(&self.target);
        path.strip_suffix('*').map_or(target == path, |beginning| target.starts_with(beginning))
    }

    pub(super) fn len(&self) -> usize {
        let fields = self.fields.iter().map(|(name, value)| name.len() + value.len());
        self.method.len() + self.target.len() + fields.sum::<usize>()
    }
}

/// Whether the key contains this header.
pub(super) fn holds_header(behavior: &Behavior, name: &str) -> bool {
    let policy = &behavior.cache;
    match name.to_ascii_lowercase().as_str() {
        "cookie" => policy.cookies != Selection::None,
        "accept-encoding" => policy.gzip || policy.brotli || policy.headers.takes_header(name),
        name => policy.headers.takes_header(name),
    }
}
