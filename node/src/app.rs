//! The parts put together: built from the configuration, served, and stopped in order.

use crate::{
    Config, VERSION,
    admission::{Admission, Patience, processors},
    decision::EffectiveMode,
    doors::{Door, limits::Limits},
    metrics::Metrics,
    recent::RecentRequests,
    server::{self, Intake, Node, Signatures, Turns},
    spool::{Spool, delivery::Delivery},
};
use anyhow::Context as _;
use engine::Engine;
use shared::record::NodeInfo;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

const PATIENCE: Patience = Patience { burst: Duration::from_millis(100), standing: Duration::from_millis(5) };

/// Runs until `stop`. Fails only while starting: afterwards a node goes on with what it has.
pub async fn run(config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    let spool = Arc::new(Spool::open(&config.spool)?);
    let metrics = Arc::new(Metrics::new());
    let node = Arc::new(Node {
        id: spool.node_id()?,
        engine: Engine::new(),
        mode: EffectiveMode { mode: config.mode, source: "config".to_owned() },
        spool: spool.clone(),
        recent: RecentRequests::default(),
        metrics: metrics.clone(),
        admin_token: config.admin_token.clone(),
        intake: Intake::new(4 << 20, Duration::from_secs(10), 256 << 20),
        turns: Turns {
            small: Admission::new(processors(), 10_000, PATIENCE),
            large: Admission::new(processors(), 100, PATIENCE),
        },
        signatures: (!config.signing_keys.is_empty()).then(|| Signatures::new(config.signing_keys.clone())),
    });
    let servers = serve(&config, &node, &stop).await?;
    info!(version = VERSION, mode = %config.mode, "ready for connectors on {}", config.connector_address);

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
    servers.join_all().await;
    delivery_stop.cancel();
    background.join_all().await;
    Ok(())
}

async fn serve(config: &Config, node: &Arc<Node>, stop: &CancellationToken) -> anyhow::Result<JoinSet<()>> {
    let listeners = [
        ("connector.address", Some(config.connector_address), server::connector_router(node.clone())),
        ("metrics.listen_address", config.metrics_address, server::metrics_router(node.clone())),
        ("metrics.legacy_status.listen_address", config.status_address, server::status_router(node.clone())),
        ("health_check.listen_address", config.health_address, server::health_router()),
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
        let door = Door {
            listener,
            router,
            tls: None,
            limits: Arc::new(Limits::default()),
            metrics: node.metrics.clone(),
        };
        servers.spawn(door.serve(stop.clone()));
    }
    Ok(servers)
}

async fn bind(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{key}: cannot listen on {address}"))
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
