//! Command parameters such as `cmd`, as web shells have them: one or two words are enough evidence.
//! In headers and cookies the name does not matter. `_method=__construct` calls the constructor of
//! `ThinkPHP`'s request.

use super::programs;
use crate::{
    detect::{Match, ValueContext},
    field::FieldKind,
    words::WORDS,
};
use shared::{AttackType, Severity::High};

pub(crate) fn detect(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Option<Match<'static>> {
    if value.len() > 80 || kind != FieldKind::Value {
        return None;
    }
    let name = context.name()?;
    if name == "_method" && value == b"__construct" {
        return Some(matched("rce-php-constructor", value));
    }
    let is_command = WORDS.rce.command_parameters.contains(name);
    let is_named = is_command || WORDS.rce.ambiguous_parameters.contains(name);
    // Headers and cookies hold no searches and no texts.
    let is_filled_in = context.is_in_query() || context.is_in_body();
    let is_spaced = || value.iter().any(u8::is_ascii_whitespace);
    if is_filled_in && !is_named || !is_filled_in && !is_command && !is_spaced() {
        return None;
    }
    let mut words = std::str::from_utf8(value).ok()?.split_ascii_whitespace();
    let word = words.next()?;
    let arguments = words.count();
    let known = programs::known(word).filter(|it| it.takes & programs::ALONE != 0 || arguments > 0)?;
    let is_probe = known.is_distinctive && arguments <= 4
        || is_command && arguments > 0 && matches!(word, "echo" | "expr")
        || is_filled_in
            && is_command
            && arguments == 0
            && matches!(word, "id" | "ls" | "pwd" | "dir" | "ps" | "env" | "w" | "uptime");
    (is_probe && word != "powershell").then(|| matched("rce-command-parameter", value))
}

fn matched(signature: &'static str, value: &[u8]) -> Match<'static> {
    Match { attack_type: AttackType::Rce, signature, severity: High, span: 0..value.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Point;

    fn finds(name: &str, value: &str) -> bool {
        let point = Point::get(name);
        detect(value.as_bytes(), FieldKind::Value, &ValueContext::at(&point, "/", &[])).is_some()
    }

    #[test]
    fn finds_single_words_in_command_parameters() {
        for (name, value) in [
            ("cmd", "id"),
            ("exec", "whoami"),
            ("CMD", "ls"),
            ("code", "ifconfig"),
            ("run", "systemctl stop x"),
            ("cmd", "echo 7401"),
        ] {
            assert!(finds(name, value), "{name}={value}");
        }
    }

    #[test]
    fn finds_commands_in_headers_and_cookies() {
        let cookie = Point::header("cookie").named(shared::point::Tag::Cookie, "theme");
        let header = Point::header("x-request-source");
        for point in [&cookie, &header] {
            let context = ValueContext::at(point, "/", &[]);
            assert!(detect(b"useradd probe", FieldKind::Value, &context).is_some());
            assert!(detect(b"id", FieldKind::Value, &context).is_none());
            assert!(detect(b"tree of life", FieldKind::Value, &context).is_none());
        }
        let shell = Point::header("cmd");
        assert!(detect(b"ipconfig", FieldKind::Value, &ValueContext::at(&shell, "/", &[])).is_some());
    }

    #[test]
    fn passes_words_in_other_parameters() {
        for (name, value) in [
            ("q", "whoami"),
            ("q", "systemctl stop x"),
            ("code", "id"),
            ("cmd", "next"),
            ("command", "date"),
            ("field", "lastlogin"),
        ] {
            assert!(!finds(name, value), "{name}={value}");
        }
    }
}
