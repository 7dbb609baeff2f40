//! Explanations: how a request is parsed and decided, as text or JSON. Nothing is recorded.

pub mod command;
pub mod http;
mod tree;

use decision::{Evaluation, Ruling};
use engine::{Engine, ExplainedField};
use serde::Serialize;
use shared::{Action, DecidedBy, Finding, InspectRequest, Mode, Reason, Sensitivity};
use std::{fmt, time::Duration};

/// The explanation of a request.
#[derive(Serialize)]
pub struct Explanation {
    mode: Mode,
    mode_source: String,
    action: Action,
    reason: Option<Reason>,
    would_block: bool,
    decided_by: DecidedBy,
    /// The score of the request, and the sensitivity that it was compared with.
    score: i32,
    sensitivity: Sensitivity,
    findings: Vec<Finding>,
    /// Duration of the evaluation; the explanation takes longer.
    analysis_micros: u64,
    /// Each inspected value with its decoding layers, and the findings in them.
    fields: Vec<ExplainedField>,
    #[serde(skip)]
    ruling: Ruling,
}

impl Explanation {
    /// Explains an evaluation.
    pub fn of(engine: &Engine, request: &InspectRequest, evaluation: Evaluation<'_>, took: Duration) -> Self {
        let fields = if evaluation.is_analyzed {
            engine.explain_with_rules(request, &evaluation.rules)
        } else {
            Vec::new()
        };
        let Evaluation { mode, findings, score, sensitivity, ruling, decided_by, .. } = evaluation;
        Self {
            mode: mode.mode,
            mode_source: mode.source,
            action: ruling.action,
            reason: ruling.reason.clone(),
            would_block: ruling.would_block,
            decided_by,
            score,
            sensitivity,
            findings,
            analysis_micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            fields,
            ruling,
        }
    }
}

/// The tree of points with their values and findings, then the verdict.
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
        let threshold = self.sensitivity.threshold();
        writeln!(f, "\nscore: {} (sensitivity {}: attacks from {threshold})", self.score, self.sensitivity)?;
        let suspicious = if self.ruling.is_suspicious { ", suspicious" } else { "" };
        writeln!(f, "verdict: {action} (mode {}){suspicious}: {reason}", self.mode.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(raw: &[u8], mode: Mode) -> Explanation {
        command::explain(&http::parse(raw).unwrap(), mode)
    }

    const ATTACK: &[u8] = b"POST /items?q=%253Cscript%253E HTTP/1.1\r\nHost: shop.example\r\n\
        Content-Type: application/json\r\n\r\n{\"a\":[1,\"fine\"],\"b\":\"PHNjcmlwdD4gd2l0aG91dA==\"}";

    #[test]
    fn the_text_shows_points_layers_findings_and_the_verdict() {
        insta::assert_snapshot!(explained(ATTACK, Mode::Block));
    }

    #[test]
    fn the_json_has_the_same_content() {
        let value = serde_json::to_value(explained(ATTACK, Mode::Monitoring)).unwrap();
        assert_eq!(value["would_block"], true);
        insta::assert_json_snapshot!(value["findings"][0]);
    }

    #[test]
    fn the_verdict_of_a_suspicious_request_says_so() {
        let request = b"POST /posts HTTP/1.1\nHost: h\nContent-Type: application/json\n\n\
            {\"html\":\"<iframe src=https://player.example/1></iframe> and some text\"}";
        let text = explained(request, Mode::Block).to_string();
        let verdict = "(sensitivity balanced: attacks from 5)\n\
            verdict: allow (mode block), suspicious: Cross-site scripting\n";
        assert!(text.ends_with(verdict), "{text}");
    }

    #[test]
    fn allows_a_benign_request_and_escapes_control_characters() {
        insta::assert_snapshot!(explained(b"GET /a%1b[2J?x=1 HTTP/1.1\nHost: h\n\n", Mode::Block));
    }
}
