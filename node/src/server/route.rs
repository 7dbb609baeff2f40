//! Routing: the configured settings of a request, and the client behind trusted proxies.

use super::{Node, Refusal};
use crate::{config::ProxyHeaders, routes::path};
use decision::{ModeAllowOverride, RouteSettings};
use shared::InspectRequest;
use std::sync::Arc;

/// The configured settings of a request.
pub(super) struct RoutedRequest {
    pub(super) settings: Arc<RouteSettings>,
    /// The input filters bypass the analysis.
    pub(super) is_bypassed: bool,
    /// `connector.blocking`
    pub(super) blocking: bool,
    pub(super) mode_allow_override: ModeAllowOverride,
}

impl Node {
    /// Resolves the client's address, the host and the application, and looks up the route.
    pub(super) fn route(&self, request: &mut InspectRequest) -> Result<RoutedRequest, Refusal> {
        let config = self.config.load();
        ProxyHeaders::resolve(&config.proxy_headers, request);
        if !config.connector.allows_host(&request.host) {
            return Err(Refusal::Host(request.host.clone()));
        }
        let normalizes = config.connector.url_normalize;
        let path = if normalizes { path::normalize(&request.path) } else { request.path.as_str().into() };
        let settings = config.route_config.settings(&request.host, &path).clone();
        let is_bypassed = !config.input_filters.take(request, &path);
        drop(path);
        if settings.application.is_some() {
            request.connector.get_or_insert_default().application = settings.application;
        }
        Ok(RoutedRequest {
            settings,
            is_bypassed,
            blocking: config.connector.blocking,
            mode_allow_override: config.route_config.mode_allow_override,
        })
    }
}
