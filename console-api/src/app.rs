//! The state that handlers share.

use crate::{
    body_deadline::BODY_TIMEOUT,
    bundles::Bundles,
    caller_limit::{CallerLimit, POLLS, SEARCHES, STREAMS},
    change_notifier::ChangeNotifier,
    clock::Clock,
    coverage::CoverageMargin,
    ingest_quota::IngestQuota,
    login_throttle::LoginThrottle,
    metrics::Metrics,
    notification::{Dispatcher, PublicUrl, Sender},
    oidc::Oidc,
    overview::OverviewCache,
    retention::Retention,
    simulation::replay::Replays,
    store::Store,
    transport::Transport,
    use_cases::{RulesetWriter, sign_in::SignIn},
};
use axum::extract::FromRef;
use std::time::Duration;

#[derive(Clone)]
pub struct App {
    pub store: Store,
    pub clock: Clock,
    pub bundles: Bundles,
    pub change_notifier: ChangeNotifier,
    pub ingest_quota: IngestQuota,
    pub replays: Replays,
    pub login_throttle: LoginThrottle,
    /// Sign-in at the OpenID provider, if configured.
    pub oidc: Option<Oidc>,
    pub searches: CallerLimit,
    pub streams: CallerLimit,
    pub polls: CallerLimit,
    /// The time in which the body of a call must arrive.
    pub body_timeout: Duration,
    pub sender: Sender,
    pub public_url: PublicUrl,
    pub coverage_margin: CoverageMargin,
    pub metrics: Metrics,
    pub overview: OverviewCache,
    pub transport: Transport,
    /// For the page of settings.
    pub retention: Retention,
    pub site: Site,
}

/// The address of a protected site, if configured.
#[derive(Debug, Clone, Default)]
pub struct Site(pub Option<String>);

impl Site {
    /// The address for commands on pages.
    pub fn address(&self) -> &str {
        self.0.as_deref().unwrap_or("https://<your distribution>.cloudfront.net")
    }
}

impl App {
    pub fn new(store: Store, clock: Clock, bundles: Bundles) -> Self {
        Self {
            store,
            clock,
            bundles,
            change_notifier: ChangeNotifier::default(),
            ingest_quota: IngestQuota::default(),
            replays: Replays::default(),
            login_throttle: LoginThrottle::default(),
            oidc: None,
            searches: CallerLimit::new(SEARCHES),
            streams: CallerLimit::new(STREAMS),
            polls: CallerLimit::new(POLLS),
            body_timeout: BODY_TIMEOUT,
            sender: Sender::default(),
            public_url: PublicUrl::default(),
            coverage_margin: CoverageMargin::default(),
            metrics: Metrics::default(),
            overview: OverviewCache::default(),
            transport: Transport::default(),
            retention: Retention::default(),
            site: Site::default(),
        }
    }

    /// Sends attacks to webhooks while it runs.
    pub fn dispatcher(&self) -> Dispatcher {
        let (store, metrics) = (self.store.clone(), self.metrics.clone());
        let (sender, public_url) = (self.sender.clone(), self.public_url.clone());
        let coverage_margin = self.coverage_margin;
        Dispatcher { store, clock: self.clock, sender, metrics, public_url, coverage_margin }
    }
}

macro_rules! parts {
    ($($part:ty: $field:ident;)+) => {$(
        impl FromRef<App> for $part {
            fn from_ref(app: &App) -> Self {
                app.$field.clone()
            }
        }
    )+};
}

parts! {
    Store: store;
    Clock: clock;
    Bundles: bundles;
    ChangeNotifier: change_notifier;
    Replays: replays;
    Metrics: metrics;
    OverviewCache: overview;
    IngestQuota: ingest_quota;
    Sender: sender;
    Site: site;
}

impl FromRef<App> for Dispatcher {
    fn from_ref(app: &App) -> Self {
        app.dispatcher()
    }
}

impl FromRef<App> for RulesetWriter {
    fn from_ref(app: &App) -> Self {
        Self { store: app.store.clone(), notifier: app.change_notifier.clone() }
    }
}

impl FromRef<App> for SignIn {
    fn from_ref(app: &App) -> Self {
        let (store, throttle) = (app.store.clone(), app.login_throttle.clone());
        Self { store, clock: app.clock, throttle, oidc: app.oidc.clone() }
    }
}
