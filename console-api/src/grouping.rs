//! Grouping rules: from hits to attacks.
//!
//! An attack is a chain of hits with the same [`AttackKey`], each at most [`MAX_GAP`] after the
//! previous one. The chain a hit belongs to does not depend on the order in which hits arrive;
//! `store` merges attacks that a late hit joins.

use crate::digest::sha256_hex;
use serde::Serialize;
use shared::{AttackType, Hit, Point, RecordedRequest, point::Tag};
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
            point: hit.point.clone(),
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

/// The path of an attack: cut where a payload in the path starts. Otherwise each attempt of a
/// scanner would be an attack.
fn target_path<'a>(path: &'a str, hit: &Hit) -> &'a str {
    let in_path = hit
        .point
        .0
        .first()
        .is_some_and(|step| matches!(step.tag, Tag::Uri | Tag::Path | Tag::ActionName | Tag::ActionExt));
    let payload = hit.findings.first().map_or("", |finding| finding.payload.as_str());
    if !in_path || payload.is_empty() {
        return path;
    }
    match payload_start(path, payload) {
        Some(0) => "/",
        Some(start) => path.get(..start).unwrap_or(path),
        None => path,
    }
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
    fn the_path_is_cut_where_the_payload_starts() {
        assert_eq!(cut("/shop/etc/passwd", "/etc/passwd"), "/shop");
        assert_eq!(cut("/etc/passwd", "/etc/passwd"), "/");
        assert_eq!(cut("/shop/..%2f..%2fetc/passwd", "../../etc/passwd"), "/shop/");
        assert_eq!(cut("/shop/%252e%252e/x", "../x"), "/shop/");
    }

    #[test]
    fn a_path_without_the_payload_is_not_cut() {
        assert_eq!(cut("/shop", "nowhere"), "/shop");
        assert_eq!(cut("/shop/%", "%zz"), "/shop/%");
        assert_eq!(cut("/shop", ""), "/shop");
        assert_eq!(cut("/é%", "%é"), "/é%");
    }
}
