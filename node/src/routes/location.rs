//! Locations with the syntax and precedence of NGINX's `location`.

use super::Route;
use regex::{Regex, RegexBuilder};

/// `[= | ^~ | ~ | ~*] path`.
#[derive(Debug, Clone)]
pub enum Location {
    Exact(String),
    /// `is_final`: as the longest match it suppresses regular expressions.
    Prefix {
        path: String,
        is_final: bool,
    },
    Regex(Regex),
}

/// The locations of one level. Order matters among regular expressions only.
#[derive(Debug, Default)]
pub struct Locations {
    exact: Vec<(String, Route)>,
    /// Longest first.
    prefixes: Vec<(String, bool, Route)>,
    regexes: Vec<(Regex, Route)>,
}

/// Why a location is not allowed at its position.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    #[error("is defined twice for the same hosts")]
    Twice,
    #[error("is outside of its enclosing route")]
    Outside,
    #[error("is inside a route that matches a single path")]
    InsideExact,
}

impl Location {
    /// Any path.
    pub fn everything() -> Self {
        Self::Prefix { path: String::new(), is_final: false }
    }

    pub fn parse(text: &str) -> Result<Self, String> {
        let (modifier, path) = match text.split_once(char::is_whitespace) {
            Some((modifier, path)) => (modifier, path.trim_start()),
            None => split_modifier(text),
        };
        let regex = |ignores_case| {
            let regex = RegexBuilder::new(path).case_insensitive(ignores_case).build();
            regex
                .map(Self::Regex)
                .map_err(|error| format!("must be a regular expression: {}", regex_cause(&error)))
        };
        let rooted = || {
            let is_rooted = path.starts_with('/') && !path.contains(char::is_whitespace);
            is_rooted.then(|| path.to_owned()).ok_or_else(|| EXPECTED.to_owned())
        };
        match modifier {
            "=" => rooted().map(Self::Exact),
            "^~" => Ok(Self::Prefix { path: rooted()?, is_final: true }),
            "" => Ok(Self::Prefix { path: rooted()?, is_final: false }),
            "~" => regex(false),
            "~*" => regex(true),
            _ => Err(EXPECTED.to_owned()),
        }
    }

    /// Checks that every match also matches the enclosing location. Regular expressions are not
    /// compared.
    pub fn check_inside(&self, outer: &Self) -> Result<(), LocationError> {
        match (outer, self) {
            (Self::Exact(_), _) => Err(LocationError::InsideExact),
            (Self::Prefix { path: outer_path, .. }, Self::Exact(path) | Self::Prefix { path, .. })
                if !path.starts_with(outer_path) && !path.is_empty() =>
            {
                Err(LocationError::Outside)
            }
            _ => Ok(()),
        }
    }
}

const EXPECTED: &str = "must be a path such as /api, = /login, ^~ /static/, ~ \\.php$ or ~* \\.php$";

/// The cause of an invalid regular expression: the last line of the parser's message, after the
/// quoted text.
pub fn regex_cause(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// The space may be left out: `~*\.php$`.
fn split_modifier(text: &str) -> (&str, &str) {
    let modifiers = ["^~", "~*", "~", "="];
    modifiers
        .iter()
        .find_map(|modifier| Some((*modifier, text.strip_prefix(modifier)?)))
        .unwrap_or(("", text))
}

impl Locations {
    pub fn add(&mut self, location: Location, route: Route) -> Result<(), LocationError> {
        match location {
            Location::Exact(path) => {
                let is_known = self.exact.iter().any(|(known, _)| *known == path);
                self.exact.push((path, route));
                if is_known { Err(LocationError::Twice) } else { Ok(()) }
            }
            Location::Prefix { path, is_final } => {
                let is_known = self.prefixes.iter().any(|(known, ..)| *known == path);
                let at = self.prefixes.partition_point(|(longer, ..)| longer.len() >= path.len());
                self.prefixes.insert(at, (path, is_final, route));
                if is_known { Err(LocationError::Twice) } else { Ok(()) }
            }
            Location::Regex(regex) => {
                self.regexes.push((regex, route));
                Ok(())
            }
        }
    }

    /// An exact path; else a route inside the longest prefix; else, unless that prefix is final,
    /// the first regular expression; else the prefix.
    pub(super) fn find(&self, host: &str, path: &str) -> Option<&Route> {
        if let Some((_, route)) = self.exact.iter().find(|(exact, _)| exact == path) {
            return Some(route);
        }
        let prefix = self.prefixes.iter().find(|(prefix, ..)| path.starts_with(prefix));
        let inside = prefix.and_then(|(.., route)| route.inner.find(host, path));
        if inside.is_some() {
            return inside;
        }
        let is_final = prefix.is_some_and(|(_, is_final, _)| *is_final);
        let regex = self.regexes.iter().find(|(regex, _)| !is_final && regex.is_match(path));
        match regex {
            Some((_, route)) => Some(route.inner.find(host, path).unwrap_or(route)),
            None => prefix.map(|(.., route)| route),
        }
    }
}
