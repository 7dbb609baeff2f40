//! A request inside the distribution.

use crate::http1::{Body, Headers, Request};

/// The head of the viewer's request with its target split as in events, keeping the viewer's bytes.
#[derive(Debug, Clone)]
pub(super) struct EdgeRequest {
    pub(super) method: String,
    pub(super) path: Vec<u8>,
    /// `None` without a question mark: `/?` and `/` are different targets.
    pub(super) query: Option<Vec<u8>>,
    pub(super) headers: Headers,
    /// Whether it asks to become a WebSocket connection.
    pub(super) is_websocket: bool,
}

impl EdgeRequest {
    /// `None` if the target is neither a path nor an absolute URL.
    pub(super) fn new<B>(request: Request<B>, is_websocket: bool) -> Option<Self> {
        let target = path_and_query(&request.target)?;
        let (path, query) = match target.iter().position(|byte| *byte == b'?') {
            Some(at) => (target[..at].to_vec(), Some(target[at + 1..].to_vec())),
            None => (target.to_vec(), None),
        };
        let Request { method, headers, .. } = request;
        Some(Self { method, path, query, headers, is_websocket })
    }

    pub(super) fn uri(&self) -> String {
        text(&self.path)
    }

    pub(super) fn querystring(&self) -> String {
        self.query.as_deref().map(text).unwrap_or_default()
    }

    /// Sets the `uri` from a function; unchanged text keeps the original bytes.
    pub(super) fn set_uri(&mut self, uri: &str) {
        if uri != self.uri() {
            self.path = uri.as_bytes().to_vec();
        }
    }

    pub(super) fn set_querystring(&mut self, query: &str) {
        if query != self.querystring() {
            self.query = (!query.is_empty()).then(|| query.as_bytes().to_vec());
        }
    }

    pub(super) fn target(&self) -> Vec<u8> {
        match &self.query {
            Some(query) => [self.path.as_slice(), b"?", query].concat(),
            None => self.path.clone(),
        }
    }

    /// "Access the request body": only shown for methods that write.
    pub(super) fn may_carry_a_body(&self) -> bool {
        matches!(self.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS")
    }

    pub(super) fn into_http(self, body: Body) -> Request<Body> {
        Request { target: self.target(), method: self.method, headers: self.headers, body }
    }
}

/// Bytes as text for events. "Restrictions on all edge functions", encoding: UTF-8, else read as
/// ISO-8859-1.
pub(super) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

fn path_and_query(target: &[u8]) -> Option<&[u8]> {
    if target.starts_with(b"/") || target == b"*" {
        return Some(target);
    }
    let scheme =
        [b"http://".as_slice(), b"https://"].into_iter().find(|scheme| target.starts_with(scheme))?;
    let rest = &target[scheme.len()..];
    let path = rest.iter().position(|byte| *byte == b'/');
    Some(path.map_or(b"/".as_slice(), |at| &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &[u8]) -> EdgeRequest {
        EdgeRequest::new(Request::new("GET", target, "a.example"), false).unwrap()
    }

    #[test]
    fn target_is_unchanged_by_splitting() {
        for target in [b"/".as_slice(), b"/?", b"/a?b?c", b"/<\xe9>%2f?q=\xff", b"//x", b"/caf\xc3\xa9?"] {
            let mut request = request(target);
            assert_eq!(request.target(), target);
            let (uri, query) = (request.uri(), request.querystring());
            request.set_uri(&uri);
            request.set_querystring(&query);
            assert_eq!(request.target(), target);
        }
    }

    #[test]
    fn invalid_utf8_is_read_as_latin_1() {
        let request = request(b"/caf\xe9?q=caf\xc3\xa9");
        assert_eq!((request.uri().as_str(), request.querystring().as_str()), ("/café", "q=café"));
    }

    #[test]
    fn an_absolute_url_is_cut_to_its_path() {
        assert_eq!(request(b"http://other.example/a?b").target(), b"/a?b");
        assert_eq!(request(b"https://other.example").target(), b"/");
        assert!(EdgeRequest::new(Request::new("GET", "ftp://x/", "a.example"), false).is_none());
    }
}
