//! An audit line in words: "changed user “ann”", "role: analyst → admin".

use crate::{
    audit::{AuditLine, ObjectKind},
    pages::{ip_lists, rules},
    ruleset::{StoredEntry, StoredRule},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields that every change changes.
const BOOKKEEPING: [&str; 2] = ["revision", "updated_at"];

/// What was done: a verb and a kind of objects.
pub(super) fn action(line: &AuditLine) -> String {
    let kind = ObjectKind::parse(&line.kind);
    let verb = match (kind, line.action.as_str()) {
        (Some(ObjectKind::Session), "create") => return "signed in".to_owned(),
        (Some(ObjectKind::Session), "delete") => return "ended the session of".to_owned(),
        (Some(ObjectKind::Session), "refuse") => return "failed to sign in as".to_owned(),
        (Some(ObjectKind::Attack), _) => {
            return if line.after.as_ref().is_some_and(|after| after["mark"].is_null()) {
                "cleared the mark of attack".to_owned()
            } else {
                "marked attack".to_owned()
            };
        }
        (Some(ObjectKind::Token), "create") => "issued",
        (Some(ObjectKind::Token), "delete") => "revoked",
        (Some(ObjectKind::Ruleset), "activate") => "rolled back to",
        (_, "create") => "added",
        (_, "change") => "changed",
        (_, "delete") => "deleted",
        (_, other) => other,
    };
    let kind: &str = match kind {
        Some(kind) => title(kind),
        None => &line.kind,
    };
    format!("{verb} {kind}")
}

/// The name of a kind of objects.
pub(super) fn title(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Rule => "rule",
        ObjectKind::IpListEntry => "IP list entry",
        ObjectKind::Attack => "attack",
        ObjectKind::User => "user",
        ObjectKind::Session => "session",
        ObjectKind::Token => "token",
        ObjectKind::Ruleset => "ruleset version",
        ObjectKind::View => "view",
        ObjectKind::Webhook => "webhook",
        ObjectKind::SigningKey => "signing key",
        ObjectKind::Node => "node",
    }
}

/// The name of the object. `attacks`: titles of attacks that still exist.
pub(super) fn name(line: &AuditLine, attacks: &BTreeMap<String, String>) -> String {
    let state = line.after.as_ref().or(line.before.as_ref());
    let named = match ObjectKind::parse(&line.kind) {
        Some(ObjectKind::Rule) => {
            let rule = state.and_then(|state| serde_json::from_value::<StoredRule>(state.clone()).ok());
            rule.map(|stored| format!("“{}”", rules::sentence(&stored.rule)))
        }
        Some(ObjectKind::IpListEntry) => {
            let entry = state.and_then(|state| serde_json::from_value::<StoredEntry>(state.clone()).ok());
            entry.map(|entry| format!("{} ({})", ip_lists::name(&entry), entry.entry.list.as_str()))
        }
        Some(ObjectKind::Attack) => attacks.get(&line.object).cloned(),
        Some(ObjectKind::Session) => {
            let name = state.and_then(|state| state["name"].as_str()).map(str::to_owned);
            return match (line.action.as_str(), name) {
                // The actor is the user.
                ("create", _) => String::new(),
                (_, Some(name)) => name,
                _ => line.object.clone(),
            };
        }
        _ => state.and_then(|state| state["name"].as_str()).map(|name| format!("“{name}”")),
    };
    named.unwrap_or_else(|| line.object.clone())
}

/// What changed, or what is worth to know of a new object; empty: nothing.
pub(super) fn details(line: &AuditLine) -> String {
    match (&line.before, &line.after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let none = Value::Null;
            let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
            let names = names.filter(|name| !BOOKKEEPING.contains(&name.as_str()));
            let changes = names.filter_map(|name| {
                let [old, new] = [before, after].map(|state| state.get(name).unwrap_or(&none));
                (old != new).then(|| change(name, old, new))
            });
            let changes = changes.collect::<Vec<_>>().join("; ");
            // The log has no passwords.
            if changes.is_empty() && line.kind == ObjectKind::User.as_str() {
                "password".to_owned()
            } else {
                changes
            }
        }
        (None, Some(after)) => {
            let parts = ["role", "source", "reason", "ip", "browser"];
            parts.iter().filter_map(|part| after[part].as_str()).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    }
}

fn change(name: &str, old: &Value, new: &Value) -> String {
    if name == "mark" {
        let text = |value: &Value| value.as_str().unwrap_or("none").replace('_', " ");
        return format!("{} → {}", text(&old["value"]), text(&new["value"]));
    }
    if name == "previous_secret_until" {
        let end = new.as_str().unwrap_or("now");
        return format!("new secret; the previous one is valid until {end}");
    }
    match (short(old), short(new)) {
        (Some(old), Some(new)) => format!("{name}: {old} → {new}"),
        _ => name.to_owned(),
    }
}

/// A value that fits on a line.
fn short(value: &Value) -> Option<String> {
    const CHARS: usize = 40;
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "empty".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(_) | Value::Object(_) => return None,
    };
    (text.chars().count() <= CHARS).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use serde_json::json;
    use uuid::Uuid;

    fn line(action: &str, kind: &str, before: Value, after: Value) -> AuditLine {
        AuditLine {
            id: Uuid::nil(),
            at: Timestamp::UNIX_EPOCH,
            actor: "ann".to_owned(),
            actor_id: None,
            role: None,
            action: action.to_owned(),
            kind: kind.to_owned(),
            object: "1".to_owned(),
            before: Some(before).filter(|it| !it.is_null()),
            after: Some(after).filter(|it| !it.is_null()),
        }
    }

    #[test]
    fn a_line_names_the_object_and_the_change() {
        let rule = json!({"id": Uuid::nil(), "revision": 1, "effect": {"kind": "mode", "mode": "off"},
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"});
        let user = |role: &str, revision: u32| json!({"name": "bob", "role": role, "revision": revision});
        let mark = |value: Value| json!({"mark": value});
        for (line, expected) in [
            (
                line("create", "rule", json!(null), rule),
                ["added rule", "“Use mode off for all requests”", ""],
            ),
            (
                line("change", "user", user("analyst", 1), user("admin", 2)),
                ["changed user", "“bob”", "role: analyst → admin"],
            ),
            (
                line("change", "user", user("analyst", 1), user("analyst", 2)),
                ["changed user", "“bob”", "password"],
            ),
            (line("delete", "user", user("admin", 2), json!(null)), ["deleted user", "“bob”", ""]),
            (
                line("change", "attack", mark(json!(null)), mark(json!({"value": "false_positive"}))),
                ["marked attack", "SQL injection", "none → false positive"],
            ),
            (
                line("create", "session", json!(null), json!({"name": "ann", "role": "admin"})),
                ["signed in", "", "admin"],
            ),
            (
                line("refuse", "session", json!(null), json!({"source": "203.0.113.7"})),
                ["failed to sign in as", "1", "203.0.113.7"],
            ),
            (
                line(
                    "change",
                    "webhook",
                    json!({"name": "Ops"}),
                    json!({"name": "Ops", "previous_secret_until": "2026-01-02T00:00:00Z"}),
                ),
                [
                    "changed webhook",
                    "“Ops”",
                    "new secret; the previous one is valid until 2026-01-02T00:00:00Z",
                ],
            ),
            (line("delete", "tree", json!({}), json!(null)), ["deleted tree", "1", ""]),
        ] {
            let attacks = BTreeMap::from([("1".to_owned(), "SQL injection".to_owned())]);
            assert_eq!([action(&line), name(&line, &attacks), details(&line)], expected);
        }
    }
}
