//! The application: parts built from the configuration, served, and stopped in order.

use crate::{
    Config, VERSION,
    config::DefaultMask,
    log::Logs,
    log_files::LogFiles,
    policy::{copy::LastCopy, feed::Feed},
    reload::Reload,
    server::{self, Node},
    spool::{delivery::SpoolDelivery, heartbeat::Heartbeat},
};
use anyhow::Context as _;
use axum::Router;
use listener::{ConnectionLimits, Listener, descriptors, tls::Tls};
use shared::record::NodeInfo;
use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Runs until `stop`. Fails only during the start: a running node continues with its current state.
pub async fn run(path: PathBuf, config: Config, logs: Logs, stop: CancellationToken) -> anyhow::Result<()> {
    let (node, sharing) = Node::build(config, logs)?;
    let node = Arc::new(node);
    let config = node.config.load_full();
    let feed = config.console.as_ref().map(|console| {
        let copy = LastCopy::inside(&config.spool.directory);
        let mut feed = Feed::new(console, node.policy.clone(), copy, node.geoip.fields())?;
        // Before the first request is decided.
        feed.start_from_copy();
        anyhow::Ok(feed)
    });
    let feed = feed.transpose()?;
    let servers = serve(&config, &node, &stop)?;
    if config.records.mask == DefaultMask::Nothing {
        warn!("records.mask is none: hits show the passwords, cookies and tokens of visitors");
    }
    let (mode, address) = (config.route_config.default.mode.mode, config.connector.address);
    info!(version = VERSION, %mode, "ready for connectors on {address}");

    // Cancelled after the servers: the last delivery comes after the last hit.
    let stop_tasks = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(node.spool.clone().sync_periodically(config.spool.sync_interval, stop_tasks.clone()));
    let (sync_interval, flushed) = (config.spool.sync_interval, node.clone());
    tasks.spawn(flushed.flush_journal_periodically(sync_interval, stop_tasks.clone()));
    if let Some(console) = &config.console {
        let info = NodeInfo { id: node.id, version: VERSION.to_owned(), is_command: false };
        tasks.spawn(SpoolDelivery::new(node.spool.clone(), console, info.clone())?.run(stop_tasks.clone()));
        let (started_at, reported) = (jiff::Timestamp::now(), node.clone());
        let heartbeat = Heartbeat::new(console, info, move || reported.status(started_at))?;
        tasks.spawn(heartbeat.run(stop_tasks.clone()));
    }
    if let Some(sharing) = sharing {
        tasks.spawn(sharing.run(node.behaviour.clone(), stop_tasks.clone()));
    }
    if !config.logs.paths.is_empty() {
        let state = config.spool.directory.join("log-files.json");
        let files = LogFiles::open(node.clone(), config.logs.paths.clone(), &state, false)?;
        tasks.spawn(files.run(stop.clone()));
    }
    tasks.spawn(Reload::new(path, node.clone())?.run(stop_tasks.clone()));
    tasks.spawn(node.geoip.clone().run(stop_tasks.clone()));
    if let Some(feed) = feed {
        tasks.spawn(feed.run(stop_tasks.clone()));
    }

    stop.cancelled().await;
    info!("stopping");
    servers.join_all().await;
    stop_tasks.cancel();
    tasks.join_all().await;
    if let Some(log) = &node.logs.access {
        log.flush(Duration::from_secs(1));
    }
    Ok(())
}

fn serve(config: &Config, node: &Arc<Node>, stop: &CancellationToken) -> anyhow::Result<JoinSet<()>> {
    let mut servers = JoinSet::new();
    let tls = config.connector.tls.as_ref().map(Tls::open).transpose()?.map(|(tls, reload)| {
        servers.spawn(reload.run(stop.clone()));
        tls
    });
    let limits = &config.limits.connections;
    let limits = ConnectionLimits {
        max_connections: descriptors::connections(limits.max_connections),
        recycle: config.connector.recycle.clone(),
        ..limits.clone()
    };
    // All are bound before the first one serves, so that a node that cannot start accepts no call.
    let mut bound = vec![Listener {
        tls,
        ..listener(
            "connector.address",
            config.connector.address,
            server::connector_router(node.clone()),
            limits,
            node,
        )?
    }];
    let (metrics, health) = (&config.metrics, &config.health_check);
    for (key, address, router) in [
        ("metrics.listen_address", metrics.address, server::metrics_router(node.clone())),
        ("metrics.legacy_status.listen_address", metrics.status_address, server::status_router(node.clone())),
        ("health_check.listen_address", health.address, server::health_router(node.clone())),
    ] {
        let Some(address) = address else { continue };
        bound.push(listener(key, address, router, ConnectionLimits::of_operators(), node)?);
    }
    for listener in bound {
        servers.spawn(listener.serve(stop.clone()));
    }
    Ok(servers)
}

/// Binds a listener without TLS; `key` is the one of its address.
fn listener(
    key: &str,
    address: SocketAddr,
    router: Router,
    limits: ConnectionLimits,
    node: &Node,
) -> anyhow::Result<Listener> {
    let socket = listener::bind(address).with_context(|| format!("{key}: cannot listen on {address}"))?;
    let refused = node.connections_refused.clone();
    Ok(Listener { socket, router, tls: None, limits: limits.into(), refused })
}
