//! Suggestions for unknown keys.

use super::section::KnownKey;

/// The hint for a key unknown to its section.
pub(super) fn hint(key: &str, section: &str, known_here: &[&str], all: &[KnownKey]) -> String {
    if let Some(suggestion) = self::key(key, known_here) {
        return format!("did you mean {suggestion}?");
    }
    let elsewhere = |it: &&KnownKey| last(&it.path) == key && parent(&it.path) != section;
    if let Some(position) = all.iter().find(elsewhere) {
        return format!("did you mean {}?", position.path);
    }
    format!("known keys: {}", known_here.join(", "))
}

/// The key of the section that was probably meant.
pub(super) fn key<'k>(unknown: &str, known_here: &[&'k str]) -> Option<&'k str> {
    nearest(unknown, known_here.iter().copied())
}

/// The hint for an unknown path.
pub(super) fn hint_for_path(path: &str, all: &[KnownKey]) -> String {
    match nearest(path, all.iter().map(|it| it.path.as_str())) {
        Some(suggestion) => format!("did you mean {suggestion}?"),
        None => "see docs/node.md for the keys".to_owned(),
    }
}

/// A name that differs in a few letters, or contains the word.
fn nearest<'k>(word: &str, names: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let distance = |name: &str| {
        let is_part = name.contains(word) || word.contains(name);
        if is_part { 1 } else { strsim::damerau_levenshtein(name, word) }
    };
    let (smallest_distance, name) = names.map(|name| (distance(name), name)).min()?;
    (smallest_distance <= (word.len() / 3).max(1)).then_some(name)
}

fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, last)| last)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(parent, _)| parent)
}
