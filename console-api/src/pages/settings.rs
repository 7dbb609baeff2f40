//! The page of settings: configuration, account, versions.

use super::{render, view};
use crate::{
    access::Session,
    actor::{Actor, Role},
    app::App,
    error::ApiError,
    extract::Reader,
    session_cookie,
    store::Node,
};
use askama::Template;
use axum::{extract::State, http::HeaderMap, response::Response};
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    actor: Actor,
    is_admin: bool,
    /// The session of this browser, and the other sessions of the user.
    sessions: Option<(Session, Vec<Session>)>,
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

pub(super) async fn page(
    Reader(actor): Reader,
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let sessions = sessions(&app, &headers).await?;
    let (ruleset, _) = app.store.ruleset_head().await?;
    let mut nodes = BTreeMap::new();
    for Node { version, .. } in app.store.nodes(app.clock.now()).await? {
        *nodes.entry(version).or_default() += 1;
    }
    let is_admin = actor.role == Role::Admin;
    Ok(render(&SettingsPage { is_admin, actor, sessions, settings: settings(&app), ruleset, nodes }))
}

async fn sessions(app: &App, headers: &HeaderMap) -> Result<Option<(Session, Vec<Session>)>, ApiError> {
    let Some(secret) = session_cookie::read(headers) else { return Ok(None) };
    let now = app.clock.now();
    let Some(own) = app.store.session(&secret, now).await? else { return Ok(None) };
    let others = app.store.other_sessions(own.id, now).await?;
    Ok(Some((own, others)))
}

fn settings(app: &App) -> Vec<Setting> {
    let days = app.retention.days.map(|days| format!("{days} days after last seen"));
    let hits = app.retention.hits.map(|hits| format!("Latest {}", view::number(&hits)));
    let bundles = if app.bundles.are_available() { "Available" } else { "Not configured" };
    let setting = |what, value: String, flag| Setting { what, value, flag };
    vec![
        setting("Attack retention", days.unwrap_or_else(|| "Forever".to_owned()), "--keep-days"),
        setting("Hit retention", hits.unwrap_or_else(|| "All".to_owned()), "--keep-hits"),
        setting("Database", app.store.engine().to_owned(), "--database-url"),
        setting("Connector bundles", bundles.to_owned(), "--bundle-dir"),
    ]
}
