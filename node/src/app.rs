//! The parts put together: built from the configuration, served, and stopped in order.

use crate::{
    Config, VERSION,
    behaviour::Behaviour,
    connectors::Connectors,
    doors::{self, Door, limits::Limits, tls::Tls},
    log::Logs,
    metrics::Metrics,
    policy::{CurrentPolicy, GeoIp, copy::LastCopy, feed::Feed},
    recent::RecentRequests,
    reload::Reload,
    server::{self, Intake, Node, Signatures, Turns},
    spool::{Spool, delivery::Delivery, heartbeat::Heartbeat},
};
use anyhow::Context as _;
use arc_swap::ArcSwap;
use axum::Router;
use engine::Engine;
use shared::record::NodeInfo;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// Runs until `stop`. Fails only while starting: afterwards a node goes on with what it has.
pub async fn run(path: PathBuf, config: Config, logs: Logs, stop: CancellationToken) -> anyhow::Result<()> {
    let config = Arc::new(config);
    let spool = Arc::new(Spool::open(&config.spool)?);
    let metrics = Arc::new(Metrics::new(&config.metrics));
    let policy: Arc<CurrentPolicy> = Arc::default();
    let geoip = Arc::new(GeoIp::open(&config.geoip)?);
    let (behaviour, sharing) = Behaviour::start(&config.behaviour).context("behaviour.shared.url_file")?;
    let node = Arc::new(Node {
        id: spool.node_id()?,
        engine: Engine::new(),
        config: ArcSwap::new(config.clone()),
        policy: policy.clone(),
        automatic: Arc::default(),
        geoip: geoip.clone(),
        behaviour: behaviour.clone(),
        spool: spool.clone(),
        recent: RecentRequests::default(),
        metrics: metrics.clone(),
        logs,
        intake: Intake::new(&config.limits),
        turns: Turns::new(config.limits.patience),
        signatures: Signatures::default(),
        connectors: Connectors::default(),
    });
    let feed = config.console.as_ref().map(|console| {
        let copy = LastCopy::beside(&config.spool.directory);
        let mut feed = Feed::new(console, policy, copy, geoip.fields())?;
        // Before anybody is answered.
        feed.start_from_copy();
        anyhow::Ok(feed)
    });
    let feed = feed.transpose()?;
    let servers = serve(&config, &node, &stop)?;
    info!(version = VERSION, mode = %config.route_config.default.mode.mode, "ready for connectors on {}", config.connector.address);

    let delivery_stop = CancellationToken::new();
    let mut background = JoinSet::new();
    background.spawn(sync_periodically(spool.clone(), config.spool.sync_interval, delivery_stop.clone()));
    if let Some(console) = &config.console {
        let info = NodeInfo { id: node.id, version: VERSION.to_owned() };
        background.spawn(Delivery::new(spool, console, info.clone(), metrics)?.run(delivery_stop.clone()));
        let (started_at, told) = (jiff::Timestamp::now(), node.clone());
        let heartbeat = Heartbeat::new(console, info, move || told.status(started_at))?;
        background.spawn(heartbeat.run(delivery_stop.clone()));
    }

    if let Some(sharing) = sharing {
        background.spawn(sharing.run(behaviour, delivery_stop.clone()));
    }
    let served = node.clone();
    background.spawn(Reload::new(path, node)?.run(delivery_stop.clone()));
    background.spawn(geoip.run(delivery_stop.clone()));
    if let Some(feed) = feed {
        background.spawn(feed.run(delivery_stop.clone()));
    }

    stop.cancelled().await;
    info!("stopping");
    // First no new hits, then the last delivery.
    servers.join_all().await;
    delivery_stop.cancel();
    background.join_all().await;
    if let Some(log) = &served.logs.access {
        log.flush(Duration::from_secs(1));
    }
    Ok(())
}

/// A listener before it is bound.
struct Planned {
    key: &'static str,
    address: SocketAddr,
    router: Router,
    tls: Option<Tls>,
    limits: Limits,
}

fn serve(config: &Config, node: &Arc<Node>, stop: &CancellationToken) -> anyhow::Result<JoinSet<()>> {
    let mut servers = JoinSet::new();
    let tls = config.connector.tls.as_ref().map(Tls::open).transpose()?.map(|(tls, reload)| {
        servers.spawn(reload.run(stop.clone()));
        tls
    });
    let mut planned = vec![Planned {
        key: "connector.address",
        address: config.connector.address,
        router: server::connector_router(node.clone()),
        tls,
        limits: Limits {
            max_connections: doors::descriptors::connections(config.limits.connections.max_connections),
            recycle: config.connector.recycle.clone(),
            ..config.limits.connections.clone()
        },
    }];
    let for_operators = [
        ("metrics.listen_address", config.metrics.address, server::metrics_router(node.clone())),
        (
            "metrics.legacy_status.listen_address",
            config.metrics.status_address,
            server::status_router(node.clone()),
        ),
        ("health_check.listen_address", config.health_check.address, server::health_router(node.clone())),
    ];
    for (key, address, router) in for_operators {
        planned.extend(address.map(|address| Planned {
            key,
            address,
            router,
            tls: None,
            limits: Limits::of_operators(),
        }));
    }
    // All are bound before the first answers, so that a node that cannot start says nothing.
    let mut doors = Vec::new();
    for Planned { key, address, router, tls, limits } in planned {
        let listener = doors::bind(address).with_context(|| format!("{key}: cannot listen on {address}"))?;
        doors.push(Door { listener, router, tls, limits: limits.into(), metrics: node.metrics.clone() });
    }
    for door in doors {
        servers.spawn(door.serve(stop.clone()));
    }
    Ok(servers)
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
