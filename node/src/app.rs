//! The parts put together: built from the configuration, served, and stopped in order.

use crate::{
    Config, VERSION,
    metrics::Metrics,
    recent::RecentRequests,
    server::{self, Node, Signatures},
    spool::{Spool, delivery::Delivery},
};
use anyhow::Context as _;
use arc_swap::ArcSwap;
use axum::Router;
use engine::Engine;
use shared::record::NodeInfo;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// How long a stopping node waits for connections that are still busy.
const DRAIN: Duration = Duration::from_secs(3);

/// Runs until `stop`. Fails only while starting: afterwards a node goes on with what it has.
pub async fn run(config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    let config = Arc::new(config);
    let spool = Arc::new(Spool::open(&config.spool)?);
    let metrics = Arc::new(Metrics::new());
    let node = Arc::new(Node {
        id: spool.node_id()?,
        engine: Engine::new(),
        config: ArcSwap::new(config.clone()),
        spool: spool.clone(),
        recent: RecentRequests::default(),
        metrics: metrics.clone(),
        admin_token: config.admin.token.clone(),
        signatures: (!config.signing_keys.is_empty()).then(|| Signatures::new(config.signing_keys.clone())),
    });
    let servers = serve(&config, &node, &stop).await?;
    info!(version = VERSION, mode = %config.route_config.default.mode.mode, "ready for connectors on {}", config.connector.address);

    let delivery_stop = CancellationToken::new();
    let mut background = JoinSet::new();
    background.spawn(sync_periodically(spool.clone(), config.spool.sync_interval, delivery_stop.clone()));
    if let Some(console) = &config.console {
        let info = NodeInfo { id: node.id, version: VERSION.to_owned() };
        background.spawn(Delivery::new(spool, console, info, metrics)?.run(delivery_stop.clone()));
    }

    stop.cancelled().await;
    info!("stopping");
    // First no new hits, then the last delivery.
    let _ = tokio::time::timeout(DRAIN, servers.join_all()).await;
    delivery_stop.cancel();
    background.join_all().await;
    Ok(())
}

async fn serve(config: &Config, node: &Arc<Node>, stop: &CancellationToken) -> anyhow::Result<JoinSet<()>> {
    let listeners = [
        ("connector.address", Some(config.connector.address), server::connector_router(node.clone())),
        ("metrics.listen_address", config.metrics.address, server::metrics_router(node.clone())),
        (
            "metrics.legacy_status.listen_address",
            config.metrics.status_address,
            server::status_router(node.clone()),
        ),
        ("health_check.listen_address", config.health_check.address, server::health_router()),
    ];
    // All are bound before the first answers, so that a node that cannot start says nothing.
    let mut bound = Vec::new();
    for (key, address, router) in listeners {
        if let Some(address) = address {
            bound.push((bind(key, address).await?, router));
        }
    }
    let mut servers = JoinSet::new();
    for (listener, router) in bound {
        servers.spawn(serve_one(listener, router, stop.clone()));
    }
    Ok(servers)
}

async fn bind(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{key}: cannot listen on {address}"))
}

async fn serve_one(listener: TcpListener, router: Router, stop: CancellationToken) {
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(cause) = served.await {
        error!("a listener ended: {cause}");
    }
}

async fn sync_periodically(spool: Arc<Spool>, interval: Duration, stop: CancellationToken) {
    loop {
        let stopped = stop.run_until_cancelled(tokio::time::sleep(interval)).await.is_none();
        let spool = spool.clone();
        if let Ok(Err(cause)) = tokio::task::spawn_blocking(move || spool.sync()).await {
            error!("the spool cannot be synced: {cause}");
        }
        if stopped {
            return;
        }
    }
}
