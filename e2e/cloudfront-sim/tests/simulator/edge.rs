//! Results of functions at the four triggers.

use std::time::Duration;

use cloudfront_sim::cloudfront::{OriginRequestPolicy, Selection, Trigger};
use cloudfront_sim::http1::{Request, Response};
use cloudfront_sim::origin::GREETING;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Edge, TestFunction, configured, count, does, function};

/// Returns the request or the response unchanged.
const HANDS_ON: &str = "
def lambda_handler(event, context):
    cf = event['Records'][0]['cf']
    return cf.get('response') or cf['request']";

async fn with(trigger: Trigger, function: &TestFunction) -> Edge {
    Edge::start(|config| *config.default_behavior.functions.at_mut(trigger) = function.at()).await
}

fn x_cache(response: &Response) -> String {
    response.headers.text("x-cache").unwrap()
}

#[tokio::test]
async fn without_functions_the_origin_responds() {
    let edge = Edge::start(|_| {}).await;
    let response = edge.get("/").await;
    assert_eq!((response.status, response.body_text().as_str()), (200, GREETING));
    assert_eq!(x_cache(&response), "Miss from cloudfront");
    assert_eq!(edge.get("/status/404").await.status, 404);
    assert_eq!(edge.send(Request::new("HEAD", "/", "a.example")).await.body, b"");
}

#[tokio::test]
async fn unchanged_parts_reach_the_origin_byte_for_byte() {
    let hands_on = function(HANDS_ON).await;
    for trigger in [Trigger::ViewerRequest, Trigger::OriginRequest] {
        let edge = with(trigger, &hands_on).await;
        let target = b"/<p>%2f%2F\\caf\xc3\xa9\xe9`{|}?q='%20or\"1\"=\xff&&?#x".to_vec();
        let body: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let request = Request::new("POST", target.clone(), "shop.example.com")
            .header("X-Dup", "1")
            .header("x-dup", b"caf\xe9")
            .header("Cookie", "a=1; b='--")
            .with_body(body.clone());
        assert_eq!(edge.send(request).await.status, 200);
        let received = edge.origin.recorded().pop().unwrap();
        assert_eq!((received.target, received.body), (target, body));
        let fields = received.headers.0;
        for (name, value) in [("X-Dup", b"1".as_slice()), ("x-dup", b"caf\xe9"), ("Cookie", b"a=1; b='--")] {
            assert!(fields.contains(&(name.into(), value.into())), "{name} at {trigger}");
        }
    }
}

#[tokio::test]
async fn origin_receives_cloudfronts_headers() {
    let edge = Edge::start(|_| {}).await;
    let chunked = b"POST / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: 1.2.3.4\r\nX-Real-IP: 6\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let mut visitor = TcpStream::connect(edge.cloudfront.address()).await.unwrap();
    visitor.write_all(chunked).await.unwrap();
    let mut response = String::new();
    visitor.read_to_string(&mut response).await.unwrap();
    let headers = edge.origin.recorded().pop().unwrap().headers;
    assert_eq!(headers.text("host").unwrap(), "origin.example.com");
    assert_eq!(headers.text("x-forwarded-for").unwrap(), "1.2.3.4, 127.0.0.1");
    assert_eq!(headers.text("transfer-encoding").unwrap(), "chunked");
    assert!(headers.text("via").unwrap().ends_with(".cloudfront.net (CloudFront)"));
    let id = headers.text("x-amz-cf-id").unwrap();
    assert!(response.contains(&format!("X-Amz-Cf-Id: {id}\r\n")), "{response}");
    assert!(!headers.has("x-real-ip") && !headers.has("content-length"));

    let edge = Edge::start(|config| {
        let headers = Selection::only(&["Host"]);
        config.default_behavior.origin_request =
            OriginRequestPolicy { headers, ..OriginRequestPolicy::default() };
    })
    .await;
    edge.send(Request::new("GET", "/", "a.example").header("User-Agent", "curl").header("Cookie", "a=1"))
        .await;
    let headers = edge.origin.recorded().pop().unwrap().headers;
    assert_eq!(headers.text("host").unwrap(), "a.example");
    assert_eq!(headers.text("user-agent").unwrap(), "Amazon CloudFront");
    assert!(!headers.has("cookie"));
}

