//! How a request is read and decided, for people and for machines. Nothing is recorded.

pub mod command;
pub mod http;
mod tree;

use crate::{
    decision::{self, Ruling},
    routes::RouteSettings,
};
use engine::{Engine, ExplainedField};
use serde::Serialize;
use shared::{Action, Finding, InspectRequest, Mode};
use std::fmt;

/// What the node makes of a request.
#[derive(Serialize)]
pub struct Explanation {
    mode: Mode,
    mode_source: String,
    would_block: bool,
    findings: Vec<Finding>,
    /// Each value that was looked at, with the layers peeled off it.
    fields: Vec<ExplainedField>,
    #[serde(skip)]
    ruling: Ruling,
}

impl Explanation {
    pub fn of(engine: &Engine, request: &InspectRequest, settings: &RouteSettings) -> Self {
        let findings = engine.inspect(request).findings;
        let mode = settings.mode.clone();
        let ruling = decision::rule(mode.mode, settings.overlimit, request.delivery, &findings);
        Self {
            mode: mode.mode,
            mode_source: mode.source,
            would_block: ruling.would_block,
            findings,
            fields: engine.explain(request),
            ruling,
        }
    }
}

/// The tree of points with what was read and found at each, then the verdict.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", tree::Branch::of(&self.fields))?;
        let action = match self.ruling.action {
            Action::Block => "block",
            Action::Allow => "allow",
        };
        let mut types: Vec<&str> = Vec::new();
        for title in self.findings.iter().map(|it| it.attack_type.title()) {
            if !types.contains(&title) {
                types.push(title);
            }
        }
        let reason = if types.is_empty() { "nothing found".to_owned() } else { types.join(", ") };
        writeln!(f, "\nverdict: {action} (mode {}): {reason}", self.mode.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(raw: &[u8], mode: Mode) -> Explanation {
        let settings = RouteSettings::of_mode(mode, "flag");
        Explanation::of(&Engine::new(), &http::parse(raw).unwrap(), &settings)
    }

    const ATTACK: &[u8] = b"POST /items?q=%253Cscript%253E HTTP/1.1\r\nHost: shop.example\r\n\
        Content-Type: application/json\r\n\r\n{\"a\":[1,\"fine\"],\"b\":\"PHNjcmlwdD4gd2l0aG91dA==\"}";

    #[test]
    fn the_tree_shows_points_layers_findings_and_the_verdict() {
        insta::assert_snapshot!(explained(ATTACK, Mode::Block));
    }

    #[test]
    fn machines_get_the_same() {
        let value = serde_json::to_value(explained(ATTACK, Mode::Monitoring)).unwrap();
        assert_eq!(value["would_block"], true);
        insta::assert_json_snapshot!(value["findings"][0]);
    }

    #[test]
    fn an_honest_request_is_allowed_and_control_characters_are_shown() {
        insta::assert_snapshot!(explained(b"GET /a%1b[2J?x=1 HTTP/1.1\nHost: h\n\n", Mode::Block));
    }
}
