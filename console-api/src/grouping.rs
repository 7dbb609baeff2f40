//! Grouping rules: from hits to attacks.
//!
//! An attack is a chain of hits with the same [`AttackKey`], each at most [`MAX_GAP`] after the
//! previous one. The chain a hit belongs to does not depend on the order in which hits arrive;
//! `store` merges attacks that a late hit joins.

use crate::digest::sha256_hex;
use serde::Serialize;
use shared::{
    AttackType, Finding, Hit, Point, RecordedRequest,
    point::{Key, Step, Tag},
};
use std::time::Duration;

/// Hits further apart belong to two attacks.
pub const MAX_GAP: Duration = Duration::from_hours(1);
/// The layers of percent-encoding to decode; each costs a pass over the path.
const MAX_PATH_LAYERS: usize = 4;

/// The common fields of the hits of an attack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AttackKey {
    pub attack_type: AttackType,
    pub point: Point,
    pub host: String,
    pub path: String,
}

impl AttackKey {
    pub fn of(request: &RecordedRequest, hit: &Hit) -> Self {
        Self {
            attack_type: hit.attack_type.clone(),
            point: target_point(hit),
            host: request.host.to_ascii_lowercase(),
            path: target_path(&request.path, hit).to_owned(),
        }
    }

    /// The key as 64 hex digits.
    pub(crate) fn hash(&self) -> String {
        let json = serde_json::to_vec(self).expect("a key has text fields only");
        sha256_hex(&json)
    }
}

/// A time range in milliseconds: of a known attack or a hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span<T> {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) of: T,
}

/// The chains of spans with equal keys.
pub(crate) fn chains<T>(mut spans: Vec<Span<T>>) -> Vec<Vec<Span<T>>> {
    let gap = i64::try_from(MAX_GAP.as_millis()).expect("an hour fits");
    spans.sort_by_key(|span| span.first);
    let mut chains: Vec<Vec<Span<T>>> = Vec::new();
    let mut end = i64::MIN;
    for span in spans {
        let chain_end = end.saturating_add(gap);
        end = end.max(span.last);
        match chains.last_mut().filter(|_| span.first <= chain_end) {
            Some(chain) => chain.push(span),
            None => chains.push(vec![span]),
        }
    }
    chains
}

/// The finding that a hit is shown with: the most severe one at the point of the hit.
pub(crate) fn main_finding(hit: &Hit) -> Option<&Finding> {
    hit.findings.iter().find(|finding| finding.point == hit.point).or_else(|| hit.findings.first())
}

/// The path of an attack. Where the payload is in the path, the segments before it: otherwise each
/// attempt of a scanner would be an attack. A payload that is not found, because it is encoded in
/// an unusual way, starts at the latest at the first segment with characters that need no attack
/// to be unusual.
fn target_path<'a>(path: &'a str, hit: &Hit) -> &'a str {
    let in_path = hit
        .point
        .0
        .first()
        .is_some_and(|step| matches!(step.tag, Tag::Uri | Tag::Path | Tag::ActionName | Tag::ActionExt));
    let payload = main_finding(hit).map_or("", |finding| finding.payload.as_str());
    if !in_path || payload.is_empty() {
        return path;
    }
    let start = payload_start(path, payload).into_iter().chain(first_unusual_segment(path)).min();
    start.map_or(path, |start| directory(path, start))
}

/// The segments before the one that contains a position.
fn directory(path: &str, at: usize) -> &str {
    let before = path.get(..=at).unwrap_or(path);
    let end = before.rfind('/').unwrap_or(0);
    let directory = path[..end].trim_end_matches('/');
    if directory.is_empty() { "/" } else { directory }
}

/// The position of the first segment that is not made of letters, digits and common punctuation.
fn first_unusual_segment(path: &str) -> Option<usize> {
    let is_usual = |character: char| character.is_alphanumeric() || "-_.~@+,=:!$".contains(character);
    let mut start = 0;
    for segment in path.split('/') {
        let only_dots = !segment.is_empty() && segment.chars().all(|character| character == '.');
        if only_dots || !segment.chars().all(is_usual) {
            return Some(start);
        }
        start += segment.len() + 1;
    }
    None
}

/// The point of an attack. A parameter whose name is a part of the payload is one of many that an
/// attacker makes up: the point is that of names.
fn target_point(hit: &Hit) -> Point {
    let payload = main_finding(hit).map_or("", |finding| finding.payload.as_str());
    let mut point = hit.point.clone();
    if let Some(step) = point.0.last_mut()
        && let Some(Key::Name(name)) = &step.key
        && is_made_up(name)
        && (payload.contains(name.as_str()) || name.contains(payload))
    {
        step.key = None;
        point.0.push(Step { tag: Tag::Name, key: None });
    }
    point
}

/// Whether no program has a parameter of this name.
fn is_made_up(name: &str) -> bool {
    let is_usual = |character: char| character.is_alphanumeric() || "-_.:[]$@/ ".contains(character);
    !name.chars().all(is_usual)
}

/// The offset of the payload in the raw path, plain or percent-encoded.
fn payload_start(path: &str, payload: &str) -> Option<usize> {
    let mut layer: Vec<(u8, usize)> = path.bytes().enumerate().map(|(at, byte)| (byte, at)).collect();
    for _ in 0..MAX_PATH_LAYERS {
        if let Some(start) = find(&layer, payload.as_bytes()) {
            return Some(start);
        }
        let decoded = percent_decode(&layer);
        if decoded.len() == layer.len() {
            return None;
        }
        layer = decoded;
    }
    None
}

