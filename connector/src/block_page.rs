//! Block page: the response to a blocked request.

use crate::{
    cloudfront::{GeneratedResponse, Headers},
    parameters::BlockParameters,
};
use shared::{BlockResponse, RequestId, Trigger};

/// Limits for generated responses, headers included (CloudFront quotas, "Quotas on Lambda@Edge").
const MAX_VIEWER_BYTES: usize = 40 * 1024;
const MAX_ORIGIN_BYTES: usize = 1024 * 1024;

/// Headers that a function must not add (a 502; developer guide, "Restrictions on edge functions",
/// disallowed headers), and headers that CloudFront sets.
const FORBIDDEN_HEADERS: &[&str] = &[
    "cdn-loop",
    "client-cert",
    "client-cert-chain",
    "cloudfront-viewer-cert-pem",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    // The next page is a parameter; cookies belong to the site.
    "location",
    "refresh",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
    "x-cache",
    "x-forwarded-proto",
    "x-real-ip",
];
const FORBIDDEN_PREFIXES: &[&str] = &["x-accel-", "x-amz-cf-", "x-amzn-", "x-edge-"];
/// A block must never be cached.
const CACHE_HEADERS: &[&str] = &["cache-control", "expires", "pragma"];

/// Properties of the visitor that affect the response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visitor {
    /// The client accepts JSON and no HTML.
    wants_json: bool,
    /// The origin of a cross-origin script, which may read the response only with CORS headers.
    script_origin: Option<String>,
}

impl Visitor {
    pub fn of(headers: &Headers) -> Self {
        let accept = headers.first("accept").unwrap_or_default().to_ascii_lowercase();
        let wants_json = accept.contains("json") && !accept.contains("text/html");
        Self { wants_json, script_origin: headers.first("origin").map(str::to_owned) }
    }
}

/// The response to a blocked request. The connector's parameters take precedence over the node's
/// block page; the built-in page replaces a response that CloudFront would reject.
pub fn response(
    parameters: &BlockParameters,
    node: Option<BlockResponse>,
    visitor: &Visitor,
    trigger: &Trigger,
    request_id: RequestId,
) -> GeneratedResponse {
    let node_status = node.as_ref().map(|block| block.status).filter(|status| (400..=599).contains(status));
    let status = parameters.status.or(node_status).unwrap_or(403);
    let mut response = content(parameters, node, visitor, status, request_id);
    if let Some(origin) = visitor.script_origin.as_ref().filter(|origin| is_allowed("origin", origin)) {
        response.headers.0.push(("access-control-allow-origin".to_owned(), origin.clone()));
        response.headers.0.push(("access-control-allow-credentials".to_owned(), "true".to_owned()));
        response.headers.0.push(("vary".to_owned(), "origin".to_owned()));
    }
    let limit = if trigger.is_origin() { MAX_ORIGIN_BYTES } else { MAX_VIEWER_BYTES };
    if response.bytes() > limit {
        built_in(status, parameters.support.as_deref(), request_id)
    } else {
        response
    }
}

fn content(
    parameters: &BlockParameters,
    node: Option<BlockResponse>,
    visitor: &Visitor,
    status: u16,
    request_id: RequestId,
) -> GeneratedResponse {
    if parameters.json && visitor.wants_json {
        return json(status, parameters.support.as_deref(), request_id);
    }
    if let Some(url) = &parameters.redirect {
        return generated(302, vec![("location".to_owned(), url.clone())], String::new());
    }
    if let Some(page) = &parameters.page {
        return html(status, page.replace("{{request_id}}", &request_id.to_string()));
    }
    let Some(block) = node else { return built_in(status, parameters.support.as_deref(), request_id) };
    let headers = block.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let headers: Vec<_> = headers.collect();
    let hops = named_by_connection(&headers);
    let kept = headers.into_iter().filter(|(name, value)| is_allowed(name, value) && !hops.contains(name));
    generated(status, kept.collect(), block.body)
}

/// The built-in page.
fn built_in(status: u16, support: Option<&str>, request_id: RequestId) -> GeneratedResponse {
    let support = support.unwrap_or("the site's support");
    html(
        status,
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Request blocked</title>\n\
             <h1>Request blocked</h1>\n<p>This request was blocked for security reasons. If you think this is a \
             mistake, send this id to {support}: <code>{request_id}</code></p>\n</html>\n"
        ),
    )
}

fn html(status: u16, body: String) -> GeneratedResponse {
    generated(status, vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())], body)
}

fn json(status: u16, support: Option<&str>, request_id: RequestId) -> GeneratedResponse {
    let mut body = serde_json::json!({ "error": "request blocked", "request_id": request_id });
    if let Some(support) = support {
        body["support"] = support.into();
    }
    generated(status, vec![("content-type".to_owned(), "application/json".to_owned())], body.to_string())
}

fn generated(status: u16, mut headers: Vec<(String, String)>, body: String) -> GeneratedResponse {
    headers.push(("cache-control".to_owned(), "no-store".to_owned()));
    let status_description =
        hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    GeneratedResponse {
        status: status.to_string(),
        status_description: status_description.unwrap_or("Blocked"),
        headers: Headers(headers),
        body,
        body_encoding: "text",
    }
}

/// The headers that `Connection` names belong to one connection (RFC 9110, section 7.6.1).
fn named_by_connection(headers: &[(String, String)]) -> Vec<String> {
    let values = headers.iter().filter(|(name, _)| name == "connection").map(|(_, value)| value);
    values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect()
}