#[tokio::test]
async fn a_block_page_never_reaches_the_origin() {
    let block = "return {'status': '403', 'statusDescription': 'No', 'body': 'blocked', 'headers': {'x-why': [{'value': 'sqli'}]}}";
    let blocks = does(block).await;
    let passes = does("return response").await;
    for trigger in [Trigger::ViewerRequest, Trigger::OriginRequest] {
        let edge = Edge::start(|config| {
            let at = blocks.at();
            match trigger {
                Trigger::ViewerRequest => config.default_behavior.functions.viewer_request = at,
                _ => config.default_behavior.functions.origin_request = at,
            }
            config.default_behavior.functions.origin_response = passes.at();
            config.default_behavior.functions.viewer_response = passes.at();
        })
        .await;
        let response = edge.get("/?q=1'or'1").await;
        assert_eq!((response.status, response.reason.as_str()), (403, "No"));
        assert_eq!(
            (response.body_text().as_str(), response.headers.text("X-Why").unwrap().as_str()),
            ("blocked", "sqli")
        );
        assert_eq!(x_cache(&response), "LambdaGeneratedResponse from cloudfront");
        assert!(edge.origin.recorded().is_empty());
    }
    // Neither response trigger runs for it.
    assert!(passes.log().entries().is_empty());
}

#[tokio::test]
async fn generated_page_below_400_runs_viewer_response_only_from_origin_request() {
    let answers = does("return {'status': '200', 'body': 'aGVsbG8=', 'bodyEncoding': 'base64'}").await;
    let marks = does("response['headers']['x-seen'] = [{'value': '1'}]\nreturn response").await;
    for (trigger, seen) in [(Trigger::ViewerRequest, false), (Trigger::OriginRequest, true)] {
        let edge = Edge::start(|config| {
            match trigger {
                Trigger::ViewerRequest => config.default_behavior.functions.viewer_request = answers.at(),
                _ => config.default_behavior.functions.origin_request = answers.at(),
            }
            config.default_behavior.functions.viewer_response = marks.at();
        })
        .await;
        let response = edge.get("/").await;
        assert_eq!(
            (response.body_text().as_str(), response.headers.has("x-seen")),
            ("hello", seen),
            "{trigger}"
        );
    }
}

#[tokio::test]
async fn changes_to_the_request_reach_the_origin() {
    let change = "
request['uri'] = '/echo'
request['querystring'] = 'a=é'
request['headers']['x-added'] = [{'value': '1'}]
del request['headers']['x-old']
request['body'].update(action='replace', encoding='text', data='changed')
return request";
    let changes = does(change).await;
    let edge = with(Trigger::ViewerRequest, &changes).await;
    let request = Request::new("POST", "/old?b", "a.example").header("X-Old", "1").with_body("original");
    assert_eq!(edge.send(request).await.status, 200);
    let received = edge.origin.recorded().pop().unwrap();
    assert_eq!(String::from_utf8(received.target).unwrap(), "/echo?a=é");
    assert_eq!(
        (received.body.as_slice(), received.headers.text("content-length").unwrap().as_str()),
        (b"changed".as_slice(), "7")
    );
    assert!(received.headers.has("X-Added") && !received.headers.has("x-old"));
}

#[tokio::test]
async fn replaced_body_has_separate_limits() {
    let replace = |encoding: &str, length: usize| {
        format!(
            "request['body'].update(action='replace', encoding='{encoding}', data='A' * {length})\nreturn request"
        )
    };
    for (trigger, encoding, length, status) in [
        (Trigger::ViewerRequest, "text", 40 * 1024, 200),
        (Trigger::ViewerRequest, "text", 40 * 1024 + 1, 502),
        (Trigger::ViewerRequest, "base64", 54_400, 200),
        (Trigger::ViewerRequest, "base64", 54_480, 502),
        (Trigger::OriginRequest, "text", 1024 * 1024, 200),
        (Trigger::OriginRequest, "text", 1024 * 1024 + 1, 502),
    ] {
        let edge = with(trigger, &does(&replace(encoding, length)).await).await;
        assert_eq!(edge.post("/", "x").await.status, status, "{trigger} {encoding} {length}");
    }
}

#[tokio::test]
async fn origin_response_may_replace_the_page() {
    let replaces = does("response['status'] = '200'\nresponse['body'] = 'sorry'\nreturn response").await;
    let response = with(Trigger::OriginResponse, &replaces).await.get("/status/500").await;
    assert_eq!((response.status, response.body_text().as_str()), (200, "sorry"));
}

#[tokio::test]
async fn response_triggers_change_headers_and_run_as_documented() {
    let marks =
        does("response['headers']['x-seen'] = [{'value': cf['config']['eventType']}]\nreturn response").await;
    for (trigger, target, seen) in [
        (Trigger::OriginResponse, "/", true),
        (Trigger::OriginResponse, "/status/500", true),
        (Trigger::ViewerResponse, "/", true),
        (Trigger::ViewerResponse, "/status/302", true),
        (Trigger::ViewerResponse, "/status/404", false),
    ] {
        let response = with(trigger, &marks).await.get(target).await;
        let expected = seen.then(|| trigger.to_string());
        assert_eq!(response.headers.text("x-seen"), expected, "{trigger} {target}");
    }
}