/// Finds bytes in decoded bytes, and returns their offset in the raw path.
fn find(layer: &[(u8, usize)], payload: &[u8]) -> Option<usize> {
    let at = |window: &[(u8, usize)]| window.iter().zip(payload).all(|((byte, _), wanted)| byte == wanted);
    layer.windows(payload.len()).find(|window| at(window)).map(|window| window[0].1)
}

/// Decodes one layer of percent-encoding; each byte keeps its offset in the raw path.
fn percent_decode(layer: &[(u8, usize)]) -> Vec<(u8, usize)> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(layer.len());
    let mut rest = layer;
    while let Some(((byte, at), after)) = rest.split_first() {
        let pair =
            after.first().zip(after.get(1)).and_then(|((high, _), (low, _))| digit(*high).zip(digit(*low)));
        if let Some((high, low)) = pair.filter(|_| *byte == b'%') {
            decoded.push((high << 4 | low, *at));
            rest = &after[2..];
        } else {
            decoded.push((*byte, *at));
            rest = after;
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut<'a>(path: &'a str, payload: &str) -> &'a str {
        let finding = serde_json::json!({"type": "ptrav", "point": [["uri"]], "signature": "s", "severity": "high", "payload": payload, "span": [0, 0]});
        let hit = serde_json::json!({"id": uuid::Uuid::nil(), "type": "ptrav", "point": [["uri"]], "findings": [finding]});
        target_path(path, &serde_json::from_value(hit).unwrap())
    }

    #[test]
    fn a_late_hit_merges_two_attacks() {
        let minutes = |first: i64, last: i64| Span { first: first * 60_000, last: last * 60_000, of: () };
        let apart = vec![minutes(200, 210), minutes(0, 90)];
        assert_eq!(chains(apart.clone()).len(), 2);
        assert_eq!(chains([apart.clone(), vec![minutes(150, 150)]].concat()).len(), 1);
        assert_eq!(chains([apart, vec![minutes(271, 271)]].concat()).len(), 3);
        assert_eq!(chains(vec![minutes(0, 100), minutes(10, 20), minutes(160, 160)]).len(), 1);
    }

    #[test]
    fn the_path_ends_before_the_segment_where_the_payload_starts() {
        assert_eq!(cut("/shop/etc/passwd", "/etc/passwd"), "/shop");
        assert_eq!(cut("/etc/passwd", "/etc/passwd"), "/");
        assert_eq!(cut("/shop/item'or'1", "'or'1"), "/shop");
        assert_eq!(cut("/search/a<b>", "<b>"), "/search");
    }

    #[test]
    fn variants_of_a_payload_in_the_path_have_one_path() {
        for (path, payload) in [
            ("/shop/../../etc/passwd", "../../etc/passwd"),
            ("/shop/../../etc/passwd", "etc/passwd"),
            ("/shop/..%2f..%2fetc/passwd", "../../etc/passwd"),
            ("/shop/%252e%252e/x", "../x"),
            ("/shop/%c0%ae%c0%ae/etc/passwd", "../etc/passwd"),
            ("/shop/....//....//etc/passwd", "../../etc/passwd"),
            ("/shop/..;/manager", "..;/manager"),
            ("/shop//etc/passwd", "/etc/passwd"),
        ] {
            assert_eq!(cut(path, payload), "/shop", "{path}");
        }
    }

    #[test]
    fn a_path_without_the_payload_is_not_cut() {
        assert_eq!(cut("/shop", "nowhere"), "/shop");
        assert_eq!(cut("/shop/%", "%zz"), "/shop");
        assert_eq!(cut("/shop", ""), "/shop");
        assert_eq!(cut("/é/a.b-c_d", "%é"), "/é/a.b-c_d");
    }

    #[test]
    fn a_made_up_parameter_name_is_not_a_point_of_its_own() {
        let point = |name: &str, payload: &str| {
            let finding = serde_json::json!({"type": "xss", "point": [["get", name]], "signature": "s", "severity": "high", "payload": payload, "span": [0, 0]});
            let hit = serde_json::json!({"id": uuid::Uuid::nil(), "type": "xss", "point": [["get", name]], "findings": [finding]});
            target_point(&serde_json::from_value(hit).unwrap()).to_string()
        };
        assert_eq!(point("<base href", "<base href=//a.example"), "get > name");
        assert_eq!(point("<b onclick", "<b onclick=alert(1)>"), "get > name");
        assert_eq!(point("id", "id=1 or 1=1"), "get > id");
        assert_eq!(point("filter[$ne]", "filter[$ne]=1"), "get > filter[$ne]");
        assert_eq!(point("<odd>", "1 or 1=1"), "get > <odd>");
    }

    #[test]
    fn the_payload_is_that_of_the_point_of_the_hit() {
        let finding = |point: &str, payload: &str| serde_json::json!({"type": "sqli", "point": [["get", point]], "signature": "s", "severity": "high", "payload": payload, "span": [0, 0]});
        let hit = serde_json::json!({"id": uuid::Uuid::nil(), "type": "sqli", "point": [["get", "b"]], "findings": [finding("a", "first"), finding("b", "second")]});
        let hit: Hit = serde_json::from_value(hit).unwrap();
        assert_eq!(main_finding(&hit).unwrap().payload, "second");
    }
}
