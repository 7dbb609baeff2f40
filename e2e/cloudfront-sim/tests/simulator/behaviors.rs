//! Behaviors: routing, policies, error pages and failover.

use std::time::Duration;

use cloudfront_sim::cloudfront::{
    Behavior, CachePolicy, Cors, ErrorPage, ErrorResponse, Origin, OriginGroup, OriginRequestPolicy,
    PathPattern, PolicyHeader, ResponseHeadersPolicy, Selection, ViewerProtocol,
};
use cloudfront_sim::http1::{Request, Response};
use cloudfront_sim::lambda::{Function, LogEvent};

use crate::harness::{Edge, count, does};

fn greets(_: &Request) -> Response {
    Response::text(200, "hello")
}

fn invocations(function: &Function) -> usize {
    count(function.log(), |event| matches!(event, LogEvent::InvokeStart { .. }))
}

#[tokio::test]
async fn the_first_behavior_whose_pattern_matches_decides() {
    let edge = Edge::before(greets, |config| {
        let with = |header: &str| {
            let mut behavior = Behavior::new("origin");
            let (name, value) = ("X-Behavior".to_owned(), header.to_owned());
            behavior.response_headers.headers.push(PolicyHeader { name, value, overrides: true });
            behavior
        };
        config.behaviors = vec![
            (PathPattern::new("images/*.jpg"), with("pictures")),
            (PathPattern::new("/images/*"), with("images")),
        ];
        config.default_behavior = with("default");
    })
    .await;
    for (target, behavior) in [
        ("/images/a.jpg?x=.gif", "pictures"),
        ("/images/a.gif", "images"),
        ("/IMAGES/a.gif", "default"),
        ("/images/../a.gif", "default"),
        ("//images/a.gif", "images"),
        ("/", "default"),
    ] {
        assert_eq!(edge.get(target).await.headers.text("x-behavior").unwrap(), behavior, "{target}");
    }
    // Matching uses the normalized path; the origin gets the raw one.
    assert!(edge.origin.recorded().iter().any(|received| received.target == b"/images/../a.gif"));
}

#[tokio::test]
async fn plain_http_is_redirected_or_rejected_before_any_function() {
    let function = does("return request").await;
    for (policy, status, x_cache) in [
        (ViewerProtocol::RedirectToHttps, 301, "Redirect from cloudfront"),
        (ViewerProtocol::HttpsOnly, 403, "Error from cloudfront"),
    ] {
        let edge = Edge::before(greets, |config| {
            config.default_behavior.viewer_protocol = policy;
            config.default_behavior.functions.viewer_request = function.at();
            config.default_behavior.functions.viewer_response = function.at();
        })
        .await;
        let response = edge.get("/a?b=<").await;
        assert_eq!((response.status, response.headers.text("x-cache").unwrap().as_str()), (status, x_cache));
        if status == 301 {
            assert_eq!(response.headers.text("location").unwrap(), "https://shop.example.com/a?b=<");
        }
    }
    assert_eq!(invocations(&function), 0);
}

#[tokio::test]
async fn rejects_methods_that_the_behavior_does_not_allow() {
    let edge = Edge::before(greets, |config| {
        config.default_behavior.allowed_methods = vec!["GET".to_owned(), "HEAD".to_owned()];
    })
    .await;
    assert_eq!((edge.get("/").await.status, edge.post("/", "x").await.status), (200, 403));
}