#[tokio::test]
async fn forbidden_headers_end_in_a_502_that_names_them() {
    let add =
        |name: &str, what: &str| format!("{what}['headers']['{name}'] = [{{'value': 'x'}}]\nreturn {what}");
    for (trigger, lines, named) in [
        (Trigger::ViewerRequest, add("x-edge-thing", "request"), "x-edge-thing"),
        (Trigger::ViewerRequest, add("host", "request"), "host"),
        (Trigger::OriginRequest, add("via", "request"), "via"),
        (Trigger::OriginResponse, add("x-cache", "response"), "x-cache"),
        (Trigger::ViewerResponse, add("content-encoding", "response"), "content-encoding"),
        (
            Trigger::ViewerRequest,
            "return {'status': '403', 'headers': {'connection': [{'value': 'close'}]}}".into(),
            "connection",
        ),
    ] {
        let response = with(trigger, &does(&lines).await).await.get("/").await;
        assert_eq!(
            (response.status, x_cache(&response).as_str()),
            (502, "LambdaValidationError from cloudfront")
        );
        assert!(response.body_text().contains(named), "{}", response.body_text());
    }
}

#[tokio::test]
async fn other_invalid_results_end_in_a_502() {
    for (trigger, lines) in [
        (Trigger::ViewerRequest, "return {'status': '403', 'body': 'x' * 41000}"),
        (Trigger::OriginRequest, "return {'status': '403', 'body': 'x' * (1 << 20 | 1)}"),
        (Trigger::ViewerRequest, "return {'status': 403}"),
        (Trigger::ViewerRequest, "return {'status': '199'}"),
        (Trigger::ViewerRequest, "return {'status': '200', 'body': '%', 'bodyEncoding': 'base64'}"),
        (Trigger::ViewerRequest, "return {'status': '204', 'body': 'x'}"),
        (Trigger::ViewerRequest, "return None"),
        (Trigger::ViewerRequest, "request['method'] = 'PUT'\nreturn request"),
        (Trigger::ViewerRequest, "request['uri'] = '/a b'\nreturn request"),
        (Trigger::ViewerRequest, "request['querystring'] = 'a#b'\nreturn request"),
        (Trigger::ViewerRequest, "request['querystring'] = 'x' * 8192\nreturn request"),
        (Trigger::ViewerRequest, "return {'status': '600'}"),
        (Trigger::OriginRequest, "request['origin'] = {'s3': {}}\nreturn request"),
        (Trigger::ViewerResponse, "response['status'] = '404'\nreturn response"),
    ] {
        let response = with(trigger, &does(lines).await).await.get("/").await;
        assert_eq!(
            (response.status, x_cache(&response).as_str()),
            (502, "LambdaValidationError from cloudfront"),
            "{lines}"
        );
    }
}

#[tokio::test]
async fn generated_responses_have_limits_with_their_headers() {
    // The header has 10 bytes including its name.
    let answer = |body: usize| {
        format!(
            "return {{'status': '403', 'headers': {{'x-a': [{{'value': '1234567'}}]}}, 'body': 'x' * {body}}}"
        )
    };
    for (trigger, limit) in [(Trigger::ViewerRequest, 40 * 1024), (Trigger::OriginRequest, 1024 * 1024)] {
        for (body, status) in [(limit - 10, 403), (limit - 9, 502)] {
            let edge = with(trigger, &does(&answer(body)).await).await;
            assert_eq!(edge.get("/").await.status, status, "{trigger} {body}");
        }
    }
}

#[tokio::test]
async fn origin_events_may_respond_with_one_megabyte() {
    let large = does("return {'status': '403', 'body': 'x' * 1000000}").await;
    assert_eq!(with(Trigger::OriginRequest, &large).await.get("/").await.body.len(), 1_000_000);
}

#[tokio::test]
async fn failing_functions_end_in_a_503_and_the_next_request_works() {
    let source = "
import os, time
def lambda_handler(event, context):
    request = event['Records'][0]['cf']['request']
    if request['uri'] == '/raise': raise ValueError('secret')
    if request['uri'] == '/exit': os._exit(1)
    if request['uri'] == '/hang': time.sleep(60)
    return request";
    let fails = configured(source, |config| config.timeout = Duration::from_millis(700)).await;
    let edge = with(Trigger::ViewerRequest, &fails).await;
    for target in ["/raise", "/exit", "/hang"] {
        let response = edge.get(target).await;
        assert_eq!(
            (response.status, x_cache(&response).as_str()),
            (503, "LambdaExecutionError from cloudfront"),
            "{target}"
        );
        assert!(!response.body_text().contains("secret"));
        assert_eq!(edge.get("/").await.status, 200);
    }
    let broken = function("raise RuntimeError('at import')").await;
    assert_eq!(with(Trigger::ViewerRequest, &broken).await.get("/").await.status, 503);
}

