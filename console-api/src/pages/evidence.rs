//! Evidence of a finding: the decoding steps to its payload, and its catalogue entries.

use super::{
    raw::{Piece, Raw},
    rules,
};
use crate::{hit::RecordedHit, simulation};
use engine::ExplainedField;
use shared::{Class, Finding, RecordedRequest, classification::names};
use uuid::Uuid;

/// The name of the value before decoding.
const SENT: &str = "as sent";

/// A finding with its decoding steps.
pub(super) struct Evidence {
    pub finding: Finding,
    pub class: Option<Class>,
    /// From the value as sent to the value with the payload.
    pub steps: Vec<Step>,
}

/// A decoding step.
pub(super) struct Step {
    /// The decoded layer.
    pub name: String,
    pub pieces: Vec<Piece>,
}

impl Evidence {
    /// The steps are not recorded: the engine analyzes the recorded request again. If it finds
    /// something else, because of a mask or another engine version, only the names of the layers
    /// are shown.
    pub(super) fn of(hit: &RecordedHit, request: &RecordedRequest, raw: &Raw) -> Vec<Self> {
        let fields = simulation::explain(request.clone());
        let evidence = |finding: &Finding| Self {
            class: finding.class.clone().or_else(|| Class::of(&finding.attack_type, &finding.signature)),
            steps: steps_of(finding, &fields, raw),
            finding: finding.clone(),
        };
        hit.findings.iter().map(evidence).collect()
    }

    /// The search for hits of the signature.
    pub(super) fn hits(&self) -> String {
        rules::search("signature", &self.finding.signature)
    }

    /// The rule of a detector.
    pub(super) fn rule(&self) -> Option<Uuid> {
        self.finding.signature.strip_prefix("rule-")?.parse().ok()
    }

    /// The catalogue entries: code, name, page.
    pub(super) fn catalogue(&self) -> Vec<(String, &'static str, String)> {
        let cve = self.finding.signature.strip_prefix("exploit-cve-").map(|number| {
            let page = format!("https://www.cve.org/CVERecord?id=CVE-{number}");
            (format!("CVE-{number}"), "Known exploit", page)
        });
        let Some(class) = &self.class else { return cve.into_iter().collect() };
        let cwe = class.cwe.iter().map(|number| {
            let page = format!("https://cwe.mitre.org/data/definitions/{number}.html");
            (format!("CWE-{number}"), names::cwe(*number), page)
        });
        let owasp = class.owasp.iter().map(|category| {
            let (_, year) = category.split_once(':').unwrap_or_default();
            (format!("OWASP {category}"), names::owasp(category), format!("https://owasp.org/Top10/{year}/"))
        });
        let capec = class.capec.iter().map(|number| {
            let page = format!("https://capec.mitre.org/data/definitions/{number}.html");
            (format!("CAPEC-{number}"), names::capec(*number), page)
        });
        cve.into_iter().chain(cwe).chain(owasp).chain(capec).collect()
    }
}

fn steps_of(finding: &Finding, fields: &[ExplainedField], raw: &Raw) -> Vec<Step> {
    let is_same = |other: &Finding| other.signature == finding.signature && other.point == finding.point;
    let Some(field) = fields.iter().find(|field| field.findings.iter().any(is_same)) else {
        return finding.decoded.iter().map(|name| Step { name: name.clone(), pieces: Vec::new() }).collect();
    };
    let decoders = field.decoded.join(", ");
    let sent = raw.value(&finding.point).filter(|_| !decoders.is_empty());
    let sent = sent.map(|value| Step { name: SENT.to_owned(), pieces: marked(value, "") });
    // The payload is in the layer after as many decoders as the finding lists.
    let deepest = finding.decoded.len().saturating_sub(field.decoded.len());
    let layers = field.layers.iter().take(deepest + 1).enumerate().map(|(depth, layer)| Step {
        name: match depth {
            0 if decoders.is_empty() => SENT.to_owned(),
            0 => decoders.clone(),
            _ => layer.name.to_owned(),
        },
        pieces: marked(&layer.value, if depth == deepest { &finding.payload } else { "" }),
    });
    sent.into_iter().chain(layers).collect()
}

/// A text, split around the payload.
fn marked(text: &str, payload: &str) -> Vec<Piece> {
    let piece = |text: &str, is_payload| Piece { text: text.to_owned(), is_payload };
    match text.split_once(payload).filter(|_| !payload.is_empty()) {
        Some((before, after)) => vec![piece(before, false), piece(payload, true), piece(after, false)],
        None => vec![piece(text, false)],
    }
}