#[tokio::test]
async fn origin_receives_what_both_policies_name() {
    let edge = Edge::before(greets, |config| {
        let behavior = &mut config.default_behavior;
        behavior.cache = CachePolicy {
            headers: Selection::only(&["X-Key"]),
            query: Selection::only(&["page"]),
            gzip: true,
            ..CachePolicy::with_ttls(0, 60, 60)
        };
        behavior.origin_request = OriginRequestPolicy {
            headers: Selection::only(&["X-Extra", "CloudFront-Viewer-Address", "CloudFront-Forwarded-Proto"]),
            cookies: Selection::only(&["session"]),
            query: Selection::only(&["sort"]),
            ..OriginRequestPolicy::default()
        };
        config.origins[0].path = "/v2".to_owned();
        config.origins[0].custom_headers = vec![("X-Secret".to_owned(), "of the origin".to_owned())];
    })
    .await;
    let request = Request::new("GET", "/x?sort=up&page=1&utm=3", "shop.example.com")
        .header("X-Key", "1")
        .header("X-Extra", "2")
        .header("X-Other", "3")
        .header("Accept-Encoding", "gzip, br")
        .header("CloudFront-Viewer-Address", "forged")
        .header("Cookie", "session=s; tracking=t");
    edge.send(request).await;
    let received = edge.origin.recorded().pop().unwrap();
    assert_eq!(received.target, b"/v2/x?sort=up&page=1");
    let text = |name: &str| received.headers.text(name);
    for (name, value) in [
        ("x-key", "1"),
        ("x-extra", "2"),
        ("accept-encoding", "gzip"),
        ("cookie", "session=s"),
        ("x-secret", "of the origin"),
        ("host", "origin.example.com"),
        ("user-agent", "Amazon CloudFront"),
        ("cloudfront-forwarded-proto", "http"),
    ] {
        assert_eq!(text(name).as_deref(), Some(value), "{name}");
    }
    assert!(text("cloudfront-viewer-address").unwrap().starts_with("127.0.0.1:"));
    assert_eq!(text("x-other"), None);
}

#[tokio::test]
async fn a_response_headers_policy_removes_then_adds() {
    let header =
        |name: &str, overrides| PolicyHeader { name: name.to_owned(), value: "policy".to_owned(), overrides };
    let policy = ResponseHeadersPolicy {
        remove: vec!["X-Powered-By".to_owned()],
        cors: Some(Cors {
            origins: vec!["https://*.example.com".to_owned()],
            methods: vec!["PUT".to_owned()],
            credentials: true,
            ..Cors::default()
        }),
        headers: vec![header("X-Mine", true), header("X-Yours", false)],
    };
    let answer = |_: &Request| {
        let response = Response::text(200, "").header("X-Powered-By", "x");
        response.header("X-Mine", "origin").header("X-Yours", "origin")
    };
    let edge = Edge::before(answer, |config| config.default_behavior.response_headers = policy).await;
    let from = |method: &str, origin: &str| Request::new(method, "/", "a.example").header("Origin", origin);
    let plain = edge.get("/").await.headers;
    assert_eq!((plain.has("x-powered-by"), plain.has("access-control-allow-origin")), (false, false));
    assert_eq!(
        (plain.text("x-mine").unwrap(), plain.text("x-yours").unwrap()),
        ("policy".into(), "origin".into())
    );
    let cors = edge.send(from("GET", "https://shop.example.com")).await.headers;
    assert_eq!(cors.text("access-control-allow-origin").unwrap(), "https://shop.example.com");
    assert_eq!(cors.text("access-control-allow-credentials").unwrap(), "true");
    assert!(!cors.has("access-control-allow-methods"));
    let preflight = edge.send(from("OPTIONS", "https://shop.example.com")).await.headers;
    assert_eq!(preflight.text("access-control-allow-methods").unwrap(), "PUT");
    assert!(
        !edge.send(from("GET", "http://shop.example.com")).await.headers.has("access-control-allow-origin")
    );
}

#[tokio::test]
async fn finds_managed_policies_by_id() {
    assert!(ResponseHeadersPolicy::managed("67f7725c-6f97-4210-82d7-5512b31e9d03").is_some());
    assert_eq!(
        OriginRequestPolicy::managed("216adef6-5c7f-47e4-b989-5492eafa07d3").unwrap(),
        OriginRequestPolicy::all_viewer()
    );
    let optimized = CachePolicy::managed("658327ea-f89d-4fab-a63d-7e88639e58f6").unwrap();
    assert_eq!((optimized.min_ttl, optimized.gzip && optimized.brotli), (Duration::from_secs(1), true));
    assert!(CachePolicy::managed("unknown").is_none());
}

