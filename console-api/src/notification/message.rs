//! Bodies of webhook calls.

use crate::{
    attack::{Attack, cef},
    webhook::{Event, Format, Webhook},
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Slack cuts sections at 3,000 characters.
const MAX_CHARS: usize = 500;

/// The body for an attack that matches the query.
pub(super) fn matched(format: Format, attack: &Attack, at: Timestamp) -> String {
    match format {
        Format::Standard => event("attack.matched", at, &json!(attack)),
        Format::Slack => {
            let head = format!("{} in {} at {}{}", attack.title, attack.parameter, attack.host, attack.path);
            let hits = if attack.hits == 1 { "hit" } else { "hits" };
            let counts =
                format!("{}: {} {hits}, {} blocked", attack.status.title(), attack.hits, attack.blocked);
            let mut sections = vec![format!("*{}*\n{}", escaped(&head), escaped(&counts))];
            if let Some(payload) = &attack.payload {
                sections.push(format!("```{}```", escaped(payload).replace('`', "'")));
            }
            sections.push(format!("Attack {}, first seen {}", attack.id, attack.first_seen));
            slack(&head, &sections)
        }
        Format::Cef => cef::event(attack),
    }
}

/// The body for another event.
pub(super) fn notice(format: Format, notice: &Event, at: Timestamp) -> String {
    let (text, data) = match notice {
        Event::NodeUnreachable { node, since } => (
            format!("Node {node} is unreachable, last seen {since}. Requests may pass without inspection."),
            json!({"node_id": node, "since": since}),
        ),
        Event::NodeRecovered { node, since } => (
            format!("Node {node} reports again. It was unreachable since {since}."),
            json!({"node_id": node, "since": since}),
        ),
        Event::NotInspected { requests } => {
            let were = if *requests == 1 { "request was" } else { "requests were" };
            (format!("At least {requests} {were} not inspected."), json!({"requests": requests}))
        }
    };
    match format {
        Format::Standard => event(notice.kind(), at, &data),
        Format::Slack => slack(&text, &[escaped(&text)]),
        Format::Cef => cef::notice(notice.kind(), &text),
    }
}

/// The body of a test.
pub(super) fn test(webhook: &Webhook, at: Timestamp) -> String {
    let name = &webhook.draft.name;
    match webhook.draft.format {
        Format::Standard => event("webhook.test", at, &json!({"webhook_id": webhook.id, "name": name})),
        Format::Slack => {
            let text = format!("This is a test of the webhook {name}.");
            slack(&text, &[escaped(&text)])
        }
        Format::Cef => cef::test(&format!("This is a test of the webhook {name}.")),
    }
}

fn event(kind: &str, at: Timestamp, data: &Value) -> String {
    json!({"type": kind, "timestamp": at, "data": data}).to_string()
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
mod tests {
    use super::*;

    #[test]
    fn a_payload_cannot_mention_or_link() {
        assert_eq!(escaped("<!channel> & <http://a|b>\n"), "&lt;!channel&gt; &amp; &lt;http://a|b&gt; ");
        assert_eq!(escaped(&"<".repeat(600)).len(), 4 * MAX_CHARS);
    }
}
