//! Cache poisoning: an attack in a header outside the cache key is blocked at origin-request, and a
//! benign visitor requests the same URL.

use anyhow::ensure;
use cloudfront_sim::{
    cloudfront::{
        Association, CachePolicy, CloudFront, DistributionConfig, ErrorCaching, ErrorResponse, Functions,
    },
    http1::{Client, Request},
    lambda::{Function, FunctionConfig, silent},
};
use e2e::{
    bench::zipped,
    binaries::Binaries,
    stack::{Mode, Stack, StackOptions, TriggerPair, expect_status},
};
use std::{fs, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// The connector always sends `no-store`. This function represents functions that do not.
const WITHOUT_NO_STORE: &str = "
def lambda_handler(event, context):
    request = event['Records'][0]['cf']['request']
    return {'status': '403', 'body': 'blocked'} if 'x-search' in request['headers'] else request";

/// Settings of a distribution, and the statuses the benign visitor gets after the block.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    error_caching: ErrorCaching,
    /// Of 403, in seconds.
    error_ttl: u64,
    with_no_store: u16,
    without: u16,
}

impl Settings {
    pub(crate) const DOCUMENTED: Self =
        Self { error_caching: ErrorCaching::Documented, error_ttl: 10, with_no_store: 200, without: 200 };
    /// The simulator warns of these.
    pub(crate) const PESSIMISTIC: Self =
        Self { error_caching: ErrorCaching::Pessimistic, error_ttl: 10, with_no_store: 403, without: 403 };
    pub(crate) const WITHOUT_ERROR_TTL: Self =
        Self { error_caching: ErrorCaching::Pessimistic, error_ttl: 0, with_no_store: 200, without: 403 };
}

pub(crate) async fn next_visitor(binaries: &Binaries, settings: Settings) -> anyhow::Result<()> {
    let stack = Stack::start(binaries, StackOptions::new(Mode::Block, TriggerPair::Origin)).await?;
    let ours = Arc::clone(&stack.request_function);
    let theirs = without_no_store(&stack).await?;
    for (function, no_store, expected) in
        [(ours, true, settings.with_no_store), (theirs, false, settings.without)]
    {
        let cloudfront = distribution(&stack, settings, function).await?;
        let visit = || Request::new("GET", "/search", "shop.example.com").header("User-Agent", "curl/8.5.0");
        let client = Client::default();
        let blocked = client.send(cloudfront.address(), &visit().header("X-Search", "' OR 1=1 --")).await?;
        expect_status(&blocked, 403)?;
        let cache_control = blocked.headers.text("cache-control");
        ensure!(
            (cache_control.as_deref() == Some("no-store")) == no_store,
            "the block has Cache-Control {cache_control:?}"
        );
        expect_status(&client.send(cloudfront.address(), &visit()).await?, expected)?;
        let warned = cloudfront.edge().warnings().iter().any(|text| text.contains("a function's 403"));
        ensure!(warned == (expected == 403), "the simulator must warn if and only if the block is cached");
    }
    stack.all_delivered().await?;
    ensure!(
        stack.console_api().hits("").await?.len() == 1,
        "exactly one attack reached the node and is listed"
    );
    stack.stop().await;
    Ok(())
}

async fn distribution(
    stack: &Stack,
    settings: Settings,
    function: Arc<Function>,
) -> anyhow::Result<CloudFront> {
    let mut config = DistributionConfig::new(stack.addresses.origin).with_functions(Functions {
        origin_request: Some(Association::with_body(function)),
        origin_response: Some(Association::new(Arc::clone(&stack.response_function))),
        ..Functions::default()
    });
    config.default_behavior.cache = CachePolicy::with_ttls(0, 60, 3600);
    config.error_caching = settings.error_caching;
    let caching_min_ttl = Duration::from_secs(settings.error_ttl);
    config.error_responses = vec![ErrorResponse { error_code: 403, caching_min_ttl, page: None }];
    Ok(CloudFront::start(TcpListener::bind(("127.0.0.1", 0)).await?, config)?)
}

async fn without_no_store(stack: &Stack) -> anyhow::Result<Arc<Function>> {
    let zip = stack.directory().join("without-no-store.zip");
    fs::write(&zip, zipped(WITHOUT_NO_STORE)?)?;
    let config = FunctionConfig::new("without-no-store", zip, stack.python.clone());
    Ok(Arc::new(Function::start(FunctionConfig { sink: silent(), ..config }).await?))
}