#[tokio::test]
async fn default_root_object_applies_to_the_root_only() {
    let edge =
        Edge::before(greets, |config| config.default_root_object = Some("index.html".to_owned())).await;
    edge.get("/?a=1").await;
    edge.get("/sub/").await;
    let targets: Vec<_> = edge.origin.recorded().into_iter().map(|received| received.target).collect();
    assert_eq!(targets, [b"/index.html?a=1".to_vec(), b"/sub/".to_vec()]);
}

#[tokio::test]
async fn custom_error_page_replaces_the_origins_error_and_runs_no_viewer_response() {
    let viewer = does("return response or request").await;
    let pages = |request: &Request| match request.target.as_slice() {
        b"/errors/404.html" => Response::text(200, "sorry"),
        _ => Response::text(404, "raw"),
    };
    let edge = Edge::before(pages, |config| {
        let page = Some(ErrorPage { path: "/errors/404.html".to_owned(), response_code: 200 });
        let caching_min_ttl = Duration::from_secs(30);
        config.error_responses = vec![ErrorResponse { error_code: 404, caching_min_ttl, page }];
        config.default_behavior.cache = CachePolicy::with_ttls(0, 0, 60);
        config.default_behavior.functions.viewer_request = viewer.at();
        config.default_behavior.functions.viewer_response = viewer.at();
    })
    .await;
    for _ in 0..2 {
        let response = edge.get("/gone").await;
        assert_eq!((response.status, response.body_text().as_str()), (200, "sorry"));
    }
    assert_eq!(edge.origin.recorded().len(), 2, "the object and its error page, once each");
    assert_eq!(invocations(&viewer), 2, "viewer-request of two visits");
    edge.clock.advance(Duration::from_secs(30));
    edge.get("/gone").await;
    assert_eq!(edge.origin.recorded().len(), 4);
}

/// Two origins in a group; the first responds with this status or not at all.
async fn with_two_origins(first: Option<u16>, function: &crate::harness::TestFunction) -> (Edge, Edge) {
    let second = Edge::before(|_| Response::text(200, "second"), |_| {}).await;
    let status = first.unwrap_or(200);
    let edge = Edge::before(
        move |_| Response::text(status, "first"),
        |config| {
            let address = second.origin.address();
            config.origins.push(Origin::new("spare", "spare.example.com", address));
            if first.is_none() {
                config.origins[0].address = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
            }
            config.origin_groups = vec![OriginGroup {
                id: "both".to_owned(),
                primary: "origin".to_owned(),
                secondary: "spare".to_owned(),
                status_codes: vec![500, 503],
            }];
            "both".clone_into(&mut config.default_behavior.target);
            config.default_behavior.functions.origin_request = function.at();
            config.default_behavior.functions.origin_response = function.at();
        },
    )
    .await;
    (edge, second)
}

#[tokio::test]
async fn failover_calls_the_second_origin_and_runs_origin_functions_twice() {
    // An unreachable origin has no response for origin-response.
    for (first, body, runs) in
        [(Some(200), "first", 2), (Some(404), "first", 2), (Some(500), "second", 4), (None, "second", 3)]
    {
        let function = does("return response or request").await;
        let (edge, second) = with_two_origins(first, &function).await;
        assert_eq!(edge.get("/").await.body_text(), body, "{first:?}");
        assert_eq!(invocations(&function), runs, "{first:?}");
        if body == "second" {
            assert_eq!(second.origin.recorded()[0].headers.text("host").unwrap(), "spare.example.com");
        }
    }
}

#[tokio::test]
async fn writing_methods_do_not_fail_over() {
    let function = does("return response or request").await;
    let (edge, second) = with_two_origins(Some(500), &function).await;
    assert_eq!(edge.post("/", "x").await.status, 500);
    assert!(second.origin.recorded().is_empty() && invocations(&function) == 2);
}

#[tokio::test]
async fn an_origins_oversized_headers_are_a_502() {
    let large = |_: &Request| Response::text(200, "x").header("X-Large", "x".repeat(20_480));
    assert_eq!(Edge::before(large, |_| {}).await.get("/").await.status, 502);
}
