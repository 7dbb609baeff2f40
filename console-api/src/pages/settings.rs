//! The page of settings: configuration, account, versions.

use super::{form::Rejected, view};
use crate::{
    access::Session,
    actor::{Actor, Role},
    app::App,
    error::ApiError,
    extract::{FromParameters, Parameters, Query, Reader},
    oidc::Oidc,
    session_cookie,
    store::Node,
    use_cases::sign_in::SignIn,
};
use askama::Template;
use axum::{
    extract::{FromRef as _, State},
    http::HeaderMap,
    response::Response,
};
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    actor: Actor,
    is_admin: bool,
    /// Whether the caller signs in with a password.
    is_user: bool,
    /// The session of this browser.
    own: Option<Uuid>,
    sessions: Vec<Session>,
    password_changed: bool,
    rejected: Rejected,
    settings: Vec<Setting>,
    ruleset: u64,
    /// The number of nodes for each version.
    nodes: BTreeMap<String, usize>,
}

/// The value of a command-line flag.
struct Setting {
    what: &'static str,
    value: String,
    flag: &'static str,
}

impl SettingsPage {
    fn is_own(&self, session: &Session) -> bool {
        self.own == Some(session.id)
    }
}

/// Whether the password was just changed.
pub(super) struct PasswordChanged(bool);

impl FromParameters for PasswordChanged {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        parameters.flag("password_changed").map(Self)
    }
}

pub(super) async fn page(
    Reader(actor): Reader,
    State(app): State<App>,
    headers: HeaderMap,
    Query(PasswordChanged(password_changed)): Query<PasswordChanged>,
) -> Result<Response, ApiError> {
    show(&app, actor, &headers, password_changed, Rejected::default()).await
}

pub(super) async fn show(
    app: &App,
    actor: Actor,
    headers: &HeaderMap,
    password_changed: bool,
    rejected: Rejected,
) -> Result<Response, ApiError> {
    let (store, now) = (&app.store, app.clock.now());
    let own = match session_cookie::read(headers) {
        Some(secret) => store.session(&secret, now).await?.map(|session| session.id),
        None => None,
    };
    let (ruleset, _) = store.ruleset_head().await?;
    let mut nodes = BTreeMap::new();
    for Node { version, .. } in store.nodes(now).await? {
        *nodes.entry(version).or_default() += 1;
    }
    let page = SettingsPage {
        is_admin: actor.role == Role::Admin,
        is_user: SignIn::from_ref(app).has_password(actor.id).await?,
        own,
        sessions: store.sessions_of(actor.id, now).await?,
        actor,
        password_changed,
        rejected,
        settings: settings(app),
        ruleset,
        nodes,
    };
    Ok(page.rejected.respond(&page))
}

fn settings(app: &App) -> Vec<Setting> {
    let days = app.retention.days.map(|days| format!("{days} days after last seen"));
    let hits = app.retention.hits.map(|hits| format!("Latest {}", view::number(&hits)));
    let bundles = if app.bundles.are_available() { "Available" } else { "Not configured" };
    let issuer = app.oidc.as_ref().map_or("Not configured", Oidc::issuer);
    let setting = |what, value: String, flag| Setting { what, value, flag };
    vec![
        setting("Attack retention", days.unwrap_or_else(|| "Forever".to_owned()), "--keep-days"),
        setting("Hit retention", hits.unwrap_or_else(|| "All".to_owned()), "--keep-hits"),
        setting("Database", app.store.engine().to_owned(), "--database-url"),
        setting("Connector bundles", bundles.to_owned(), "--bundle-dir"),
        setting("Single sign-on", issuer.to_owned(), "--config"),
    ]
}
