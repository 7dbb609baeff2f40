//! Bodies of webhook calls.

use super::PublicUrl;
use crate::{
    attack::{Attack, AttackDigest, CountryHits, cef},
    coverage::{Fall, ShareKind},
    ruleset::Version,
    webhook::{Digest, Event, Format, Webhook},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Slack rejects sections of more than 3,000 characters.
const MAX_SECTION: usize = 3_000;
const MAX_CHARS: usize = 500;
/// Countries in a line.
const COUNTRIES: usize = 5;

/// Composes messages for a webhook.
pub(super) struct Composer<'a> {
    pub(super) webhook: &'a Webhook,
    pub(super) public_url: &'a PublicUrl,
    pub(super) at: Timestamp,
}

/// An attack with its countries and its page.
#[derive(Serialize)]
struct Linked<'a> {
    #[serde(flatten)]
    attack: &'a Attack,
    /// The countries with the most hits first; empty: not known.
    countries: &'a [CountryHits],
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl Composer<'_> {
    /// The body for an attack that matches the query.
    pub(super) fn attack(&self, attack: &Attack, countries: &[CountryHits]) -> String {
        let url = self.public_url.attack(attack.id);
        match self.webhook.draft.format {
            Format::Standard => self.standard("attack.matched", &json!(Linked { attack, countries, url })),
            Format::Slack => {
                let head =
                    format!("{} in {} at {}{}", attack.title, attack.parameter, attack.host, attack.path);
                let mut counts = format!(
                    "{}: {}, {} blocked, from {}",
                    attack.status.title(),
                    number(attack.hits, "hit"),
                    attack.blocked,
                    number(attack.sources, "source"),
                );
                if !countries.is_empty() {
                    counts = format!("{counts} in {}", names(countries));
                }
                let mut sections = vec![format!("*{}*\n{}", escaped(&head), escaped(&counts))];
                if let Some(payload) = &attack.payload {
                    sections.push(format!("```{}```", escaped(payload).replace('`', "'")));
                }
                let end = format!("Attack {}, first seen {}", attack.id, attack.first_seen);
                sections.push(with_link(end, url.as_deref(), "Open the attack"));
                slack(&head, &sections)
            }
            Format::Cef => cef::linked_event(attack, &names(countries), url.as_deref()),
        }
    }

    /// The body for the attacks of a period.
    pub(super) fn digest(&self, digest: &AttackDigest) -> String {
        let from = digest.from.min(digest.first_last_seen);
        let url = self.public_url.search(&self.webhook.draft.query, from, digest.to);
        let summary = format!(
            "{} from {} to {}: {}, {} blocked",
            number(digest.attacks, "attack"),
            digest.from,
            digest.to,
            number(digest.hits, "hit"),
            digest.blocked
        );
        match self.webhook.draft.format {
            Format::Standard => {
                let linked = digest.largest.iter().map(|(attack, countries)| {
                    json!(Linked { attack, countries, url: self.public_url.attack(attack.id) })
                });
                let mut data = json!(digest);
                data["largest"] = linked.collect();
                if let Some(url) = url {
                    data["url"] = url.into();
                }
                self.standard(Digest::EVENT, &data)
            }
            Format::Slack => {
                let mut sections = vec![format!("*{}*", escaped(&summary))];
                sections.extend(tops(digest).iter().map(|line| escaped(line)));
                sections.extend(digest.largest.iter().map(|(attack, _)| self.line(attack)));
                let rest = digest.attacks.saturating_sub(digest.largest.len() as u64);
                let end =
                    if rest > 0 { format!("and {}", number(rest, "other attack")) } else { String::new() };
                let end = with_link(end, url.as_deref(), "Open the search");
                sections.extend(Some(end).filter(|end| !end.is_empty()));
                slack(&summary, &sections)
            }
            Format::Cef => {
                let text = format!("{summary}; {}", tops(digest).join("; "));
                cef::digest(Digest::EVENT, digest, &text, url.as_deref())
            }
        }
    }

    /// An attack in a list, for Slack.
    fn line(&self, attack: &Attack) -> String {
        let text = format!(
            "{} at {}{}: {}, {} blocked",
            attack.title,
            attack.host,
            attack.path,
            number(attack.hits, "hit"),
            attack.blocked
        );
        with_link(format!("• {}", escaped(&text)), self.public_url.attack(attack.id).as_deref(), "Open")
    }

    /// The body for another event.
    pub(super) fn event(&self, event: &Event) -> String {
        let (text, mut data, url) = match event {
            Event::NodeUnreachable { node, since } => (
                format!(
                    "Node {node} is unreachable, last seen {since}. Requests may pass without inspection."
                ),
                json!({"node_id": node, "since": since}),
                self.public_url.nodes(),
            ),
            Event::NodeRecovered { node, since } => (
                format!("Node {node} reports again. It was unreachable since {since}."),
                json!({"node_id": node, "since": since}),
                self.public_url.nodes(),
            ),
            Event::NotInspected { requests } => {
                let were = if *requests == 1 { "request was" } else { "requests were" };
                let text = format!("At least {requests} {were} not inspected.");
                (text, json!({"requests": requests}), self.public_url.not_inspected())
            }
            Event::RulesChanged { version, kinds } => {
                let mut data = json!(version);
                data["kinds"] = json!(kinds);
                (changed(version, kinds), data, self.public_url.ruleset(version.version))
            }
            Event::CoverageFell { distribution, day, fall, requests } => {
                let mut data = json!(fall);
                data["distribution"] = json!(distribution);
                data["day"] = json!(day);
                data["requests"] = json!(requests);
                (fell(distribution, day, fall), data, self.public_url.coverage(distribution))
            }
        };
        match self.webhook.draft.format {
            Format::Standard => {
                if let Some(url) = url {
                    data["url"] = url.into();
                }
                self.standard(event.kind(), &data)
            }
            Format::Slack => slack(&text, &[with_link(escaped(&text), url.as_deref(), "Open the console")]),
            Format::Cef => cef::notice(event.kind(), category(event), &text, url.as_deref()),
        }
    }

    /// The body of a test.
    pub(super) fn test(&self) -> String {
        let name = &self.webhook.draft.name;
        let text = format!("This is a test of the webhook {name}.");
        match self.webhook.draft.format {
            Format::Standard => {
                self.standard("webhook.test", &json!({"webhook_id": self.webhook.id, "name": name}))
            }
            Format::Slack => slack(&text, &[escaped(&text)]),
            Format::Cef => cef::test(&text),
        }
    }

    fn standard(&self, kind: &str, data: &Value) -> String {
        json!({"type": kind, "timestamp": self.at, "data": data}).to_string()
    }
}

