//! In-line inspection: benign requests pass unchanged, attacks are blocked and listed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use cloudfront_sim::{
    cloudfront::{CloudFront, DistributionConfig},
    http1::{Client, Headers, Request},
    origin::{GREETING, Received},
};
use e2e::{
    binaries::Binaries,
    stack::{Mode, Stack, StackOptions, TriggerPair, edge_request_id, expect_status},
};
use futures_util::future::try_join_all;
use serde_json::json;
use tokio::net::TcpListener;

/// Escapes, repeated names and unusual case must arrive unchanged.
const ODD_TARGET: &str = "/caf%C3%A9/a%2Fb//c;v=1?q=a+b%20c&q=2&empty=&flag&u=%7euser";

pub(crate) async fn benign_is_byte_identical(
    binaries: &Binaries,
    trigger: TriggerPair,
) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Block, trigger)).await?;
    let request = || {
        Request::new("GET", ODD_TARGET, "shop.example.com")
            .header("X-Twice", "1")
            .header("x-twice", "Two  words")
    };
    let response = stack.send(request()).await?;
    expect_status(&response, 200)?;
    ensure!(response.body_text() == GREETING, "the origin's body was changed: {}", response.body_text());
    let through_functions = last(&stack)?;

    // The same request through a distribution without functions.
    let bare = CloudFront::start(
        TcpListener::bind(("127.0.0.1", 0)).await?,
        DistributionConfig::new(stack.addresses.origin),
    )?;
    let same = request().header("User-Agent", "curl/8.5.0").header("Accept", "*/*");
    Client::default().send(bare.address(), &same).await?;
    let without_functions = last(&stack)?;

    ensure!(
        through_functions.target == ODD_TARGET.as_bytes(),
        "the target was changed: {through_functions:?}"
    );
    let shape =
        |received: &Received| (received.method.clone(), received.target.clone(), received.body.clone());
    ensure!(shape(&through_functions) == shape(&without_functions), "the functions changed the request");
    let (with, without) = (comparable(&through_functions.headers), comparable(&without_functions.headers));
    ensure!(with == without, "the functions changed the headers: {with:?} instead of {without:?}");
    ensure!(stack.console_api().hits("").await?.is_empty(), "a benign request left a hit");
    stack.stop().await;
    Ok(())
}

fn last(stack: &Stack) -> anyhow::Result<Received> {
    stack.origin.recorded().pop().context("the origin received no request")
}

/// Headers except those that differ between two distributions.
fn comparable(headers: &Headers) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = headers.0.iter().map(|(name, value)| (text(name), text(value)));
    headers.filter(|(name, _)| !["x-amz-cf-id", "via"].contains(&name.to_lowercase().as_str())).collect()
}

pub(crate) async fn path_traversal_is_blocked(
    binaries: &Binaries,
    trigger: TriggerPair,
) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Block, trigger)).await?;
    let response = stack.get("/etc/passwd").await?;
    expect_status(&response, 403)?;
    ensure!(stack.origin.recorded().is_empty(), "the origin received a blocked request");
    let cache = response.headers.text("Cache-Control");
    ensure!(cache.as_deref() == Some("no-store"), "a block must never be cached: {cache:?}");

    let attack = stack.attack("ptrav", "uri").await?;
    ensure!(attack["status"] == "blocked", "{attack}");
    ensure!(attack["point"] == serde_json::json!([["uri"]]), "{attack}");
    let console = stack.console_api();
    let hits = console.items(&format!("/api/v1/hits?edge_request_id={}", escaped(&response)?)).await?;
    let [hit] = &hits[..] else { anyhow::bail!("one hit of this request, not {hits:?}") };
    ensure!(hit["payload"] == "/etc/passwd" && hit["outcome"] == "blocked", "{hit}");
    let page = console.fetch("/attacks").await?;
    ensure!(page.contains("Path traversal"), "the page does not show the attack: {page}");
    stack.stop().await;
    Ok(())
}

fn escaped(response: &cloudfront_sim::http1::Response) -> anyhow::Result<String> {
    Ok(edge_request_id(response)?.replace('=', "%3D"))
}

pub(crate) async fn monitoring_lets_through(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Monitoring, TriggerPair::Viewer)).await?;
    expect_status(&stack.get("/etc/passwd").await?, 200)?;
    let attack = stack.attack("ptrav", "uri").await?;
    ensure!(attack["status"] == "monitoring", "{attack}");
    stack.stop().await;
    Ok(())
}

pub(crate) async fn testers_are_blocked_in_monitoring(binaries: &Binaries) -> anyhow::Result<()> {
    const SECRET: &str = "the-block-me-secret";
    let parameters = vec![("wlrm_block_me", SECRET.to_owned()), ("wlrm_application", "7".to_owned())];
    let options = StackOptions { parameters, ..StackOptions::new(Mode::Monitoring, TriggerPair::Viewer) };
    let stack = Stack::start(binaries, options).await?;
    let attack = |secret: &str| {
        Request::new("GET", "/etc/passwd", "shop.example.com").header("X-Wallarm-Block-Me", secret)
    };
    expect_status(&stack.send(attack("another's")).await?, 200)?;
    expect_status(&stack.send(attack(SECRET)).await?, 403)?;
    stack.attack("ptrav", "uri").await?;
    stack.all_delivered().await?;
    for hit in stack.console_api().hits("").await? {
        let id = hit["id"].as_str().unwrap_or_default();
        let hit = stack.console_api().get(&format!("/api/v1/hits/{id}")).await?;
        ensure!(!hit.to_string().to_lowercase().contains("block-me"), "the header is in a hit: {hit}");
        ensure!(hit["request"]["connector"]["application"] == 7, "the hit has no application: {hit}");
    }
    stack.stop().await;
    Ok(())
}

