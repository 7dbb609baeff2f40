//! What handlers share, and the server around them.

use crate::{
    bundles::Bundles,
    change_notifier::ChangeNotifier,
    clock::Clock,
    intake::Intake,
    login_throttle::LoginThrottle,
    metrics::Metrics,
    notification::{Dispatcher, Sender},
    retention::Retention,
    routes,
    simulation::replay::Replays,
    store::Store,
};
use axum::{Router, extract::FromRef, middleware};
use std::{future::IntoFuture, io, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long calls under way may take to end once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct App {
    pub store: Store,
    pub clock: Clock,
    pub bundles: Bundles,
    pub change_notifier: ChangeNotifier,
    pub intake: Intake,
    pub replays: Replays,
    pub login_throttle: LoginThrottle,
    pub sender: Sender,
    pub metrics: Metrics,
    /// For those who ask what is kept.
    pub retention: Retention,
}

impl App {
    pub fn new(store: Store, clock: Clock, bundles: Bundles) -> Self {
        Self {
            store,
            clock,
            bundles,
            change_notifier: ChangeNotifier::default(),
            intake: Intake::default(),
            replays: Replays::default(),
            login_throttle: LoginThrottle::default(),
            sender: Sender::default(),
            metrics: Metrics::default(),
            retention: Retention::default(),
        }
    }

    pub fn router(self) -> Router {
        let count = middleware::from_fn_with_state(self.metrics.clone(), routes::count);
        routes::table().layer(count).with_state(self)
    }

    /// Tells attacks to webhooks, as far as it is run.
    pub fn dispatcher(&self) -> Dispatcher {
        let (store, metrics) = (self.store.clone(), self.metrics.clone());
        Dispatcher { store, clock: self.clock, sender: self.sender.clone(), metrics }
    }

    /// Serves until `stop`, then lets calls under way end.
    pub async fn run(self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let (store, notifier) = (self.store.clone(), self.change_notifier.clone());
        let server = axum::serve(listener, self.router().into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(stop.clone().cancelled_owned());
        let overdue = async {
            stop.cancelled().await;
            notifier.close();
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            ended = server.into_future() => ended?,
            () = overdue => tracing::warn!("some calls did not end in time"),
        }
        store.close().await;
        Ok(())
    }
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.store.clone()
    }
}

impl FromRef<App> for Clock {
    fn from_ref(app: &App) -> Self {
        app.clock
    }
}

impl FromRef<App> for ChangeNotifier {
    fn from_ref(app: &App) -> Self {
        app.change_notifier.clone()
    }
}

impl FromRef<App> for Bundles {
    fn from_ref(app: &App) -> Self {
        app.bundles.clone()
    }
}

impl FromRef<App> for Intake {
    fn from_ref(app: &App) -> Self {
        app.intake.clone()
    }
}

impl FromRef<App> for Replays {
    fn from_ref(app: &App) -> Self {
        app.replays.clone()
    }
}

impl FromRef<App> for Metrics {
    fn from_ref(app: &App) -> Self {
        app.metrics.clone()
    }
}

impl FromRef<App> for Sender {
    fn from_ref(app: &App) -> Self {
        app.sender.clone()
    }
}

impl FromRef<App> for Dispatcher {
    fn from_ref(app: &App) -> Self {
        app.dispatcher()
    }
}