/// The CEF category of an event.
fn category(event: &Event) -> &'static str {
    match event {
        Event::NodeUnreachable { .. }
        | Event::NodeRecovered { .. }
        | Event::NotInspected { .. }
        | Event::CoverageFell { .. } => "health",
        Event::RulesChanged { .. } => "change",
    }
}

/// A version of the ruleset in a sentence.
fn changed(version: &Version, kinds: &BTreeSet<String>) -> String {
    let Version { version: number, actor, created, changed, deleted, activated, .. } = version;
    let counts = [("added", created), ("changed", changed), ("deleted", deleted)];
    let counts = counts.iter().filter(|(_, count)| **count > 0);
    let counts: Vec<String> = counts.map(|(verb, count)| format!("{count} {verb}")).collect();
    let mut text = match activated {
        Some(older) => format!("{actor} rolled back to version {older} of the ruleset as version {number}"),
        None => format!("{actor} published version {number} of the ruleset"),
    };
    if !counts.is_empty() {
        text = format!("{text}: {}", counts.join(", "));
    }
    if !kinds.is_empty() {
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        text = format!("{text} ({})", kinds.join(", "));
    }
    text + "."
}

/// A fall of coverage in a sentence.
fn fell(distribution: &str, day: &str, fall: &Fall) -> String {
    let what = match fall.share {
        ShareKind::Inspected => "requests inspected",
        ShareKind::Edge => "requests inspected by functions, cached ones apart",
    };
    format!(
        "Coverage of {distribution} fell on {day}: {what}: {}%, in the seven days before {}%.",
        fall.percent, fall.before_percent
    )
}

/// The lines of a digest below its summary.
fn tops(digest: &AttackDigest) -> Vec<String> {
    let top = |title: &str, values: Vec<String>| {
        (!values.is_empty()).then(|| format!("{title}: {}", values.join(", ")))
    };
    let types = digest.types.iter().map(|one| format!("{} ({})", one.title, one.attacks)).collect();
    let hosts = digest.hosts.iter().map(|one| format!("{} ({})", one.host, one.attacks)).collect();
    let sources = digest.sources.iter().map(|one| format!("{} ({})", one.ip, number(one.hits, "hit")));
    let countries = (!digest.countries.is_empty()).then(|| names(&digest.countries));
    let lines = [
        top("Types", types),
        top("Hosts", hosts),
        top("Sources", sources.collect()),
        top("Countries", countries.into_iter().collect()),
    ];
    lines.into_iter().flatten().collect()
}

/// The codes of countries with their hits.
fn names(countries: &[CountryHits]) -> String {
    let names: Vec<String> =
        countries.iter().take(COUNTRIES).map(|one| format!("{} ({})", one.country, one.hits)).collect();
    let rest = countries.len().saturating_sub(COUNTRIES);
    let others = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    names.join(", ") + &others
}

/// "1 hit", "2 hits".
fn number(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A text of Slack with a link after it, unless the link, e.g. to a long search, is too long.
fn with_link(text: String, url: Option<&str>, title: &str) -> String {
    let link = url.map(|url| format!("<{}|{title}>", url.replace('&', "&amp;")));
    match link.filter(|link| text.len() + link.len() < MAX_SECTION) {
        Some(link) if text.is_empty() => link,
        Some(link) => format!("{text} · {link}"),
        None => text,
    }
}

/// `verbatim`: Slack does not turn URLs and channel names in payloads into links.
fn slack(text: &str, sections: &[String]) -> String {
    let section = |text: &String| json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
    let blocks: Vec<Value> = sections.iter().map(section).collect();
    json!({"text": escaped(text), "blocks": blocks}).to_string()
}

/// Escapes the three special characters of Slack, and removes line breaks, which could imitate
/// other parts.
fn escaped(text: &str) -> String {
    let mut escaped: String = String::new();
    for character in text.chars().take(MAX_CHARS) {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
