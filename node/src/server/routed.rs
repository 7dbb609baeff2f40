//! What the configuration says of a request: who sent it, whether it is taken, which settings hold.

use super::{Node, Refusal};
use crate::{config::ProxyHeaders, routes::path};
use decision::RouteSettings;
use shared::InspectRequest;
use std::sync::Arc;

/// A request's settings.
pub(super) struct Routed {
    pub(super) settings: Arc<RouteSettings>,
    /// The input filters bypass the analysis.
    pub(super) is_bypassed: bool,
    /// The master switch, `connector.blocking`.
    pub(super) blocking: bool,
}

impl Node {
    /// Puts the client's own address, its host and the application into the request, and finds its settings.
    pub(super) fn route(&self, request: &mut InspectRequest) -> Result<Routed, Refusal> {
        let config = self.config.load();
        ProxyHeaders::resolve(&config.proxy_headers, request);
        if !config.connector.allows_host(&request.host) {
            return Err(Refusal::Host);
        }
        let normalizes = config.connector.url_normalize;
        let path = if normalizes { path::normalize(&request.path) } else { request.path.as_str().into() };
        let settings = config.route_config.settings(&request.host, &path).clone();
        let is_bypassed = !config.input_filters.take(request, &path);
        drop(path);
        if settings.application.is_some() {
            request.connector.get_or_insert_default().application = settings.application;
        }
        Ok(Routed { settings, is_bypassed, blocking: config.connector.blocking })
    }
}
