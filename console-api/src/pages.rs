//! The pages: HTML rendered by the server. Scripts are progressive enhancement.

mod access;
mod account;
mod actions;
mod api;
mod assets;
mod attack;
mod audit;
mod chart;
mod charts;
mod chips;
mod columns;
mod connectors;
pub(crate) mod context;
mod coverage;
mod curl;
mod error;
mod evidence;
mod form;
mod hits;
mod ip_lists;
mod lists;
mod new_secret;
mod nodes;
mod not_inspected;
mod overview;
mod raw;
mod replays;
mod rules;
mod rulesets;
mod search;
mod selection;
mod session;
mod settings;
mod value_actions;
mod view;
mod views;
mod webhooks;

use crate::app::App;
use access::{sessions, tokens, users};
use actions::{Exclusion, FieldContent};
use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header, uri::PathAndQuery},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde_json::Value;

/// Scripts and styles from this console only, no frames: payloads in pages stay text.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn table(document: &Value) -> Router<App> {
    let api = api::page(document);
    Router::new()
        .route("/api/docs", get(async || api))
        .route("/", get(async || Redirect::to("/attacks")))
        .merge(of_attacks())
        .merge(of_rulesets())
        .merge(of_settings())
        .route("/sign-in", get(session::form).post(session::sign_in))
        .route("/sign-in/oidc", get(session::oidc::begin))
        .route("/sign-in/oidc/callback", get(session::oidc::callback))
        .route("/sign-out", post(session::sign_out))
        .route("/sign-out/others", post(session::sign_out_others))
        .route("/static/{hash}/{name}", get(assets::serve))
        .fallback(error::unknown_page)
}

/// Attacks, requests, hits, and searches.
fn of_attacks() -> Router<App> {
    Router::new()
        .route("/overview", get(overview::page))
        .route("/attacks", get(lists::attacks))
        .route("/attacks/charts", get(charts::of_attacks))
        .route("/requests", get(lists::requests))
        .route("/requests/charts", get(charts::of_requests))
        .route("/attacks/{id}", get(attack::one))
        .route("/attacks/{id}/mark", post(actions::mark))
        .route("/hits/{id}", get(hits::one))
        .route(
            "/hits/{id}/exclusion",
            get(actions::preview_rule::<Exclusion>).post(actions::add_rule::<Exclusion>),
        )
        .route(
            "/hits/{id}/content",
            get(actions::preview_rule::<FieldContent>).post(actions::add_rule::<FieldContent>),
        )
        .route("/hits/{id}/block-source", post(actions::block_source))
        .route("/hits/{id}/virtual-patch", post(actions::virtual_patch))
        .route("/actions", get(value_actions::page).post(value_actions::block))
        .route("/selection/search", get(selection::search))
        .route("/selection/mark", post(selection::mark))
        .route("/selection/group", get(selection::groups::confirm).post(selection::groups::mark))
        .route("/selection/sources", get(selection::sources).post(selection::block))
        .route("/selection/done", get(selection::done))
        .route("/selection/undo", post(selection::undo))
        .route("/not-inspected", get(not_inspected::list))
        .route("/coverage", get(coverage::list))
        .route("/views", get(views::list).post(views::add))
        .route("/views/{id}", post(views::change))
        .route("/views/{id}/delete", post(views::delete))
}

/// Rules, IP lists, ruleset versions and replays.
fn of_rulesets() -> Router<App> {
    Router::new()
        .route("/rules", get(rules::list).post(rules::add))
        .route("/rules/test", post(rules::test))
        .route("/rules/new", get(rules::new))
        .route("/rules/{id}", get(rules::one).post(rules::replace))
        .route("/rules/{id}/delete", post(rules::delete))
        .route("/rulesets", get(rulesets::list))
        .route("/rulesets/compare", get(rulesets::compare))
        .route("/rulesets/{version}", get(rulesets::one))
        .route("/rulesets/{version}/activate", post(rulesets::activate))
        .route("/replays", get(replays::list).post(replays::start))
        .route("/replays/{id}", get(replays::one))
        .route("/ip-lists", get(ip_lists::list).post(ip_lists::add))
        .route("/ip-lists/{id}/delete", post(ip_lists::delete))
}

/// Nodes, connectors, users, webhooks and the audit log.
fn of_settings() -> Router<App> {
    Router::new()
        .route("/nodes", get(nodes::list))
        .route("/nodes/{id}/release", post(nodes::release))
        .route("/nodes/{id}/remove", post(nodes::remove))
        .route("/alerts", get(context::page))
        .route("/connectors", get(connectors::page))
        .route("/connectors/bundle", post(connectors::bundle))
        .route("/connectors/keys", get(connectors::keys).post(connectors::add_key))
        .route("/connectors/keys/{id}/delete", post(connectors::delete_key))
        .route("/audit", get(audit::list))
        .route("/audit/{id}/undo", post(audit::undo))
        .route("/settings", get(settings::page))
        .route("/account/password", post(account::change_password))
        .route("/account/sessions/{id}/end", post(account::end_session))
        .route("/users", get(users::list).post(users::add))
        .route("/users/{id}", post(users::replace))
        .route("/users/{id}/delete", post(users::delete))
        .route("/tokens", get(tokens::list).post(tokens::add))
        .route("/tokens/{id}/delete", post(tokens::delete))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}/end", post(sessions::end))
        .route("/webhooks", get(webhooks::list).post(webhooks::add))
        .route("/webhooks/{id}", get(webhooks::one).post(webhooks::replace))
        .route("/webhooks/{id}/delete", post(webhooks::delete))
        .route("/webhooks/{id}/secret", post(webhooks::rotate_secret))
        .route("/webhooks/{id}/test", post(webhooks::test))
        .route("/webhooks/{id}/again", post(webhooks::again))
}

/// Security headers, and errors as pages.
pub(crate) async fn guarded(request: Request, next: Next) -> Response {
    let page = request.method().is_safe().then(|| request.uri().path_and_query().cloned()).flatten();
    let response = next.run(request).await;
    let mut response = error::as_page(response, page.as_ref().map(PathAndQuery::as_str));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A template as a response, with chips of invisible characters.
fn render(page: &impl askama::Template) -> Response {
    match page.render() {
        Ok(html) => Html(chips::with_chips(html)).into_response(),
        Err(cause) => {
            tracing::error!(error = %cause, "cannot render a page");
            axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