#[tokio::test]
async fn a_throttled_function_ends_in_a_503() {
    let sleeps = configured("import time\ndef lambda_handler(event, context): time.sleep(60)", |config| {
        config.max_environments = 1;
        config.timeout = Duration::from_secs(2);
    })
    .await;
    let edge = std::sync::Arc::new(with(Trigger::ViewerRequest, &sleeps).await);
    let visits = [(); 3].map(|()| {
        let edge = std::sync::Arc::clone(&edge);
        tokio::spawn(async move { edge.get("/").await })
    });
    let mut results = Vec::new();
    for visit in visits {
        let response = visit.await.unwrap();
        assert_eq!(response.status, 503);
        results.push(x_cache(&response));
    }
    assert!(results.contains(&"LambdaLimitExceeded from cloudfront".to_owned()), "{results:?}");
}

#[tokio::test]
async fn one_function_may_serve_two_triggers_and_many_visitors() {
    let both = configured(HANDS_ON, |config| config.max_environments = 3).await;
    let edge = std::sync::Arc::new(
        Edge::start(|config| {
            config.default_behavior.functions.viewer_request = both.at();
            config.default_behavior.functions.origin_response = both.at();
        })
        .await,
    );
    let visits: Vec<_> = (0..20)
        .map(|n| {
            let edge = std::sync::Arc::clone(&edge);
            tokio::spawn(async move { edge.post(&format!("/{n}"), n.to_string()).await.status })
        })
        .collect();
    for visit in visits {
        assert_eq!(visit.await.unwrap(), 200);
    }
    assert_eq!(edge.origin.recorded().len(), 20);
    assert!(count(both.log(), |event| *event == cloudfront_sim::lambda::LogEvent::Started) <= 3);
}

#[tokio::test]
async fn invalid_requests_reach_neither_function_nor_origin() {
    let hands_on = function(HANDS_ON).await;
    let edge = with(Trigger::ViewerRequest, &hands_on).await;
    let long = "x".repeat(8_200);
    for (status, request) in [
        (414, Request::new("GET", format!("/{long}"), "a")),
        (494, Request::new("GET", "/", "a").header("X-A", &long).header("X-B", &long).header("X-C", &long)),
        (403, Request::new("TRACE", "/", "a")),
        (403, Request::new("GET", "/", "a").with_body("x")),
        (400, Request::new("GET", "/", "a").header("Host", "b")),
        (400, Request::new("GET", "nonsense", "a")),
    ] {
        let response = edge.send(request).await;
        assert_eq!((response.status, x_cache(&response).as_str()), (status, "Error from cloudfront"));
    }
    assert!(edge.origin.recorded().is_empty() && hands_on.log().entries().is_empty());
}

#[tokio::test]
async fn a_request_at_the_limits_passes() {
    let edge = Edge::start(|_| {}).await;
    assert_eq!(edge.get(format!("/{}", "x".repeat(8_191))).await.status, 200);
    // `Host: a` and `X-A: …`, names included.
    let request = |length: usize| Request::new("GET", "/", "a").header("X-A", "x".repeat(length));
    assert_eq!(edge.send(request(20_480 - 8)).await.status, 200);
    assert_eq!(edge.send(request(20_480 - 7)).await.status, 494);
}

#[tokio::test]
async fn every_response_has_via_x_cache_and_request_id() {
    let edge = Edge::start(|config| config.default_behavior.allowed_methods = vec!["GET".to_owned()]).await;
    let mut ids = Vec::new();
    for (target, method) in [("/", "GET"), ("/status/500", "GET"), ("/", "POST")] {
        let headers = edge.send(Request::new(method, target, "a.example")).await.headers;
        let via = headers.text("via").unwrap();
        assert!(via.starts_with("1.1 ") && via.ends_with(".cloudfront.net (CloudFront)"), "{via}");
        assert!(headers.has("x-cache") && headers.has("x-amz-cf-pop"));
        ids.push(headers.text("x-amz-cf-id").unwrap());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn unreachable_or_unresponsive_origin_is_a_502_or_504() {
    let unreachable = Edge::start(|config| config.origins[0].address = "127.0.0.1:1".parse().unwrap()).await;
    assert_eq!(unreachable.get("/").await.status, 502);
    let unresponsive = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let unresponsive = Edge::start(|config| {
        config.origins[0].address = unresponsive.local_addr().unwrap();
        config.origins[0].read_timeout = Duration::from_millis(100);
    });
    let response = unresponsive.await.get("/").await;
    assert_eq!((response.status, x_cache(&response).as_str()), (504, "Error from cloudfront"));
}
