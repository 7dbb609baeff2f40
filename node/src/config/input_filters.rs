//! `input_filters`: requests that bypass the analysis.

use super::section::{Part, Section};
use regex::Regex;
use shared::{InspectRequest, ruleset::Network};

/// Requests that match `bypass`, or do not match a non-empty `inspect`, are not analyzed.
#[derive(Debug, Default)]
pub struct InputFilters {
    inspect: Vec<InputFilter>,
    bypass: Vec<InputFilter>,
}

/// Every condition has to match.
#[derive(Debug)]
struct InputFilter {
    path: Option<Regex>,
    /// Any header of this name.
    headers: Vec<(String, Regex)>,
    /// Networks of the client.
    networks: Vec<Network>,
}

impl InputFilters {
    /// Whether a request is analyzed; the path is normalized if so configured.
    pub fn take(&self, request: &InspectRequest, path: &str) -> bool {
        let holds = |filter: &InputFilter| filter.matches(request, path);
        !self.bypass.iter().any(holds) && (self.inspect.is_empty() || self.inspect.iter().any(holds))
    }
}

impl InputFilter {
    fn matches(&self, request: &InspectRequest, path: &str) -> bool {
        let has_header = |(wanted, regex): &(String, Regex)| {
            let mut values = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
            values.any(|(_, value)| regex.is_match(value))
        };
        self.path.as_ref().is_none_or(|regex| regex.is_match(path))
            && self.headers.iter().all(has_header)
            && (self.networks.is_empty() || self.networks.iter().any(|it| it.contains(request.client_ip)))
    }
}

impl Part for InputFilters {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        Some(Self { inspect: section.sections("inspect"), bypass: section.sections("bypass") })
    }
}

impl Part for InputFilter {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let (path, url) = (section.optional("path"), section.optional("url"));
        let (headers, networks) = (section.map("headers"), section.list("ip_addresses", Vec::new()));
        if !["path", "url", "headers", "ip_addresses"].iter().any(|key| section.has(key)) {
            section.wrong(
                "path",
                "is missing, and so are `headers` and `ip_addresses`: an empty filter would match every request",
            );
        }
        if section.has("path") && section.has("url") {
            section.wrong("url", "is the same as `path`: remove one of them");
        }
        Some(Self { path: path.or(url), headers, networks })
    }
}
