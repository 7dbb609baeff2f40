//! What the configuration says of a request: who sent it, whether it is taken, which settings hold.

use super::{Node, Refusal};
use crate::{
    config::ProxyHeaders,
    routes::{RouteSettings, path},
};
use shared::{InspectRequest, Mode};
use std::sync::Arc;

/// A request's settings, and why it is not analysed, if so.
pub(super) struct Routed {
    pub(super) settings: Arc<RouteSettings>,
    pub(super) bypass: Option<Bypass>,
    /// The master switch, `connector.blocking`.
    pub(super) may_block: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bypass {
    ModeOff,
    InputFilters,
}

impl Bypass {
    /// As it is counted.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::ModeOff => "mode_off",
            Self::InputFilters => "input_filters",
        }
    }
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
        let is_taken = config.input_filters.take(request, &path);
        let bypass = match settings.mode.mode {
            Mode::Off => Some(Bypass::ModeOff),
            _ => (!is_taken).then_some(Bypass::InputFilters),
        };
        drop(path);
        if settings.application.is_some() {
            request.connector.get_or_insert_default().application = settings.application;
        }
        Ok(Routed { settings, bypass, may_block: config.connector.blocking })
    }
}
