//! The HTTP server: all routes and pages, behind a listener with limits, and a graceful shutdown.

use crate::{app::App, body_deadline, extract::BODY_LIMIT, pages, routes, transport};
use anyhow::Context as _;
use axum::{Router, extract::DefaultBodyLimit, middleware};
use listener::{
    ConnectionLimits, Listener, descriptors,
    tls::{Reload, Tls, TlsConfig},
};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Nodes, browsers and their event streams; a node has two or three connections.
const MAX_CONNECTIONS: usize = 4_000;
/// Connections of one network that have not signed in. A proxy that hides its clients needs more.
const MAX_UNVERIFIED: usize = 256;
/// How long running calls may take after the shutdown began.
const DRAIN: Duration = Duration::from_secs(10);

/// The API, the pages, health checks and metrics.
pub fn router(app: App) -> Router {
    let (routes, document) = routes::table();
    let count = middleware::from_fn_with_state(app.metrics.clone(), routes::count);
    let resolve = middleware::from_fn_with_state(app.transport.clone(), transport::resolve);
    let context = middleware::from_fn_with_state(app.clone(), pages::context::provide);
    let deadline = middleware::from_fn_with_state(app.body_timeout, body_deadline::enforce);
    // The outer layer of the pages shows the refusal as a page.
    let pages = pages::table(&document).layer(deadline.clone()).layer(middleware::from_fn(pages::guarded));
    let pages = pages.layer(context);
    let all = routes.layer(deadline).merge(pages).layer(DefaultBodyLimit::max(BODY_LIMIT));
    all.layer(count).layer(resolve).with_state(app)
}

/// A bound socket, with TLS if configured.
pub struct Bound {
    socket: TcpListener,
    tls: Option<(Tls, Reload)>,
}

impl Bound {
    pub fn open(address: SocketAddr, tls: Option<&TlsConfig>) -> anyhow::Result<Self> {
        let tls = tls.map(Tls::open).transpose()?;
        let socket = listener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
        Ok(Self { socket, tls })
    }

    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }
}

/// Serves until `stop`, then drains running calls.
pub async fn run(app: App, bound: Bound, stop: CancellationToken) {
    let (store, notifier) = (app.store.clone(), app.change_notifier.clone());
    let Bound { socket, tls } = bound;
    let tls = tls.map(|(tls, reload)| {
        tokio::spawn(reload.run(stop.clone()));
        tls
    });
    let limits = ConnectionLimits {
        max_connections: descriptors::connections(MAX_CONNECTIONS),
        max_unverified: MAX_UNVERIFIED,
        drain_timeout: DRAIN,
        // The search of a closed page ends.
        half_close: false,
        ..ConnectionLimits::default()
    };
    let refused = app.metrics.connections_refused();
    let listener = Listener { socket, router: router(app), tls, limits: limits.into(), refused };
    let closed = async {
        stop.cancelled().await;
        // Event streams end; other calls finish.
        notifier.close();
    };
    tokio::join!(listener.serve(stop.clone()), closed);
    store.close().await;
}