fn is_allowed(name: &str, value: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(token)
        && !value.contains(['\r', '\n', '\0'])
        && !CACHE_HEADERS.contains(&name)
        && !FORBIDDEN_HEADERS.contains(&name)
        && !FORBIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Trigger::{OriginRequest, ViewerRequest};

    fn block(headers: &[(&str, &str)], body: String) -> BlockResponse {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        BlockResponse { status: 403, headers, body }
    }

    fn id() -> RequestId {
        RequestId::derive("E2EXAMPLE", "id==")
    }

    fn response_to(
        parameters: &BlockParameters,
        node: Option<BlockResponse>,
        trigger: &Trigger,
    ) -> GeneratedResponse {
        response(parameters, node, &Visitor::default(), trigger, id())
    }

    fn visitor(headers: &[(&str, &str)]) -> Visitor {
        Visitor::of(&Headers(headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()))
    }

    #[test]
    fn strips_disallowed_headers_and_forbids_caching() {
        let hostile = [
            ("Content-Type", "text/plain"),
            ("Set-Cookie", "session=chosen"),
            ("Location", "https://elsewhere.example.com/"),
            ("Refresh", "0; url=https://elsewhere.example.com/"),
            // Connection headers (RFC 9110, section 7.6.1), and one that `Connection` names.
            ("Connection", "close, X-Hop"),
            ("X-Hop", "x"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Authenticate", "Basic"),
            ("Proxy-Authorization", "Basic x"),
            ("Proxy-Connection", "close"),
            ("TE", "trailers"),
            ("Trailer", "expires"),
            ("Transfer-Encoding", "chunked"),
            ("Upgrade", "h2c"),
            ("X-Amz-Cf-Id", "x"),
            ("Cache-Control", "max-age=60"),
            ("Expires", "Thu, 01 Dec 2039 16:00:00 GMT"),
            ("X-Split", "a\r\nb: c"),
            ("bad name", "x"),
        ];
        let answer =
            response_to(&BlockParameters::default(), Some(block(&hostile, "no".into())), &OriginRequest);
        insta::assert_json_snapshot!(answer, @r#"
        {
          "status": "403",
          "statusDescription": "Forbidden",
          "headers": {
            "content-type": [
              {
                "key": "content-type",
                "value": "text/plain"
              }
            ],
            "cache-control": [
              {
                "key": "cache-control",
                "value": "no-store"
              }
            ]
          },
          "body": "no",
          "bodyEncoding": "text"
        }
        "#);
    }

    #[test]
    fn replaces_a_page_too_large_for_the_trigger_by_the_built_in_page() {
        let page = || Some(block(&[], "x".repeat(MAX_VIEWER_BYTES)));
        let none = BlockParameters::default();
        assert_eq!(response_to(&none, page(), &ViewerRequest), built_in(403, None, id()));
        assert_eq!(response_to(&none, page(), &OriginRequest).body.len(), MAX_VIEWER_BYTES);
    }

    #[test]
    fn replaces_a_status_that_is_no_error_by_403() {
        for status in [0, 100, 101, 200, 204, 206, 299, 301, 302, 304, 307, 399, 600, 999] {
            let block = Some(BlockResponse { status, headers: Vec::new(), body: String::new() });
            assert_eq!(response_to(&BlockParameters::default(), block, &ViewerRequest).status, "403");
        }
        for status in [400_u16, 429, 503, 599] {
            let block = Some(BlockResponse { status, headers: Vec::new(), body: String::new() });
            let answer = response_to(&BlockParameters::default(), block, &ViewerRequest);
            assert_eq!(answer.status, status.to_string());
        }
    }

    #[test]
    fn parameters_take_precedence_over_the_node() {
        let node = || Some(block(&[("content-type", "text/plain")], "of the node".into()));
        let page = BlockParameters {
            status: Some(451),
            page: Some("<p>{{request_id}}</p>".into()),
            ..BlockParameters::default()
        };
        let answer = response_to(&page, node(), &ViewerRequest);
        assert_eq!((answer.status.as_str(), answer.body), ("451", format!("<p>{}</p>", id())));

        let redirect = BlockParameters {
            redirect: Some("https://www.example.com/no".into()),
            ..BlockParameters::default()
        };
        let answer = response_to(&redirect, node(), &ViewerRequest);
        assert_eq!(
            (answer.status.as_str(), answer.headers.first("location")),
            ("302", Some("https://www.example.com/no"))
        );
    }

    #[test]
    fn the_built_in_page_contains_the_support_contact() {
        let parameters =
            BlockParameters { support: Some("help@example.com".into()), ..BlockParameters::default() };
        let answer = response_to(&parameters, None, &ViewerRequest);
        assert!(answer.body.contains("help@example.com") && answer.body.contains(&id().to_string()));
    }

    #[test]
    fn answers_json_clients_in_json_with_cors_headers() {
        let parameters = BlockParameters { json: true, ..BlockParameters::default() };
        let reply =
            |headers: &[(&str, &str)]| response(&parameters, None, &visitor(headers), &ViewerRequest, id());
        let program =
            reply(&[("accept", "application/json, text/plain, */*"), ("origin", "https://app.example.com")]);
        assert_eq!(program.headers.first("content-type"), Some("application/json"));
        assert_eq!(program.headers.first("access-control-allow-origin"), Some("https://app.example.com"));
        assert_eq!(program.body, format!(r#"{{"error":"request blocked","request_id":"{}"}}"#, id()));
        for accept in ["text/html,application/xhtml+xml,application/json;q=0.1", "*/*"] {
            let page = reply(&[("accept", accept)]);
            assert_eq!(page.headers.first("content-type"), Some("text/html; charset=utf-8"), "{accept}");
            assert_eq!(page.headers.first("access-control-allow-origin"), None);
        }
        let split = reply(&[("origin", "https://a\r\nset-cookie: b")]);
        assert_eq!(split.headers.first("access-control-allow-origin"), None);
    }
}
