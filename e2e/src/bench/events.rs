//! Requests of a shop's visitors: a page, a search, and an order with a body, in turn.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// The trigger of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trigger {
    Request,
    /// The same request at the response trigger, for which the response function has no work.
    Response,
}

/// Number of kinds of requests.
pub(super) const KINDS: u32 = 3;

/// The nth event of a run, in CloudFront's format, with a unique request id.
pub(super) fn event(trigger: Trigger, n: u32) -> Value {
    match n % KINDS {
        0 => get(trigger, n, "/products/walking-boots", ""),
        1 => get(trigger, n, "/search", "q=boots%20size%2042&sort=price&page=2"),
        _ => order(trigger, n),
    }
}

/// An attack that a node in mode `block` blocks.
pub(super) fn attack(n: u32) -> Value {
    get(Trigger::Request, n, "/etc/passwd", "")
}

fn get(trigger: Trigger, n: u32, path: &str, query: &str) -> Value {
    let request = json!({
        "clientIp": "203.0.113.178", "method": "GET", "uri": path, "querystring": query, "headers": headers(&[]),
    });
    wrap(trigger, n, &request)
}

fn order(trigger: Trigger, n: u32) -> Value {
    let items: Vec<_> = (1..=10)
        .map(|item| json!({ "sku": format!("boot-{item:04}"), "count": item, "note": "gift wrap" }))
        .collect();
    let body =
        json!({ "customer": "c-10293", "items": items, "comment": "Leave it with the neighbours, please" });
    let body = body.to_string();
    let length = body.len().to_string();
    let request = json!({
        "clientIp": "2001:db8::7", "method": "POST", "uri": "/api/orders", "querystring": "",
        "headers": headers(&[("Content-Type", "application/json"), ("Content-Length", &length)]),
        "body": {
            "inputTruncated": false, "action": "read-only", "encoding": "base64", "data": BASE64_STANDARD.encode(body),
        },
    });
    wrap(trigger, n, &request)
}

/// The headers of a browser.
fn headers(more: &[(&str, &str)]) -> Value {
    const BROWSER: [(&str, &str); 9] = [
        ("Host", "shop.example.com"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Accept-Language", "en-GB,en;q=0.7,de;q=0.3"),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Referer", "https://shop.example.com/products"),
        ("Cookie", "session=6f1c2a90b7d84e53a1f0c9e27d5b8a46; basket=3; consent=essential"),
        ("CloudFront-Forwarded-Proto", "https"),
        ("X-Forwarded-For", "203.0.113.178"),
    ];
    BROWSER
        .iter()
        .chain(more)
        .map(|(name, value)| (name.to_ascii_lowercase(), json!([{ "key": name, "value": value }])))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn wrap(trigger: Trigger, n: u32, request: &Value) -> Value {
    let event_type = match trigger {
        Trigger::Request => "viewer-request",
        Trigger::Response => "viewer-response",
    };
    let config = json!({
        "distributionDomainName": "d111111abcdef8.cloudfront.net", "distributionId": "EDFDVBD6EXAMPLE",
        "eventType": event_type, "requestId": format!("4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfn{n:010}=="),
    });
    json!({ "Records": [{ "cf": { "config": config, "request": request } }] })
}