pub(crate) async fn exempt_requests_are_counted(binaries: &Binaries) -> anyhow::Result<()> {
    let parameters = vec![("wlrm_bypass_paths", "/static".to_owned())];
    let options = StackOptions { parameters, ..StackOptions::new(Mode::Block, TriggerPair::Viewer) };
    let stack = Stack::start(binaries, options).await?;
    for _ in 0..3 {
        expect_status(&stack.get("/static/app.js?x='+OR+1=1").await?, 200)?;
    }
    for ambiguous in ["/static/..;/?x='+OR+1=1", "/static/%2e%2e/?x='+OR+1=1", "/static//?x='+OR+1=1"] {
        expect_status(&stack.get(ambiguous).await?, 403).context(ambiguous)?;
    }
    reported_as_bypassed(&stack, 3).await?;
    stack.stop().await;
    Ok(())
}

/// Waits until the node counts `count` bypassed requests. An environment reports those it let pass with its next
/// inspected request; the requests sent here, all at once, reach every environment.
async fn reported_as_bypassed(stack: &Stack, count: u64) -> anyhow::Result<()> {
    let counter = "wallarm_gonode_http_connector_server_requests_bypassed_total{reason=\"connector\"}";
    let line = format!("{counter} {count}\n");
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let metrics =
            Client::default().send(stack.addresses.metrics, &Request::new("GET", "/metrics", "node")).await?;
        if metrics.body_text().contains(&line) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the metrics lack {line}: {}", metrics.body_text());
        try_join_all((0..4).map(|_| stack.get("/"))).await?;
    }
}

pub(crate) async fn unsigned_calls_are_refused(binaries: &Binaries) -> anyhow::Result<()> {
    let options = StackOptions { signed: true, ..StackOptions::new(Mode::Block, TriggerPair::Viewer) };
    let stack = Stack::start(binaries, options).await?;
    expect_status(&stack.get("/etc/passwd").await?, 403)?;
    stack.attack("ptrav", "uri").await?;
    let unsigned = Request::new("POST", "/v1/inspect/request", "node")
        .header("Content-Type", "application/json")
        .with_body(r#"{"client_ip":"::1","method":"GET","host":"h","path":"/"}"#);
    expect_status(&Client::default().send(stack.addresses.node, &unsigned).await?, 401)?;
    stack.stop().await;
    Ok(())
}

/// A connector may send any text: the node cuts what the console would reject.
pub(crate) async fn long_texts_are_listed(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Block, TriggerPair::Viewer)).await?;
    let long = |length: usize| "x".repeat(length);
    let connector = json!({ "kind": long(5000), "version": long(5000), "edge_request_id": "a\nb" });
    let headers = vec![["a", "b"]; 9000];
    for more in [
        json!({ "connector": connector }),
        json!({ "headers": headers }),
        json!({ "host": long(3000) }),
        json!({ "method": long(3000), "scheme": "ht\ntp" }),
        json!({ "query": long(100_000) }),
    ] {
        let mut message = json!({ "client_ip": "::1", "method": "GET", "host": "h", "path": "/etc/passwd" });
        for (key, value) in more.as_object().into_iter().flatten() {
            message[key] = value.clone();
        }
        let call = Request::new("POST", "/v1/inspect/request", "node")
            .header("Content-Type", "application/json")
            .with_body(message.to_string());
        expect_status(&Client::default().send(stack.addresses.node, &call).await?, 200)?;
    }
    stack.all_delivered().await?;
    let listed = stack.console_api().hits("").await?.len();
    ensure!(listed == 5, "{listed} of 5 hits are listed");
    stack.stop().await;
    Ok(())
}

pub(crate) async fn sql_injection_is_found_at_its_parameter(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Block, TriggerPair::Viewer)).await?;
    expect_status(&stack.get("/?x='+OR+1=1").await?, 403)?;
    let attack = stack.attack("sqli", "get > x").await?;
    ensure!(attack["payload"] == "' OR 1=1", "{attack}");
    stack.stop().await;
    Ok(())
}

pub(crate) async fn xss_is_found_in_bodies(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Block, TriggerPair::Viewer)).await?;
    let bodies = [
        (
            "application/x-www-form-urlencoded",
            "a=1&bio=%3Cscript%3Ealert(1)%3C/script%3E",
            "post > form_urlencoded:bio",
        ),
        (
            "application/json",
            r#"{"user":{"bio":"\u003cscript>alert(1)</script>"}}"#,
            "post > json_doc > hash:user > hash:bio",
        ),
        (
            "multipart/form-data; boundary=XX",
            "--XX\r\nContent-Disposition: form-data; name=\"bio\"\r\n\r\n<script>alert(1)</script>\r\n--XX--\r\n",
            "post > multipart:bio",
        ),
    ];
    for (content_type, body, parameter) in bodies {
        let response = stack.post("/profile", content_type, body).await?;
        expect_status(&response, 403).context(content_type)?;
        stack.attack("xss", parameter).await?;
    }
    let benign = stack
        .post("/profile", "application/json", r#"{"user":{"bio":"I <3 O'Brien's <b>bold</b> select menu"}}"#)
        .await?;
    expect_status(&benign, 200)?;
    stack.stop().await;
    Ok(())
}
