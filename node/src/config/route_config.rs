//! `route_config`: mode, application, overlimit action, sensitivity and upload policy, by host and path.

use super::{
    scalar::{Scalar, words},
    section::{Part, Section},
};
use crate::routes::{Hosts, Location, Route, Routes, glob::Glob};
use decision::{EffectiveMode, ModeAllowOverride, RouteSettings};
use shared::{Mode, Sensitivity, ruleset::OverlimitAction};
use std::sync::Arc;

/// The enclosing route: settings and host are inherited, its location must contain the inner one.
struct Enclosing {
    settings: Arc<RouteSettings>,
    host: Option<Glob>,
    location: Location,
}

impl Part for Routes {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let mode = section.or("wallarm_mode", Mode::Monitoring);
        let Application(application) = section.or("wallarm_application", Application(None));
        let overlimit = section.or("overlimit", OverlimitAction::Auto);
        let sensitivity = section.or("sensitivity", Sensitivity::default());
        let uploads = section.optional_section("uploads").map(Arc::new);
        ignore_tenant(section);
        let mode_allow_override = section.or("wallarm_mode_allow_override", ModeAllowOverride::On);
        let mode = EffectiveMode { mode, source: "config".to_owned() };
        let default = Arc::new(RouteSettings { mode, application, overlimit, sensitivity, uploads });
        let enclosing = Enclosing { settings: default.clone(), host: None, location: Location::everything() };
        Some(Self { default, mode_allow_override, hosts: read_routes(section, &enclosing) })
    }
}

fn read_routes(section: &mut Section<'_>, enclosing: &Enclosing) -> Hosts {
    let mut hosts = Hosts::default();
    section.each("routes", |section| read_route(section, enclosing, &mut hosts));
    hosts
}

fn read_route(section: &mut Section<'_>, enclosing: &Enclosing, hosts: &mut Hosts) -> Option<()> {
    let host: Option<Glob> = section.optional("host");
    let path: Option<RoutePath> = section.optional("route");
    let (has_host, has_path, has_location) = (section.has("host"), section.has("route"), path.is_some());
    let effective_host = host.clone().or_else(|| enclosing.host.clone());
    let source = source(effective_host.as_ref(), path.as_ref());
    let location = path.map_or_else(Location::everything, |path| path.location);
    let settings = Arc::new(read_settings(section, &enclosing.settings, source));
    let inside = location.check_inside(&enclosing.location);
    let within = Enclosing { settings, host: effective_host, location };
    let inner = read_routes(section, &within);
    if has_host != host.is_some() || has_path != has_location {
        return None;
    }
    if !has_host && !has_path {
        section.wrong("route", "is missing, and so is `host`");
        return None;
    }
    let route = Route { settings: within.settings, inner };
    let result = inside.and_then(|()| hosts.entry(host).add(within.location, route));
    result.map_err(|cause| section.wrong("route", cause)).ok()
}

/// The mode source of a route: `route:shop.example.com/api`, `route:~ \.php$`.
fn source(host: Option<&Glob>, path: Option<&RoutePath>) -> String {
    let (host, path) = (host.map_or("", Glob::text), path.map_or("", |path| path.text.as_str()));
    let gap = if host.is_empty() || path.is_empty() || path.starts_with('/') { "" } else { " " };
    format!("route:{host}{gap}{path}")
}

fn read_settings(section: &mut Section<'_>, enclosing: &RouteSettings, source: String) -> RouteSettings {
    let mode = section.optional("wallarm_mode").map(|mode| EffectiveMode { mode, source });
    let application = section.optional("wallarm_application").map(|Application(it)| it);
    let overlimit = section.optional("overlimit");
    let sensitivity = section.optional("sensitivity");
    let uploads = section.optional_section("uploads").map(Arc::new);
    ignore_tenant(section);
    RouteSettings {
        mode: mode.unwrap_or_else(|| enclosing.mode.clone()),
        application: application.unwrap_or(enclosing.application),
        overlimit: overlimit.unwrap_or(enclosing.overlimit),
        sensitivity: sensitivity.unwrap_or(enclosing.sensitivity),
        uploads: uploads.or_else(|| enclosing.uploads.clone()),
    }
}

fn ignore_tenant(section: &mut Section<'_>) {
    section.ignored("wallarm_partner_client_uuid", "a console and its nodes serve one tenant");
}

/// `-1` means none.
struct Application(Option<u32>);

impl Scalar for Application {
    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "-1" => Ok(Self(None)),
            Ok(id @ 1..) => Ok(Self(Some(id))),
            _ => Err("must be a whole number from 1 to 4294967295, or -1 for none".to_owned()),
        }
    }

    fn shown(&self) -> String {
        self.0.map_or_else(|| "-1".to_owned(), |id| id.to_string())
    }
}

/// A location and its spelling.
struct RoutePath {
    text: String,
    location: Location,
}

impl Scalar for RoutePath {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.trim().to_owned(), location: Location::parse(text.trim())? })
    }

    fn shown(&self) -> String {
        self.text.clone()
    }
}

impl Scalar for Glob {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("must not be empty".to_owned()) } else { Self::new(text) }
    }

    fn shown(&self) -> String {
        self.text().to_owned()
    }
}

words! { ModeAllowOverride:
    "on" => ModeAllowOverride::On,
    "strict" => ModeAllowOverride::Strict,
    "off" => ModeAllowOverride::Off,
}

words! { Sensitivity:
    "low" => Sensitivity::Low,
    "balanced" => Sensitivity::Balanced,
    "strict" => Sensitivity::Strict,
}

words! { OverlimitAction:
    "auto" => OverlimitAction::Auto,
    "monitor" => OverlimitAction::Monitor,
    "block" => OverlimitAction::Block,
}
