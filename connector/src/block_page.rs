//! What a blocked visitor sees.

use crate::{
    cloudfront::{GeneratedResponse, Headers},
    parameters::BlockParameters,
};
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

/// Who is blocked, as far as it shapes the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Visitor {
    /// A program, not a person: it asked for JSON and for no page.
    wants_json: bool,
    /// The site whose script made the request. Without leave to read the answer, it would see a network error.
    script_origin: Option<String>,
}

impl Visitor {
    pub fn of(headers: &Headers) -> Self {
        let accept = headers.first("accept").unwrap_or_default().to_ascii_lowercase();
        let wants_json = accept.contains("json") && !accept.contains("text/html");
        Self { wants_json, script_origin: headers.first("origin").map(str::to_owned) }
    }
}

/// The answer for a blocked visitor. What the connector's parameters say wins; what they leave open, the node decides; and
/// where CloudFront would refuse the outcome, the built-in page takes its place.
pub fn answer(
    parameters: &BlockParameters,
    node: Option<BlockResponse>,
    visitor: &Visitor,
    trigger: &Trigger,
    request_id: RequestId,
) -> GeneratedResponse {
    let node_status = node.as_ref().map(|block| block.status).filter(|status| (200..=599).contains(status));
    let status = parameters.status.or(node_status).unwrap_or(403);
    let mut answer = content(parameters, node, visitor, status, request_id);
    if let Some(origin) = visitor.script_origin.as_ref().filter(|origin| is_allowed("origin", origin)) {
        answer.headers.0.push(("access-control-allow-origin".to_owned(), origin.clone()));
        answer.headers.0.push(("access-control-allow-credentials".to_owned(), "true".to_owned()));
        answer.headers.0.push(("vary".to_owned(), "origin".to_owned()));
    }
    let limit = if trigger.is_origin() { MAX_ORIGIN_BYTES } else { MAX_VIEWER_BYTES };
    if answer.bytes() > limit { built_in(status, parameters.support.as_deref(), request_id) } else { answer }
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
    generated(status, headers.filter(|(name, value)| is_allowed(name, value)).collect(), block.body)
}

/// The page of the connector itself.
fn built_in(status: u16, support: Option<&str>, request_id: RequestId) -> GeneratedResponse {
    let support = support.unwrap_or("the site's support");
    html(
        status,
        format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Request blocked</title>\n\
             <h1>Request blocked</h1>\n<p>This request was stopped for security reasons. If you think it should not \
             have been, tell {support} this id: <code>{request_id}</code></p>\n</html>\n"
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

    fn answer_to(
        parameters: &BlockParameters,
        node: Option<BlockResponse>,
        trigger: &Trigger,
    ) -> GeneratedResponse {
        answer(parameters, node, &Visitor::default(), trigger, id())
    }

    fn visitor(headers: &[(&str, &str)]) -> Visitor {
        Visitor::of(&Headers(headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()))
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
        let answer =
            answer_to(&BlockParameters::default(), Some(block(&hostile, "no".into())), &OriginRequest);
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
        let none = BlockParameters::default();
        assert_eq!(answer_to(&none, page(), &ViewerRequest), built_in(403, None, id()));
        assert_eq!(answer_to(&none, page(), &OriginRequest).body.len(), MAX_VIEWER_BYTES);
    }

    #[test]
    fn a_status_cloudfront_would_refuse_becomes_403() {
        for status in [0, 100, 600] {
            let block = Some(BlockResponse { status, headers: Vec::new(), body: String::new() });
            assert_eq!(answer_to(&BlockParameters::default(), block, &ViewerRequest).status, "403");
        }
    }

    #[test]
    fn the_parameters_win_over_the_node() {
        let node = || Some(block(&[("content-type", "text/plain")], "of the node".into()));
        let page = BlockParameters {
            status: Some(451),
            page: Some("<p>{{request_id}}</p>".into()),
            ..BlockParameters::default()
        };
        let answer = answer_to(&page, node(), &ViewerRequest);
        assert_eq!((answer.status.as_str(), answer.body), ("451", format!("<p>{}</p>", id())));

        let redirect = BlockParameters {
            redirect: Some("https://www.example.com/no".into()),
            ..BlockParameters::default()
        };
        let answer = answer_to(&redirect, node(), &ViewerRequest);
        assert_eq!(
            (answer.status.as_str(), answer.headers.first("location")),
            ("302", Some("https://www.example.com/no"))
        );
    }

    #[test]
    fn without_a_node_the_built_in_page_names_the_support() {
        let parameters =
            BlockParameters { support: Some("help@example.com".into()), ..BlockParameters::default() };
        let answer = answer_to(&parameters, None, &ViewerRequest);
        assert!(answer.body.contains("help@example.com") && answer.body.contains(&id().to_string()));
    }

    #[test]
    fn programs_get_json_and_scripts_of_other_sites_may_read_it() {
        let parameters = BlockParameters { json: true, ..BlockParameters::default() };
        let ask =
            |headers: &[(&str, &str)]| answer(&parameters, None, &visitor(headers), &ViewerRequest, id());
        let program =
            ask(&[("accept", "application/json, text/plain, */*"), ("origin", "https://app.example.com")]);
        assert_eq!(program.headers.first("content-type"), Some("application/json"));
        assert_eq!(program.headers.first("access-control-allow-origin"), Some("https://app.example.com"));
        assert_eq!(program.body, format!(r#"{{"error":"request blocked","request_id":"{}"}}"#, id()));
        for accept in ["text/html,application/xhtml+xml,application/json;q=0.1", "*/*"] {
            let person = ask(&[("accept", accept)]);
            assert_eq!(person.headers.first("content-type"), Some("text/html; charset=utf-8"), "{accept}");
            assert_eq!(person.headers.first("access-control-allow-origin"), None);
        }
        let split = ask(&[("origin", "https://a\r\nset-cookie: b")]);
        assert_eq!(split.headers.first("access-control-allow-origin"), None);
    }
}
