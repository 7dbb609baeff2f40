//! Attacks as events of the Common Event Format, version 0: one line each.

use super::{Attack, AttackDigest, AttackStatus};

/// The severity depends on whether the attack was blocked: its hits can have different severities.
pub(crate) fn event(attack: &Attack) -> String {
    linked_event(attack, "", None)
}

/// The same with the countries of the sources, and the page of the attack.
pub(crate) fn linked_event(attack: &Attack, countries: &str, url: Option<&str>) -> String {
    let (severity, action) = match attack.status {
        AttackStatus::Blocked => (5, "blocked"),
        AttackStatus::PartiallyBlocked => (7, "partially blocked"),
        AttackStatus::Monitoring => (8, "allowed"),
        AttackStatus::Suspicious => (3, "allowed"),
    };
    let head = head(attack.attack_type.as_str(), &attack.title, severity);
    let (first, last) = (attack.first_seen.as_millisecond(), attack.last_seen.as_millisecond());
    let (hits, blocked, sources) = (attack.hits, attack.blocked, attack.sources);
    let fields: [(&str, &str); 16] = [
        ("externalId", &attack.id.to_string()),
        ("start", &first.to_string()),
        ("end", &last.to_string()),
        ("act", action),
        ("cnt", &hits.to_string()),
        ("dhost", &attack.host),
        ("request", &attack.path),
        ("cs1Label", "parameter"),
        ("cs1", &attack.parameter),
        ("cs2Label", "payload"),
        ("cs2", attack.payload.as_deref().unwrap_or_default()),
        ("cn1Label", "blocked hits"),
        ("cn1", &blocked.to_string()),
        ("cn2Label", "source addresses"),
        ("cn2", &sources.to_string()),
        ("cat", "attack"),
    ];
    let countries = (!countries.is_empty()).then_some([("cs3Label", "source countries"), ("cs3", countries)]);
    head + &extension(fields.into_iter().chain(countries.into_iter().flatten()).chain(link(url)))
}

/// The attacks of a period.
pub(crate) fn digest(kind: &str, digest: &AttackDigest, text: &str, url: Option<&str>) -> String {
    let severity = if digest.blocked < digest.hits { 8 } else { 5 };
    let (start, end) = (digest.from.as_millisecond(), digest.to.as_millisecond());
    let fields: [(&str, &str); 9] = [
        ("start", &start.to_string()),
        ("end", &end.to_string()),
        ("cnt", &digest.hits.to_string()),
        ("cn1Label", "blocked hits"),
        ("cn1", &digest.blocked.to_string()),
        ("cn2Label", "attacks"),
        ("cn2", &digest.attacks.to_string()),
        ("msg", text),
        ("cat", "attack"),
    ];
    head(kind, "Attacks", severity) + &extension(fields.into_iter().chain(link(url)))
}

/// A test event.
pub(crate) fn test(text: &str) -> String {
    format!("{}msg={}", head("test", "Test", 0), in_extension(text))
}

/// An event other than an attack.
pub(crate) fn notice(kind: &str, category: &str, text: &str, url: Option<&str>) -> String {
    let severity = if category == "health" { 8 } else { 3 };
    let fields = [("msg", text), ("cat", category)];
    head(kind, kind, severity) + &extension(fields.into_iter().chain(link(url)))
}

/// The fields of a page of the console.
fn link(url: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    url.into_iter().flat_map(|url| [("cs4Label", "console"), ("cs4", url)])
}

fn extension<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let fields: Vec<String> = fields.map(|(name, value)| format!("{name}={}", in_extension(value))).collect();
    fields.join(" ")
}

fn head(kind: &str, name: &str, severity: u8) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (kind, name) = (in_header(kind), in_header(name));
    format!("CEF:0|wallarm-console|wallarm-console|{version}|{kind}|{name}|{severity}|")
}

/// Escapes a header field: `|` ends a field, a line break ends the event.
fn in_header(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('|', "\\|");
    text.replace(|character: char| character.is_control(), " ")
}

/// Escapes an extension value: `=` and line breaks are escaped, other control characters are
/// removed.
fn in_extension(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '=' => escaped.push_str("\\="),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            // Some line readers also break at these.
            '\u{2028}' | '\u{2029}' => escaped.push(' '),
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
    fn a_value_cannot_become_another_field_or_event() {
        assert_eq!(in_header("a|b\\c\nd"), "a\\|b\\\\c d");
        assert_eq!(in_extension("x act=allowed\r\nCEF:0|a\\|\0"), "x act\\=allowed\\r\\nCEF:0|a\\\\| ");
        assert_eq!(in_extension("\u{85}\u{2028}"), "  ");
    }
}
