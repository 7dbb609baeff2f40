//! Bypass rules: requests that the parameters exempt from inspection.
//!
//! CloudFront, the origin and the programs behind it may parse a path differently. An ambiguous
//! path is never exempt, as an unnecessary inspection costs only a millisecond.

use crate::cloudfront::EventRequest;

/// The requests that are forwarded without inspection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bypass {
    /// Folders or files, without a trailing slash.
    pub paths: Vec<String>,
    pub methods: Vec<String>,
    /// Without the dot.
    pub extensions: Vec<String>,
}

/// Headers that can change the method of a request.
const METHOD_OVERRIDES: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];

impl Bypass {
    /// The rule that exempts this request, if any.
    pub fn rule(&self, request: &EventRequest<'_>) -> Option<&'static str> {
        let overridden = METHOD_OVERRIDES.iter().any(|name| request.headers.first(name).is_some());
        if overridden || !is_plain(&request.uri) {
            return None;
        }
        if self.methods.iter().any(|method| *method == request.method) {
            return Some("method");
        }
        if self.paths.iter().any(|path| is_within(&request.uri, path)) {
            return Some("path");
        }
        self.is_exempt_file(request).then_some("extension")
    }

    /// A static file: no query, no body, and no other dot, which could belong to a program's name.
    fn is_exempt_file(&self, request: &EventRequest<'_>) -> bool {
        let Some((folder, file)) = request.uri.rsplit_once('/') else { return false };
        let Some((_, extension)) = file.rsplit_once('.') else { return false };
        self.extensions.iter().any(|exempt| exempt == extension)
            && matches!(request.method.as_ref(), "GET" | "HEAD")
            && request.querystring.is_empty()
            && !request.has_body()
            && !folder.contains('.')
    }
}

/// Whether all programs parse the same segments: no escapes, no `;`, `?` or backslash, only ASCII,
/// and no segment that is empty or ends with a dot.
pub(crate) fn is_plain(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@+,=:".contains(&byte);
    let Some(segments) = path.strip_prefix('/') else { return false };
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    path == "/"
        || segments
            .split('/')
            .all(|segment| !segment.is_empty() && !segment.ends_with('.') && segment.bytes().all(plain))
}

fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bypass() -> Bypass {
        let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        Bypass {
            paths: list(&["/static", "/health"]),
            methods: list(&["OPTIONS"]),
            extensions: list(&["css", "js"]),
        }
    }

    fn rule(method: &str, uri: &str, query: &str, headers: &[&str]) -> Option<&'static str> {
        let headers: serde_json::Map<_, _> = headers
            .iter()
            .map(|name| ((*name).to_owned(), serde_json::json!([{ "key": name, "value": "9" }])))
            .collect();
        let request = serde_json::json!({ "clientIp": "::1", "method": method, "uri": uri, "querystring": query,
            "headers": headers });
        bypass().rule(&serde_json::from_str(&request.to_string()).unwrap())
    }

    #[test]
    fn exempts_the_configured_paths_methods_and_extensions() {
        for (method, uri, expected) in [
            ("GET", "/static", Some("path")),
            ("POST", "/static/", Some("path")),
            ("GET", "/static/a.php", Some("path")),
            ("OPTIONS", "/api/users", Some("method")),
            ("GET", "/assets/app.min.js", Some("extension")),
            ("HEAD", "/site.css", Some("extension")),
            ("GET", "/staticx", None),
            ("GET", "/api/static", None),
            ("GET", "/STATIC/a", None),
            ("options", "/api", None),
            ("GET", "/site.cssx", None),
            ("GET", "/css", None),
            ("GET", "/", None),
        ] {
            assert_eq!(rule(method, uri, "", &[]), expected, "{method} {uri}");
        }
    }

    #[test]
    fn never_exempts_an_ambiguous_path() {
        for uri in [
            "/static/../api",
            "/static/..;/api",
            "/static;/../api",
            "/static/%2e%2e/api",
            "/static%2f..%2fapi",
            "/static/%2F../api",
            "/static//api",
            "//static/a",
            "/static/..",
            "/static/.",
            "/static/.../api",
            "/static/a.",
            "/static\\..\\api",
            "/static/%5c../api",
            "/static/%252e%252e/api",
            "/static/\u{ff0e}\u{ff0e}/api",
            "/static/a\u{0}b",
            "/static/a\tb",
            "/static/a b",
            "/api/users;a.css",
            "/api/users/%3f.css",
            "/api/users%3fx=.css",
            "/api/users?.css",
            "/api/users%00.css",
            "/api/users%0a.css",
            "/api/users%2f.css",
            "/api//x.css",
            "/api/users.php/x.css",
            "/api/users#.css",
            "*",
            "",
            "static/a",
            "http://h/static/a",
        ] {
            assert_eq!(rule("GET", uri, "", &[]), None, "{uri:?}");
        }
        assert_eq!(rule("OPTIONS", "/a;b", "", &[]), None);
    }

    #[test]
    fn never_exempts_a_file_with_a_query_or_a_body() {
        assert_eq!(rule("GET", "/a.css", "", &[]), Some("extension"));
        assert_eq!(rule("GET", "/a.css", "x=1", &[]), None);
        assert_eq!(rule("POST", "/a.css", "", &[]), None);
        assert_eq!(rule("GET", "/a.css", "", &["content-length"]), None);
        assert_eq!(rule("GET", "/a.css", "", &["transfer-encoding"]), None);
        assert_eq!(rule("OPTIONS", "/a", "", &["x-http-method-override"]), None);
    }

    /// A lenient server: unescapes twice, drops parameters, converts backslashes, resolves dot
    /// segments.
    fn leniently(path: &str) -> String {
        let unescape = |text: &str| {
            let mut out = text.to_owned();
            for (escape, plain) in
                [("%2e", "."), ("%2f", "/"), ("%5c", "\\"), ("%3b", ";"), ("%3f", "?"), ("%25", "%")]
            {
                out = out.replace(escape, plain);
            }
            out
        };
        let path = unescape(&unescape(path)).replace('\\', "/");
        let path = path.split('?').next().unwrap_or_default();
        let mut segments: Vec<&str> = Vec::new();
        for segment in path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()) {
            match segment {
                "" | "." => {}
                ".." => drop(segments.pop()),
                other => segments.push(other),
            }
        }
        format!("/{}", segments.join("/"))
    }

    proptest! {
        #[test]
        fn an_exempt_path_stays_in_its_folder_however_it_is_read(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "static", "api", "a.css", "/", "//", ".", "..", ";", "%2e", "%2f", "%5c", "\\", "%3b", "%3f", "?", "%25", "é",
            ]), 0..8)
        ) {
            let path = format!("/static/{}", pieces.concat());
            if rule("POST", &path, "", &[]) == Some("path") {
                let read = leniently(&path);
                prop_assert!(is_within(&read, "/static"), "{path} may be read as {read}");
            }
        }
    }
}
