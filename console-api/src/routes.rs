//! The routes of the API, health checks and metrics.

mod account;
mod attacks;
mod audit;
mod cef;
mod connectors;
mod contents;
mod coverage;
mod exclusions;
mod export;
mod health;
mod hits;
mod ingest;
mod ip_lists;
mod marks;
mod metrics;
mod node_config;
mod nodes;
mod not_inspected;
mod ocsf;
mod overview;
mod replays;
mod requests;
mod rule_tests;
mod rules;
mod rulesets;
mod sessions;
mod signing_keys;
mod stream;
mod tokens;
mod users;
mod views;
mod webhooks;

pub(crate) use metrics::count;

use crate::{app::App, error::ApiError, openapi};
use axum::{
    Router,
    body::Bytes,
    extract::DefaultBodyLimit,
    http::{HeaderValue, Uri, header},
    middleware,
    response::Response,
    routing::get,
};
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt as _},
    routes,
};

/// The routes for programs, and the OpenAPI document of the API.
pub(crate) fn table() -> (Router<App>, Value) {
    let (api, document) = api();
    let routes = Router::new()
        .route("/live", get(health::live))
        .route("/ready", get(health::ready))
        .route("/metrics", get(metrics::show))
        .nest(openapi::BASE, api);
    (routes, document)
}

/// The API, and its OpenAPI document.
fn api() -> (Router<App>, Value) {
    let (documented, collected) = documented().split_for_parts();
    let document = openapi::document(&collected);
    let text = Bytes::from(document.to_string());
    let api = documented
        .route("/openapi.json", get(async || ([(header::CONTENT_TYPE, "application/json")], text)))
        .fallback(async |uri: Uri| {
            ApiError::not_found("endpoint", format!("{}{}", openapi::BASE, uri.path()))
        })
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(middleware::map_response(private));
    (api, document)
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Beginning::openapi())
        .routes(routes!(attacks::list))
        .routes(routes!(export::csv))
        .routes(routes!(export::ndjson))
        .routes(routes!(ocsf::findings))
        .routes(routes!(cef::cef))
        .routes(routes!(attacks::stats))
        .routes(routes!(stream::attacks))
        .routes(routes!(attacks::schema))
        .routes(routes!(attacks::one))
        .routes(routes!(attacks::hits))
        .routes(routes!(marks::mark))
        .routes(routes!(overview::read))
        .routes(routes!(requests::list))
        .routes(routes!(requests::stats))
        .routes(routes!(export::requests_csv))
        .routes(routes!(export::requests_ndjson))
        .routes(routes!(stream::requests))
        .routes(routes!(audit::list))
        .routes(routes!(hits::list))
        .routes(routes!(hits::one))
        .routes(routes!(exclusions::exclude))
        .routes(routes!(contents::declare))
        .routes(routes!(not_inspected::list))
        .routes(routes!(coverage::list))
        .routes(routes!(rules::list, rules::add))
        .routes(routes!(rule_tests::test))
        .routes(routes!(rules::one, rules::replace, rules::delete))
        .routes(routes!(rules::activity))
        .routes(routes!(replays::list, replays::start))
        .routes(routes!(replays::one))
        .routes(routes!(views::list, views::add))
        .routes(routes!(views::one, views::change, views::delete))
        .routes(routes!(webhooks::list, webhooks::add))
        .routes(routes!(webhooks::one, webhooks::replace, webhooks::delete))
        .routes(routes!(webhooks::rotate_secret))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::retry))
        .routes(routes!(rulesets::list))
        .routes(routes!(rulesets::one))
        .routes(routes!(rulesets::difference))
        .routes(routes!(rulesets::activate))
        .routes(routes!(ip_lists::list, ip_lists::add))
        .routes(routes!(ip_lists::one, ip_lists::replace, ip_lists::delete))
        .routes(routes!(ip_lists::activity))
        .routes(routes!(node_config::current))
        .routes(routes!(nodes::list))
        .routes(routes!(nodes::remove))
        .routes(routes!(nodes::release))
        .routes(routes!(connectors::list))
        .routes(routes!(connectors::cloudfront_bundle))
        .routes(routes!(signing_keys::signing_keys, signing_keys::add_signing_key))
        .routes(routes!(signing_keys::delete_signing_key))
        .merge(access())
        .routes(routes!(ingest::take).layer(DefaultBodyLimit::max(ingest::BODY_LIMIT)))
}

/// Users, sessions and tokens.
fn access() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(users::list, users::add))
        .routes(routes!(users::one, users::replace, users::delete))
        .routes(routes!(sessions::list, sessions::open))
        .routes(routes!(sessions::close))
        .routes(routes!(sessions::end))
        .routes(routes!(account::one))
        .routes(routes!(account::change_password))
        .routes(routes!(account::end_session))
        .routes(routes!(tokens::list, tokens::add))
        .routes(routes!(tokens::delete))
}

/// Responses contain payloads: caches must not store them, browsers must not sniff their type.
async fn private(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_in_the_document() {
        let (api, document) = api();
        let paths = document["paths"].as_object().unwrap().keys().map(String::as_str);
        // Undocumented: the document itself, and the router's fallback routes.
        let apart = ["/openapi.json", "/", "/{*__private__axum_fallback}"];
        let described: BTreeSet<_> = paths.chain(apart).collect();
        // The router lists its routes only in its debug output.
        let shown = format!("{api:?}");
        let routes: BTreeSet<_> = shown.split('"').filter(|text| text.starts_with('/')).collect();
        assert_eq!(routes, described);
        assert!(routes.contains("/attacks/{id}"));
    }
}
