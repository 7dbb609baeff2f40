//! Prototype pollution by structure: `{"constructor": {"prototype": {…}}}`. `__proto__` is in
//! `signatures/rce.toml`.

use crate::detect::{Match, ValueContext};
use shared::{AttackType, Severity};

/// A value whose path leads into the prototype of a class.
pub(in crate::detect) fn detect(value: &[u8], context: &ValueContext<'_>) -> Option<Match<'static>> {
    let mut keys = context.names().peekable();
    let mut pollutes = false;
    while let Some(key) = keys.next() {
        pollutes |= key == Some("prototype") && keys.peek() == Some(&Some("constructor"));
    }
    pollutes.then_some(Match {
        attack_type: AttackType::Rce,
        signature: "rce-prototype-path",
        severity: Severity::High,
        span: 0..value.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Point, point::Tag};

    fn is_found(keys: &[&str]) -> bool {
        let body = Point::new(Tag::Post).then(Tag::JsonDoc);
        let point = keys.iter().fold(body, |point, key| point.named(Tag::Hash, *key));
        detect(b"1", &ValueContext::at(&point, "/", &[])).is_some()
    }

    #[test]
    fn finds_paths_into_a_prototype() {
        assert!(is_found(&["a", "constructor", "prototype", "admin"]));
        assert!(!is_found(&["constructor", "name", "prototype"]) && !is_found(&["prototype"]));
    }
}
