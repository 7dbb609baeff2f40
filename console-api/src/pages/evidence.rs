//! How a payload was found: what was decoded on the way to it, and what the catalogues call it.

use super::raw::Piece;
use crate::{hit::RecordedHit, trial};
use shared::{Class, Finding, RecordedRequest, classification::names};

/// A finding with its story.
pub(super) struct Evidence {
    pub finding: Finding,
    pub class: Option<Class>,
    /// From the value as it was sent to the one the payload stood in.
    pub steps: Vec<Step>,
}

/// A stage of decoding.
pub(super) struct Step {
    /// The layer that was taken off; of the first, that it is the value itself.
    pub name: String,
    pub pieces: Vec<Piece>,
}

impl Evidence {
    /// The engine looks again at what was recorded, as stages are not. Where it finds something else, because something was
    /// masked or another version found it, the layers are named only.
    pub(super) fn of(hit: &RecordedHit, request: &RecordedRequest) -> Vec<Self> {
        let fields = trial::explain(request.clone());
        let story = |finding: &Finding| {
            let is_it =
                |other: &Finding| other.signature == finding.signature && other.point == finding.point;
            let field = fields.iter().find(|field| field.findings.iter().any(is_it));
            let named = || {
                finding.decoded.iter().map(|name| Step { name: name.clone(), pieces: Vec::new() }).collect()
            };
            field.map_or_else(named, |field| {
                // The payload stands in the layer that as many decoders had made as the finding names.
                let before =
                    field.decoded.iter().map(|name| Step { name: (*name).to_owned(), pieces: Vec::new() });
                let deepest = finding.decoded.len().saturating_sub(field.decoded.len());
                let layers = field.layers.iter().take(deepest + 1).enumerate();
                let shown = layers.map(|(depth, layer)| Step {
                    name: layer.name.to_owned(),
                    pieces: marked(&layer.value, if depth == deepest { &finding.payload } else { "" }),
                });
                before.chain(shown).collect()
            })
        };
        let evidence = |finding: &Finding| Self {
            class: finding.class.clone().or_else(|| Class::of(&finding.attack_type, &finding.signature)),
            steps: story(finding),
            finding: finding.clone(),
        };
        hit.findings.iter().map(evidence).collect()
    }

    /// Each entry of a catalogue: what it is called, and where it is explained.
    pub(super) fn catalogue(&self) -> Vec<(String, &'static str, String)> {
        let Some(class) = &self.class else { return Vec::new() };
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
        cwe.chain(owasp).chain(capec).collect()
    }
}

/// A text with the payload in it marked.
fn marked(text: &str, payload: &str) -> Vec<Piece> {
    let piece = |text: &str, is_payload| Piece { text: text.to_owned(), is_payload };
    match text.split_once(payload).filter(|_| !payload.is_empty()) {
        Some((before, after)) => vec![piece(before, false), piece(payload, true), piece(after, false)],
        None => vec![piece(text, false)],
    }
}
