//! Which settings hold for a request: by its host, then by its path as NGINX chooses a `location`.
//!
//! | module | holds |
//! |---|---|
//! | [`location`] | `= /x`, `^~ /x`, `~ x`, `~* x`, `/x`: parsed, and the best one for a path |
//! | [`glob`] | `*.example.com`: names with gaps, as the original's configuration writes hosts |

pub mod glob;
mod location;

pub use engine::rules::{bare, path};
pub use location::{Location, Locations, OutOfPlace, regex_cause};

use decision::{ModeAllowOverride, RouteSettings};
use glob::Glob;
use std::sync::Arc;

/// A route with those inside it.
#[derive(Debug)]
pub struct Route {
    pub settings: Arc<RouteSettings>,
    pub inner: Hosts,
}

/// All routes, and what holds where none does.
#[derive(Debug)]
pub struct Routes {
    pub default: Arc<RouteSettings>,
    /// How far the console may set the mode.
    pub mode_allow_override: ModeAllowOverride,
    pub hosts: Hosts,
}

/// The routes of one level by host, those for few hosts before those for many.
#[derive(Debug, Default)]
pub struct Hosts(Vec<(Option<Glob>, Locations)>);

impl Routes {
    /// The settings for a host, which may have a port, and a path, which has been normalised if it is to be.
    pub fn settings(&self, host: &str, path: &str) -> &Arc<RouteSettings> {
        let host = bare(host);
        self.hosts.find(&host, path).map_or(&self.default, |route| &route.settings)
    }
}

impl Hosts {
    /// The locations for a host; without one, for any.
    pub fn entry(&mut self, host: Option<Glob>) -> &mut Locations {
        if let Some(at) = self.0.iter().position(|(known, _)| *known == host) {
            return &mut self.0[at].1;
        }
        let rank = |host: &Option<Glob>| host.as_ref().map(Glob::precision);
        let at = self.0.iter().position(|(known, _)| rank(known) < rank(&host)).unwrap_or(self.0.len());
        self.0.insert(at, (host, Locations::default()));
        &mut self.0[at].1
    }

    /// The first host that fits and has a route for the path.
    fn find(&self, host: &str, path: &str) -> Option<&Route> {
        let fits = |glob: &Option<Glob>| glob.as_ref().is_none_or(|glob| glob.fits(host));
        let mut locations = self.0.iter().filter(|(glob, _)| fits(glob));
        locations.find_map(|(_, locations)| locations.find(host, path))
    }
}

#[cfg(test)]
mod tests;
