//! Disallowed and read-only headers: "Restrictions on all edge functions".

use cloudfront_sim::cloudfront::Trigger;
use cloudfront_sim::http1::{Request, Response};

use crate::harness::{Edge, does};

/// One name of each wildcard of the page.
const DISALLOWED: &str = "Connection Expect Keep-Alive Proxy-Authenticate Proxy-Authorization Proxy-Connection Trailer \
    Upgrade X-Accel-Buffering X-Accel-Charset X-Accel-Limit-Rate X-Accel-Redirect X-Amz-Cf-Any X-Amzn-Auth \
    X-Amzn-Cf-Billing X-Amzn-Cf-Id X-Amzn-Cf-Xff X-Amzn-Errortype X-Amzn-Fle-Profile X-Amzn-Header-Count \
    X-Amzn-Header-Order X-Amzn-Lambda-Integration-Tag X-Amzn-RequestId X-Cache X-Edge-Any X-Forwarded-Proto X-Real-IP \
    CloudFront-Viewer-Cert-PEM Client-Cert Client-Cert-Chain";

/// A distribution whose function adds the header named in the query, or removes it if present.
async fn changing(trigger: Trigger, answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Edge {
    let changes = does(
        "
message = response or request
name = request['querystring']
if name in message['headers']:
    del message['headers'][name]
else:
    message['headers'][name] = [{'value': '1'}]
return message",
    )
    .await;
    Edge::before(answer, |config| *config.default_behavior.functions.at_mut(trigger) = changes.at()).await
}

/// Expects an error page that names the header.
async fn is_refused(edge: &Edge, request: Request, name: &str, rule: &str, trigger: Trigger) {
    let response = edge.send(request).await;
    let page = response.body_text();
    assert_eq!(response.status, 502, "{name} at {trigger}");
    let name = name.to_ascii_lowercase();
    assert!(page.contains(&format!("the header {name} is {rule}")), "{name} at {trigger}: {page}");
}

fn request_for(name: &str) -> Request {
    Request::new("GET", format!("/?{}", name.to_ascii_lowercase()), "shop.example.com")
}

#[tokio::test]
async fn no_trigger_may_add_a_disallowed_header() {
    for trigger in Trigger::ALL {
        let edge = changing(trigger, |_| Response::text(200, "")).await;
        for name in DISALLOWED.split_whitespace() {
            is_refused(&edge, request_for(name), name, "disallowed", trigger).await;
        }
        assert_eq!(edge.send(request_for("x-waf-verdict")).await.status, 200, "{trigger}");
    }
}

#[tokio::test]
async fn disallowed_headers_of_viewers_are_not_shown_to_functions() {
    let counts = does(
        "return {'status': '200', 'body': ' '.join(name for name in request['headers'] if name.startswith('x-'))}",
    )
    .await;
    let edge = Edge::start(|config| config.default_behavior.functions.viewer_request = counts.at()).await;
    let names = DISALLOWED.split_whitespace().filter(|name| name.starts_with("X-"));
    let request =
        names.fold(request_for("x"), |request, name| request.header(name, "1")).header("X-Fine", "1");
    assert_eq!(edge.send(request).await.body_text(), "x-fine");
}

#[tokio::test]
async fn read_only_headers_may_not_be_added_at_their_trigger() {
    for (trigger, names) in [
        (Trigger::ViewerRequest, "CDN-Loop Content-Length Transfer-Encoding Via"),
        (
            Trigger::OriginRequest,
            "Accept-Encoding CDN-Loop Content-Length If-Modified-Since If-None-Match If-Range If-Unmodified-Since \
             Transfer-Encoding",
        ),
        (Trigger::OriginResponse, "Transfer-Encoding Via"),
        (Trigger::ViewerResponse, "Warning Via Content-Encoding Transfer-Encoding"),
    ] {
        let edge = changing(trigger, |_| Response::text(200, "")).await;
        for name in names.split_whitespace() {
            is_refused(&edge, request_for(name), name, "read-only", trigger).await;
        }
    }
}

#[tokio::test]
async fn read_only_headers_may_not_be_removed_at_their_trigger() {
    for (trigger, names) in [
        (Trigger::ViewerRequest, "Host Via"),
        (Trigger::OriginRequest, "Accept-Encoding If-None-Match Via"),
        (Trigger::OriginResponse, "Via"),
        (Trigger::ViewerResponse, "Warning Via Content-Length Content-Encoding"),
    ] {
        let answer = |_: &Request| {
            let response = Response::text(200, "x").header("Via", "1.0 origin").header("Warning", "199 x");
            response.header("Content-Encoding", "identity")
        };
        let edge = changing(trigger, answer).await;
        for name in names.split_whitespace() {
            let request = request_for(name).header("Via", "1.0 proxy").header("Accept-Encoding", "gzip");
            is_refused(&edge, request.header("If-None-Match", "x"), name, "read-only", trigger).await;
        }
    }
}

#[tokio::test]
async fn host_is_read_only_for_viewers_and_writable_for_origins() {
    let renames = does("request['headers']['host'] = [{'value': 'other.example'}]\nreturn request").await;
    for (trigger, status) in [(Trigger::ViewerRequest, 502), (Trigger::OriginRequest, 200)] {
        let edge =
            Edge::start(|config| *config.default_behavior.functions.at_mut(trigger) = renames.at()).await;
        assert_eq!(edge.get("/").await.status, status, "{trigger}");
    }
}

#[tokio::test]
async fn viewer_request_may_not_add_the_viewers_country() {
    let edge = changing(Trigger::ViewerRequest, |_| Response::text(200, "")).await;
    is_refused(
        &edge,
        request_for("CloudFront-Viewer-Country"),
        "CloudFront-Viewer-Country",
        "disallowed",
        Trigger::ViewerRequest,
    )
    .await;
    let edge = changing(Trigger::OriginRequest, |_| Response::text(200, "")).await;
    assert_eq!(edge.send(request_for("CloudFront-Viewer-Country")).await.status, 200);
}
