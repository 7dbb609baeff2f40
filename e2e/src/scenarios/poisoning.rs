//! Cache poisoning: an attack in a header outside the cache key is blocked at origin-request; what does the next visitor of
//! the same address get?

use super::world::{World, expect_status, options};
use crate::{
    bench::zipped,
    binaries::Binaries,
    stack::{Mode, TriggerPair},
};
use anyhow::ensure;
use cloudfront_sim::{
    cloudfront::{
        Association, CachePolicy, CloudFront, DistributionConfig, ErrorCaching, ErrorResponse, Functions,
    },
    http1::{Client, Request},
    lambda::{Function, FunctionConfig, silent},
};
use std::{fs, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// Our functions always say `no-store`. This one stands for those that do not.
const WITHOUT_NO_STORE: &str = "
def lambda_handler(event, context):
    request = event['Records'][0]['cf']['request']
    return {'status': '403', 'body': 'blocked'} if 'x-search' in request['headers'] else request";

/// A distribution's settings, and what the clean visitor gets there after the block.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub error_caching: ErrorCaching,
    /// Of 403, in seconds.
    pub error_ttl: u64,
    pub with_no_store: u16,
    pub without: u16,
}

pub(super) async fn next_visitor(binaries: &Binaries, row: Row) -> anyhow::Result<String> {
    let world = World::start(binaries, options(Mode::Block, TriggerPair::Origin)).await?;
    let ours = Arc::clone(&world.request_function);
    let theirs = without_no_store(&world).await?;
    for (function, no_store, expected) in [(ours, true, row.with_no_store), (theirs, false, row.without)] {
        let cloudfront = distribution(&world, row, function).await?;
        let visit = || Request::new("GET", "/search", "shop.example.com").header("User-Agent", "curl/8.5.0");
        let client = Client::default();
        let blocked = client.send(cloudfront.address(), &visit().header("X-Search", "' OR 1=1 --")).await?;
        expect_status(&blocked, 403)?;
        let said = blocked.headers.text("cache-control");
        ensure!((said.as_deref() == Some("no-store")) == no_store, "the block says {said:?}");
        expect_status(&client.send(cloudfront.address(), &visit()).await?, expected)?;
        let warned = cloudfront.edge().warnings().iter().any(|text| text.contains("a function's 403"));
        ensure!(
            warned == (expected == 403),
            "the simulator must warn when, and only when, the block is kept"
        );
    }
    world.all_delivered().await?;
    ensure!(world.console_api().hits().await?.len() == 1, "one attack went to the node, and it is listed");
    world.end(String::new()).await
}

async fn distribution(world: &World, row: Row, function: Arc<Function>) -> anyhow::Result<CloudFront> {
    let mut config = DistributionConfig::new(world.addresses.origin).with_functions(Functions {
        origin_request: Some(Association::with_body(function)),
        origin_response: Some(Association::new(Arc::clone(&world.response_function))),
        ..Functions::default()
    });
    config.default_behavior.cache = CachePolicy::with_ttls(0, 60, 3600);
    config.error_caching = row.error_caching;
    let caching_min_ttl = Duration::from_secs(row.error_ttl);
    config.error_responses = vec![ErrorResponse { error_code: 403, caching_min_ttl, page: None }];
    Ok(CloudFront::start(TcpListener::bind(("127.0.0.1", 0)).await?, config)?)
}

async fn without_no_store(world: &World) -> anyhow::Result<Arc<Function>> {
    let zip = world.directory().join("without-no-store.zip");
    fs::write(&zip, zipped(WITHOUT_NO_STORE)?)?;
    let config = FunctionConfig::new("without-no-store", zip, world.python.clone());
    Ok(Arc::new(Function::start(FunctionConfig { sink: silent(), ..config }).await?))
}
