//! Two stages: the request function at viewer-request and origin-request of one behavior.

use anyhow::{Context as _, ensure};
use cloudfront_sim::{
    cloudfront::{Association, CachePolicy, CloudFront, DistributionConfig, Functions, Origin, OriginGroup},
    http1::{Client, Request, Response},
    lambda::{Function, FunctionConfig, LogEvent, silent},
    origin,
};
use e2e::{
    bench::zipped,
    binaries::Binaries,
    stack::{MARK_KEY, Mode, Stack, StackOptions, TriggerPair, expect_status},
};
use std::{fs, sync::Arc};
use tokio::net::TcpListener;

const MARK: &str = "x-wallarm-mark";
const OTHER_KEY: &str = "another-key-of-both-stages-on-one-machine";
/// More than a function at viewer-request sees.
const LONG: usize = 100_000;

async fn both(binaries: &Binaries, mode: Mode) -> anyhow::Result<Stack> {
    // The node is not optimized in tests.
    let parameters = vec![("wlrm_deadline_ms", "4500".to_owned())];
    Stack::start(binaries, StackOptions { parameters, ..StackOptions::new(mode, TriggerPair::Both) }).await
}

/// The request function with these parameters in addition to those of the stack.
pub(crate) async fn request_function(
    stack: &Stack,
    binaries: &Binaries,
    name: &str,
    parameters: &[(&str, &str)],
) -> anyhow::Result<Arc<Function>> {
    let mut all = vec![("wlrm_node_addr", format!("http://{}", stack.addresses.node))];
    all.push(("wlrm_deadline_ms", "4500".to_owned()));
    all.push(("wlrm_origin_deadline_ms", "25000".to_owned()));
    all.extend(parameters.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let bundles = binaries.bundle(&all, &stack.directory().join(format!("bundles-{name}"))).await?;
    let config = FunctionConfig::new(name, bundles.request, stack.python.clone());
    let timeout = std::time::Duration::from_secs(30);
    Ok(Arc::new(Function::start(FunctionConfig { sink: silent(), timeout, ..config }).await?))
}

/// A distribution of the same origin with a function for each stage.
pub(crate) async fn distribution(
    stack: &Stack,
    viewer: Arc<Function>,
    origin: Arc<Function>,
    change: impl FnOnce(&mut DistributionConfig),
) -> anyhow::Result<CloudFront> {
    let mut config = DistributionConfig::new(stack.addresses.origin).with_functions(Functions {
        viewer_request: Some(Association::with_body(viewer)),
        origin_request: Some(Association::with_body(origin)),
        ..Functions::default()
    });
    change(&mut config);
    Ok(CloudFront::start(TcpListener::bind(("127.0.0.1", 0)).await?, config)?)
}

async fn send(cloudfront: &CloudFront, request: Request) -> anyhow::Result<Response> {
    Ok(Client::default().send(cloudfront.address(), &request.header("User-Agent", "curl/8.5.0")).await?)
}

fn post(body: &str) -> Request {
    Request::new("POST", "/api", "shop.example.com")
        .header("Content-Type", "application/json")
        .with_body(body)
}

fn json(attack_at: usize, attack: &str) -> String {
    format!("{{\"text\":\"{}\",\"q\":\"{attack}\"}}", "the words of an order ".repeat(attack_at / 22))
}

/// The calls to the node about requests while `requests` are sent.
async fn calls(stack: &Stack, requests: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<u64> {
    let before = stack.node_status("/requests").await?;
    requests.await?;
    Ok(stack.node_status("/requests").await? - before)
}

/// The origin received requests, none of them with a mark.
fn ensure_no_mark(stack: &Stack) -> anyhow::Result<()> {
    let received = stack.origin.recorded();
    ensure!(!received.is_empty(), "the origin received no request");
    ensure!(received.iter().all(|it| it.headers.text(MARK).is_none()), "the origin received a mark");
    Ok(())
}

pub(crate) async fn one_hit_per_request(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = both(binaries, Mode::Monitoring).await?;
    let whole = calls(&stack, async { expect_status(&stack.get("/?x='+OR+1=1").await?, 200) }).await?;
    ensure!(whole == 1, "{whole} calls for a whole request");
    // Seen by both stages, and by the origin stage only.
    let both = json(0, "' OR 1=1 --") + &" ".repeat(LONG);
    let truncated = calls(&stack, async {
        expect_status(&stack.send(post(&both)).await?, 200)?;
        expect_status(&stack.send(post(&json(LONG, "' OR 2=2 --"))).await?, 200)
    });
    let truncated = truncated.await?;
    ensure!(truncated == 4, "{truncated} calls for two truncated requests");
    ensure_no_mark(&stack)?;
    stack.all_delivered().await?;
    let hits = stack.console_api().hits("").await?;
    let mut requests: Vec<_> = hits.iter().map(|hit| hit["request_id"].to_string()).collect();
    requests.sort();
    requests.dedup();
    ensure!((hits.len(), requests.len()) == (3, 3), "one hit per request: {hits:?}");
    ensure!(hits.iter().all(|hit| hit["host"] == "shop.example.com"), "the viewer's host: {hits:?}");
    let unseen = stack.node_status("/truncated_bodies").await?;
    ensure!(unseen == 0, "the origin stage saw all bodies, and {unseen} are counted as truncated");
    stack.stop().await;
    Ok(())
}

pub(crate) async fn forged_marks_are_inspected(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = both(binaries, Mode::Block).await?;
    // The origin stage blocks what the viewer stage did not see; the console lists it as enforced.
    expect_status(&stack.send(post(&json(LONG, "' OR 1=1 --"))).await?, 403)?;
    let attack = stack.attack("sqli", "post > json_doc > hash:q").await?;
    ensure!(attack["status"] == "blocked", "{attack}");

    // A function at viewer-request that replays a mark of another request, instead of ours.
    let marks = mark_recorder(&stack).await?;
    let recorded = distribution(&stack, Arc::clone(&stack.request_function), marks, |_| {}).await?;
    let mark = send(&recorded, post("{\"a\":1}")).await?.headers.text("x-seen-mark").context("no mark")?;
    ensure!(mark.starts_with("v1;"), "the viewer stage marks what it inspected: {mark}");
    let ours = || Arc::clone(&stack.request_function);
    let replays = distribution(&stack, replayer(&stack, &mark).await?, ours(), |_| {}).await?;
    for body in ["{\"a\":1}", "{\"q\":\"' OR 1=1 --\"}"] {
        let called = calls(&stack, async { send(&replays, post(body)).await.map(drop) }).await?;
        ensure!(called == 1, "a replayed mark skipped the origin stage: {body}");
    }
    expect_status(&send(&replays, post("{\"q\":\"' OR 1=1 --\"}")).await?, 403)?;

    // Viewers' own headers.
    for forged in [&*mark, "v1;1767225600000;whole;0;00;shop.example.com", ""] {
        let request = post(&json(LONG, "' OR 1=1 --")).header("X-Wallarm-Mark", forged);
        expect_status(&stack.send(request).await?, 403).with_context(|| forged.to_owned())?;
    }
    expect_status(&stack.send(post("{}").header("X-Wallarm-Mark", "forged")).await?, 200)?;
    ensure_no_mark(&stack)?;
    stack.stop().await;
    Ok(())
}

async fn python(stack: &Stack, name: &str, code: &str) -> anyhow::Result<Arc<Function>> {
    let zip = stack.directory().join(format!("{name}.zip"));
    fs::write(&zip, zipped(code)?)?;
    let config = FunctionConfig::new(name, zip, stack.python.clone());
    Ok(Arc::new(Function::start(FunctionConfig { sink: silent(), ..config }).await?))
}

/// At origin-request: responds with the mark.
async fn mark_recorder(stack: &Stack) -> anyhow::Result<Arc<Function>> {
    let code = "
def lambda_handler(event, context):
    mark = event['Records'][0]['cf']['request']['headers'].get('x-wallarm-mark', [{'value': ''}])
    return {'status': '200', 'headers': {'x-seen-mark': [{'key': 'X-Seen-Mark', 'value': mark[0]['value']}]}}";
    python(stack, "mark-recorder", code).await
}

/// At viewer-request: adds a mark without an inspection.
async fn replayer(stack: &Stack, mark: &str) -> anyhow::Result<Arc<Function>> {
    let code = format!(
        "
def lambda_handler(event, context):
    request = event['Records'][0]['cf']['request']
    request['headers']['x-wallarm-mark'] = [{{'key': 'X-Wallarm-Mark', 'value': {mark:?}}}]
    return request"
    );
    python(stack, "replayer", &code).await
}

pub(crate) async fn cached_answers_are_shared(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = both(binaries, Mode::Block).await?;
    let ours = || Arc::clone(&stack.request_function);
    let cached = |config: &mut DistributionConfig| {
        config.default_behavior.cache = CachePolicy::with_ttls(0, 60, 3600);
    };
    let cloudfront = distribution(&stack, ours(), ours(), cached).await?;
    let get = || Request::new("GET", "/page", "shop.example.com");
    let called = calls(&stack, async {
        for x_cache in ["Miss from cloudfront", "Hit from cloudfront"] {
            let response = send(&cloudfront, get()).await?;
            expect_status(&response, 200)?;
            ensure!(response.headers.text("X-Cache").as_deref() == Some(x_cache), "{response:?}");
        }
        Ok(())
    });
    ensure!(called.await? == 2, "the viewer stage inspects each request, the origin stage none");
    ensure!(stack.origin.recorded().len() == 1, "the second answer is from the cache");
    let attack = send(&cloudfront, get().header("X-Search", "' OR 1=1 --")).await?;
    expect_status(&attack, 403).context("an attack that the cache would answer")?;
    ensure_no_mark(&stack)?;
    stack.stop().await;
    Ok(())
}

pub(crate) async fn failover_calls_the_node_once(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = both(binaries, Mode::Monitoring).await?;
    let ours = || Arc::clone(&stack.request_function);
    let failing = |_: Request| std::future::ready(Response::text(503, "down\n"));
    let failing = origin::Origin::answering(TcpListener::bind(("127.0.0.1", 0)).await?, failing)?;
    let groups = |config: &mut DistributionConfig| {
        config.origins.push(Origin::new("failing", "failing.example.com", failing.address()));
        config.origin_groups = vec![OriginGroup {
            id: "both".to_owned(),
            primary: "failing".to_owned(),
            secondary: "origin".to_owned(),
            status_codes: vec![503],
        }];
        "both".clone_into(&mut config.default_behavior.target);
    };
    let cloudfront = distribution(&stack, ours(), ours(), groups).await?;
    let started = |event: &LogEvent| matches!(event, LogEvent::InvokeStart { .. });
    let runs = || stack.request_function.log().events().iter().filter(|event| started(event)).count();
    let before = runs();
    let attack = Request::new("GET", "/?x='+OR+1=1", "shop.example.com");
    let called = calls(&stack, async { expect_status(&send(&cloudfront, attack).await?, 200) }).await?;
    ensure!((called, runs() - before) == (1, 3), "{called} calls, {} invocations", runs() - before);
    ensure!(failing.recorded().len() == 1 && stack.origin.recorded().len() == 1, "both origins are called");
    let marked = failing.recorded().iter().any(|it| it.headers.text(MARK).is_some());
    ensure!(!marked, "the failing origin received a mark");
    ensure_no_mark(&stack)?;
    stack.all_delivered().await?;
    ensure!(stack.console_api().hits("").await?.len() == 1, "one hit");
    stack.stop().await;
    Ok(())
}

pub(crate) async fn versions_may_differ(binaries: &Binaries) -> anyhow::Result<()> {
    let stack = both(binaries, Mode::Monitoring).await?;
    let rotated = format!("{OTHER_KEY},{MARK_KEY}");
    let mut expected_hits = 0;
    for (name, viewer, origin, expected) in [
        ("rotation", MARK_KEY, &*rotated, 1),
        ("rotated-first", &*rotated, MARK_KEY, 2),
        ("other-key", MARK_KEY, OTHER_KEY, 2),
        ("no-mark", "None", MARK_KEY, 2),
    ] {
        let [viewer, origin] = [("viewer", viewer), ("origin", origin)].map(|(stage, keys)| {
            let name = format!("{name}-{stage}");
            let stack = &stack;
            async move { request_function(stack, binaries, &name, &[("wlrm_mark_keys", keys)]).await }
        });
        let cloudfront = distribution(&stack, viewer.await?, origin.await?, |_| {}).await?;
        let attack =
            Request::new("GET", "/?x='+OR+1=1", "shop.example.com").header("X-Wallarm-Mark", "forged");
        let called = calls(&stack, async { expect_status(&send(&cloudfront, attack).await?, 200) }).await?;
        ensure!(called == expected, "{name}: {called} calls instead of {expected}");
        expected_hits += 1;
    }
    ensure_no_mark(&stack)?;
    stack.all_delivered().await?;
    let hits = stack.console_api().hits("").await?.len();
    ensure!(hits == expected_hits, "{hits} hits of {expected_hits} requests");
    stack.stop().await;
    Ok(())
}
