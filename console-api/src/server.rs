//! The HTTP server: all routes and pages, and a graceful shutdown.

use crate::{app::App, extract::BODY_LIMIT, pages, routes};
use axum::{Router, extract::DefaultBodyLimit, middleware};
use std::{future::IntoFuture, io, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long running calls may take after the shutdown began.
const DRAIN: Duration = Duration::from_secs(10);

/// The API, the pages, health checks and metrics.
pub fn router(app: App) -> Router {
    let (routes, document) = routes::table();
    let count = middleware::from_fn_with_state(app.metrics.clone(), routes::count);
    let all = routes.merge(pages::table(&document)).layer(DefaultBodyLimit::max(BODY_LIMIT));
    all.layer(count).with_state(app)
}

/// Serves until `stop`, then drains running calls.
pub async fn run(app: App, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let (store, notifier) = (app.store.clone(), app.change_notifier.clone());
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let overdue = async {
        stop.cancelled().await;
        notifier.close();
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        ended = server.into_future() => ended?,
        () = overdue => tracing::warn!(seconds = DRAIN.as_secs(), "drain timeout: some calls were aborted"),
    }
    store.close().await;
    Ok(())
}
