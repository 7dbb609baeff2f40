//! What every page shows besides its content: the sections that the role may open, and problems of
//! nodes. A task-local value, so that the layout can read it.

use super::render;
use crate::{
    actor::Role, app::App, clock::Clock, error::ApiError, extract::Reader, node_problem::NodeProblemKind,
    store::Node,
};
use askama::Template;
use axum::{
    extract::{FromRequestParts as _, Request, State},
    middleware::Next,
    response::Response,
};
use jiff::Timestamp;

tokio::task_local! {
    static CONTEXT: Context;
}

struct Context {
    role: Role,
    alerts: Vec<Alert>,
    /// The base of ages.
    now: Timestamp,
}

/// A problem of one or several nodes.
#[derive(Clone)]
pub(super) struct Alert {
    pub(super) title: &'static str,
    pub(super) nodes: String,
    pub(super) since: Timestamp,
    pub(super) meaning: &'static str,
}

/// Provides the context to pages of signed-in users.
pub(crate) async fn provide(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/static/") {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let caller = Reader::from_request_parts(&mut parts, &app).await;
    let request = Request::from_parts(parts, body);
    let Ok(Reader(actor)) = caller else { return next.run(request).await };
    // Without the database, the page itself reports the error.
    let now = app.clock.now();
    let nodes = app.store.nodes(now).await.unwrap_or_default();
    CONTEXT.scope(Context { role: actor.role, alerts: alerts_of(&nodes), now }, next.run(request)).await
}

fn alerts_of(nodes: &[Node]) -> Vec<Alert> {
    let alert = |kind: NodeProblemKind| {
        let having = nodes.iter().filter_map(|node| {
            let problem = node.problems.iter().find(|problem| problem.kind == kind)?;
            Some((node.id, problem.since))
        });
        let having: Vec<_> = having.collect();
        let since = having.iter().map(|(_, since)| *since).min()?;
        let nodes = match having.as_slice() {
            [(id, _)] => format!("node {id}"),
            several => format!("{} of {} nodes", several.len(), nodes.len()),
        };
        Some(Alert { title: kind.title(), nodes, since, meaning: kind.meaning() })
    };
    NodeProblemKind::ALL.into_iter().filter_map(alert).collect()
}

pub(super) fn alerts() -> Vec<Alert> {
    CONTEXT.try_with(|context| context.alerts.clone()).unwrap_or_default()
}

/// The time of the page.
pub(super) fn now() -> Timestamp {
    CONTEXT.try_with(|context| context.now).unwrap_or_else(|_| Clock::System.now())
}

pub(super) fn is_admin() -> bool {
    CONTEXT.try_with(|context| context.role == Role::Admin).unwrap_or_default()
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct AlertsPage;

/// The alerts alone, for open pages.
pub(super) async fn page(_: Reader) -> Result<Response, ApiError> {
    Ok(render(&AlertsPage))
}
