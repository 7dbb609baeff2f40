//! Routing: the settings of a request by host, then by path as NGINX chooses a `location`.
//!
//! | module | holds |
//! |---|---|
//! | [`location`] | `= /x`, `^~ /x`, `~ x`, `~* x`, `/x`: parsing, and the best match of a path |
//! | [`glob`] | host patterns such as `*.example.com` |

pub mod glob;
mod location;

pub use engine::rules::{normalize_host, path};
pub use location::{Location, LocationError, Locations, regex_cause};

use decision::{ModeAllowOverride, RouteSettings};
use glob::Glob;
use std::sync::Arc;

/// A route and its inner routes.
#[derive(Debug)]
pub struct Route {
    pub settings: Arc<RouteSettings>,
    pub inner: Hosts,
}

/// All routes, and the settings without a route.
#[derive(Debug)]
pub struct Routes {
    pub default: Arc<RouteSettings>,
    pub mode_allow_override: ModeAllowOverride,
    pub hosts: Hosts,
}

/// The routes of one level by host, specific patterns first.
#[derive(Debug, Default)]
pub struct Hosts(Vec<(Option<Glob>, Locations)>);

impl Routes {
    /// The settings for a host, with or without a port, and a path, normalized if so configured.
    pub fn settings(&self, host: &str, path: &str) -> &Arc<RouteSettings> {
        let host = normalize_host(host);
        self.hosts.find(&host, path).map_or(&self.default, |route| &route.settings)
    }
}

impl Hosts {
    /// The locations of a host pattern; without one, of any host.
    pub fn entry(&mut self, host: Option<Glob>) -> &mut Locations {
        if let Some(at) = self.0.iter().position(|(known, _)| *known == host) {
            return &mut self.0[at].1;
        }
        let rank = |host: &Option<Glob>| host.as_ref().map(Glob::precision);
        let at = self.0.iter().position(|(known, _)| rank(known) < rank(&host)).unwrap_or(self.0.len());
        self.0.insert(at, (host, Locations::default()));
        &mut self.0[at].1
    }

    /// The first host that matches and has a route for the path.
    fn find(&self, host: &str, path: &str) -> Option<&Route> {
        let matches = |glob: &Option<Glob>| glob.as_ref().is_none_or(|glob| glob.matches(host));
        let mut locations = self.0.iter().filter(|(glob, _)| matches(glob));
        locations.find_map(|(_, locations)| locations.find(host, path))
    }
}

#[cfg(test)]
mod tests;
