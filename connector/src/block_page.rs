//! What a blocked visitor sees.

use crate::cloudfront::{GeneratedResponse, Headers};
use shared::{BlockResponse, RequestId, Trigger};

/// What CloudFront takes at most of a generated answer, headers included (CloudFront quotas, "Quotas on Lambda@Edge").
const MAX_VIEWER_BYTES: usize = 40 * 1024;
const MAX_ORIGIN_BYTES: usize = 1024 * 1024;

/// Headers CloudFront refuses with a 502 when a function adds them (developer guide, "Restrictions on edge functions",
/// disallowed headers), and those it sets itself.
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
/// A block answer must never be kept for the next visitor.
const CACHE_HEADERS: &[&str] = &["cache-control", "expires", "pragma"];

/// The node's block answer as CloudFront takes it, or the built-in page when it would not.
pub fn from_node(
    block: Option<BlockResponse>,
    trigger: &Trigger,
    request_id: RequestId,
) -> GeneratedResponse {
    let Some(block) = block else { return built_in(403, request_id) };
    let status = if (200..=599).contains(&block.status) { block.status } else { 403 };
    let headers = block.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let headers = headers.filter(|(name, value)| is_allowed(name, value));
    let answer = generated(status, headers.collect(), block.body);
    let limit = if trigger.is_origin() { MAX_ORIGIN_BYTES } else { MAX_VIEWER_BYTES };
    if answer.bytes() > limit { built_in(status, request_id) } else { answer }
}

/// The page of the connector itself, for blocks that no node decided.
pub fn built_in(status: u16, request_id: RequestId) -> GeneratedResponse {
    let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Request blocked</title>\n\
         <h1>Request blocked</h1>\n<p>This request was stopped for security reasons. If you think it should not \
         have been, tell the site's support this id: <code>{request_id}</code></p>\n</html>\n"
    );
    generated(status, headers, body)
}

fn generated(status: u16, mut headers: Vec<(String, String)>, body: String) -> GeneratedResponse {
    headers.push(("cache-control".to_owned(), "no-store".to_owned()));
    GeneratedResponse {
        status: status.to_string(),
        status_description: if status == 429 { "Too Many Requests" } else { "Forbidden" },
        headers: Headers(headers),
        body,
        body_encoding: "text",
    }
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

    fn block(headers: &[(&str, &str)], body: String) -> BlockResponse {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        BlockResponse { status: 403, headers, body }
    }

    fn id() -> RequestId {
        RequestId::derive("E2EXAMPLE", "id==")
    }

    #[test]
    fn headers_cloudfront_refuses_are_stripped_and_the_answer_is_never_stored() {
        let hostile = [
            ("Content-Type", "text/plain"),
            ("Connection", "close"),
            ("X-Amz-Cf-Id", "x"),
            ("Cache-Control", "max-age=60"),
            ("Expires", "Thu, 01 Dec 2039 16:00:00 GMT"),
            ("X-Split", "a\r\nb: c"),
            ("bad name", "x"),
        ];
        let answer = from_node(Some(block(&hostile, "no".into())), &Trigger::OriginRequest, id());
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
    fn a_page_too_large_for_the_trigger_gives_way_to_the_built_in_one() {
        let page = || Some(block(&[], "x".repeat(MAX_VIEWER_BYTES)));
        assert_eq!(from_node(page(), &Trigger::ViewerRequest, id()), built_in(403, id()));
        assert_eq!(from_node(page(), &Trigger::OriginRequest, id()).body.len(), MAX_VIEWER_BYTES);
    }

    #[test]
    fn a_status_cloudfront_would_refuse_becomes_403() {
        for status in [0, 100, 600] {
            let block = Some(BlockResponse { status, headers: Vec::new(), body: String::new() });
            assert_eq!(from_node(block, &Trigger::ViewerRequest, id()).status, "403");
        }
    }
}
