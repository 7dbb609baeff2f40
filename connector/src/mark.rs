//! Mark of the viewer stage: a signed header for the origin stage of the same request.
//!
//! `v1;<unix ms>;<whole|start>;<bytes>;<hmac>;<host>`: the viewer stage inspected the whole request,
//! or its head and the first bytes of its body, and the viewer sent it to this host. The HMAC-SHA256
//! covers all fields, the ids of distribution and request, method, path, query, and the digest of
//! that part of the body, so that a mark is valid for one request only. A missing or invalid mark
//! costs a second inspection and never skips one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use shared::ids::{hex, unhex};
use std::{fmt, time::Duration};

/// The header with the mark. Viewers' headers of this name are removed, and the origin never
/// receives it.
pub const MARK_HEADER: &str = "x-wallarm-mark";
/// Maximum difference between the clocks of the stages, the time between them included.
pub const MAX_AGE: Duration = Duration::from_mins(1);

/// The secrets of a deployment with two stages: the first one signs, all are accepted.
#[derive(Clone)]
pub struct MarkKeys(Vec<String>);

/// A request as a stage sees it.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub distribution_id: &'a str,
    pub edge_request_id: &'a str,
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub body: &'a [u8],
    /// The stage does not see, or does not inspect, the whole body.
    pub is_truncated: bool,
}

/// A valid mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The whole request was inspected; otherwise, its body is longer than the inspected part.
    pub is_whole: bool,
    /// The viewer's host.
    pub host: String,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    #[error("the mark is not of the form v1;<unix ms>;<whole|start>;<bytes>;<hmac>;<host>")]
    Malformed,
    #[error(
        "the mark's time differs by {} s from the clock, the limit is {} s",
        .0.as_secs(),
        MAX_AGE.as_secs()
    )]
    Expired(Duration),
    #[error("the mark does not match the request and its body, or its key is unknown")]
    Mismatch,
}

/// Never shows the secrets.
impl fmt::Debug for MarkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MarkKeys({})", self.0.len())
    }
}

impl MarkKeys {
    const WHOLE: &str = "whole";
    const START: &str = "start";

    /// One key, or two during a rotation: each at least 32 visible characters.
    pub fn new(keys: &[&str]) -> Option<Self> {
        let is_key = |key: &&str| key.len() >= 32 && key.bytes().all(|byte| byte.is_ascii_graphic());
        let fits = matches!(keys.len(), 1 | 2) && keys.iter().all(is_key);
        fits.then(|| Self(keys.iter().map(|&key| key.to_owned()).collect()))
    }

    /// The mark of an inspected request. None for a host that a header cannot carry.
    pub fn sign(&self, seen: &Seen<'_>, host: &str, unix_ms: u64) -> Option<String> {
        let is_sendable = host.bytes().all(|byte| byte.is_ascii_graphic());
        let key = self.0.first().filter(|_| is_sendable)?;
        let coverage = if seen.is_truncated { Self::START } else { Self::WHOLE };
        let claim = format!("v1;{unix_ms};{coverage};{}", seen.body.len());
        let tag = hex(&mac(key, seen, &claim, host, &digest(seen.body)).finalize().into_bytes());
        Some(format!("{claim};{tag};{host}"))
    }

    /// Verifies a header value against the request, in constant time.
    pub fn verify(&self, header: &str, seen: &Seen<'_>, now_unix_ms: u64) -> Result<Mark, MarkError> {
        let fields: Vec<&str> = header.splitn(6, ';').collect();
        let ["v1", ms, coverage, bytes, tag, host] = fields[..] else { return Err(MarkError::Malformed) };
        let is_whole = match coverage {
            Self::WHOLE => true,
            Self::START => false,
            _ => return Err(MarkError::Malformed),
        };
        let unix_ms: u64 = ms.parse().map_err(|_| MarkError::Malformed)?;
        let bytes: usize = bytes.parse().map_err(|_| MarkError::Malformed)?;
        let tag = unhex(tag).ok_or(MarkError::Malformed)?;
        let age = Duration::from_millis(now_unix_ms.abs_diff(unix_ms));
        if age > MAX_AGE {
            return Err(MarkError::Expired(age));
        }
        let inspected = seen.body.get(..bytes).ok_or(MarkError::Mismatch)?;
        if is_whole && (seen.is_truncated || bytes != seen.body.len()) {
            return Err(MarkError::Mismatch);
        }
        let claim = &header[..header.len() - hex_and_host(tag.len(), host)];
        let digest = digest(inspected);
        let is_signed = |key: &String| mac(key, seen, claim, host, &digest).verify_slice(&tag).is_ok();
        // No early return: the duration does not depend on which key matches.
        let is_valid = self.0.iter().fold(false, |known, key| known | is_signed(key));
        if is_valid { Ok(Mark { is_whole, host: host.to_owned() }) } else { Err(MarkError::Mismatch) }
    }
}

/// The length of `;<hmac>;<host>`.
fn hex_and_host(tag_bytes: usize, host: &str) -> usize {
    1 + 2 * tag_bytes + 1 + host.len()
}

fn digest(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// Each text is preceded by its length: no two requests have the same input.
fn mac(key: &str, seen: &Seen<'_>, claim: &str, host: &str, body_digest: &[u8; 32]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC accepts a key of any length");
    let Seen { distribution_id, edge_request_id, method, path, query, .. } = *seen;
    for text in [MARK_HEADER, claim, host, distribution_id, edge_request_id, method, path, query] {
        mac.update(&(text.len() as u64).to_be_bytes());
        mac.update(text.as_bytes());
    }
    mac.update(body_digest);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_767_225_600_000;
    const OLD: &str = "an old key of the test, 32 characters";
    const NEW: &str = "a new key of the test, 32 characters.";
    const SEEN: Seen<'static> = Seen {
        distribution_id: "E2EXAMPLE",
        edge_request_id: "4TyzHT==",
        method: "POST",
        path: "/api/login",
        query: "next=%2F",
        body: b"{\"u\":\"eve\"}",
        is_truncated: false,
    };

    fn keys(keys: &[&str]) -> MarkKeys {
        let keys: Vec<_> = keys.iter().map(|key| key.replace(' ', "_")).collect();
        MarkKeys::new(&keys.iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
    }

    fn marked(seen: &Seen<'_>) -> String {
        keys(&[OLD]).sign(seen, "shop.example.com", NOW).unwrap()
    }

    fn verify(header: &str, seen: &Seen<'_>) -> Result<Mark, MarkError> {
        keys(&[OLD]).verify(header, seen, NOW)
    }

    #[test]
    fn marks_a_whole_request_with_the_viewers_host() {
        let mark = Mark { is_whole: true, host: "shop.example.com".to_owned() };
        assert_eq!(verify(&marked(&SEEN), &SEEN), Ok(mark));
    }

    #[test]
    fn marks_the_start_of_a_longer_body() {
        let header = marked(&Seen { is_truncated: true, ..SEEN });
        let longer = Seen { body: b"{\"u\":\"eve\"}, and more", ..SEEN };
        for seen in [longer, SEEN, Seen { is_truncated: true, ..longer }] {
            assert_eq!(verify(&header, &seen).map(|mark| mark.is_whole), Ok(false), "{seen:?}");
        }
        let other = Seen { body: b"{\"u\":\"Eve\"}, and more", ..SEEN };
        assert_eq!(verify(&header, &other), Err(MarkError::Mismatch));
        assert_eq!(verify(&header, &Seen { body: b"{", ..SEEN }), Err(MarkError::Mismatch));
    }

    #[test]
    fn rejects_a_mark_of_another_request() {
        let header = marked(&SEEN);
        for other in [
            Seen { distribution_id: "E3EXAMPLE", ..SEEN },
            Seen { edge_request_id: "5TyzHT==", ..SEEN },
            Seen { method: "PUT", ..SEEN },
            Seen { path: "/api/logout", ..SEEN },
            Seen { query: "next=%2Fadmin", ..SEEN },
            Seen { query: "", ..SEEN },
            Seen { body: b"{\"u\":\"Eve\"}", ..SEEN },
            Seen { body: b"{\"u\":\"eve\"} ", ..SEEN },
            Seen { body: b"", ..SEEN },
            Seen { is_truncated: true, ..SEEN },
            // The same text, divided differently.
            Seen { path: "/api/loginnext=%2F", query: "", ..SEEN },
            Seen { method: "POS", path: "T/api/login", ..SEEN },
        ] {
            assert_eq!(verify(&header, &other), Err(MarkError::Mismatch), "{other:?}");
        }
    }

    #[test]
    fn rejects_a_changed_mark() {
        let header = marked(&Seen { is_truncated: true, ..SEEN });
        for (part, other) in [
            (";start;", ";whole;"),
            (";11;", ";10;"),
            (";11;", ";011;"),
            (";11;", ";+11;"),
            ("1767225600000", "1767225600001"),
            ("1767225600000", "+1767225600000"),
            ("shop", "chop"),
        ] {
            assert_ne!(header.replace(part, other), header);
            assert_eq!(verify(&header.replace(part, other), &SEEN), Err(MarkError::Mismatch), "{other}");
        }
        let tag = header.split(';').nth(4).unwrap();
        let other = keys(&[NEW]).sign(&SEEN, "shop.example.com", NOW).unwrap();
        assert_eq!(verify(&other, &SEEN), Err(MarkError::Mismatch), "forged with another key");
        for short in ["", &tag[..2], &tag[..62]] {
            assert_eq!(verify(&header.replace(tag, short), &SEEN), Err(MarkError::Mismatch), "{short:?}");
        }
        for malformed in
            ["", "v1", "v2;1;whole;0;00;h", "v1;x;whole;0;00;h", "v1;1;all;0;00;h", "v1;1;whole;-1;00;h"]
        {
            assert_eq!(verify(malformed, &SEEN), Err(MarkError::Malformed), "{malformed:?}");
        }
        assert_eq!(verify(&header.replace(tag, &tag.to_uppercase()), &SEEN), Err(MarkError::Malformed));
    }

    #[test]
    fn a_mark_is_valid_for_a_minute() {
        let header = marked(&SEEN);
        for (now, is_valid) in
            [(NOW + 60_000, true), (NOW - 60_000, true), (NOW + 60_001, false), (NOW - 60_001, false)]
        {
            assert_eq!(keys(&[OLD]).verify(&header, &SEEN, now).is_ok(), is_valid, "{now}");
        }
    }

    #[test]
    fn both_keys_are_valid_during_a_rotation() {
        let mark = |by: &[&str]| keys(by).sign(&SEEN, "h", NOW).unwrap();
        let is_valid = |by: &[&str], mark: &str| keys(by).verify(mark, &SEEN, NOW).is_ok();
        assert!(is_valid(&[NEW, OLD], &mark(&[OLD])), "the viewer stage still has the old key");
        assert!(is_valid(&[OLD, NEW], &mark(&[NEW, OLD])), "the origin stage still prefers the old key");
        assert!(!is_valid(&[NEW], &mark(&[OLD])), "the old key was removed");
    }

    #[test]
    fn a_host_that_a_header_cannot_carry_is_not_marked() {
        for host in ["a\r\nb", "a b", "é"] {
            assert_eq!(keys(&[OLD]).sign(&SEEN, host, NOW), None, "{host:?}");
        }
        let header = keys(&[OLD]).sign(&SEEN, "a;b", NOW).unwrap();
        assert_eq!(verify(&header, &SEEN).unwrap().host, "a;b");
    }

    #[test]
    fn keys_are_long_visible_and_at_most_two() {
        let key = "k".repeat(32);
        assert!(MarkKeys::new(&[&key]).is_some());
        assert!(!format!("{:?}", MarkKeys::new(&[&key, &key])).contains(&key));
        for wrong in [&[][..], &["short"], &[&key, "short"], &[&key, &key, &key], &[&" ".repeat(32)]] {
            assert!(MarkKeys::new(wrong).is_none(), "{wrong:?}");
        }
    }

    /// Texts of a request: ids, method, path and query.
    fn texts() -> impl Strategy<Value = [String; 5]> {
        prop::array::uniform5("[a-c/;=]{0,3}")
    }

    fn seen<'a>(texts: &'a [String; 5], body: &'a [u8], is_truncated: bool) -> Seen<'a> {
        let [distribution_id, edge_request_id, method, path, query] = texts;
        Seen { distribution_id, edge_request_id, method, path, query, body, is_truncated }
    }

    proptest! {
        #[test]
        fn a_mark_is_valid_exactly_for_its_request(
            marked in texts(), sent in texts(), change in any::<bool>(),
            inspected in prop::collection::vec(0_u8..3, 0..4), body in prop::collection::vec(0_u8..3, 0..6),
            (cut_before, cut_after) in any::<(bool, bool)>(),
        ) {
            let sent = if change { &sent } else { &marked };
            let header = keys(&[OLD]).sign(&seen(&marked, &inspected, cut_before), "h", NOW).unwrap();
            let verified = verify(&header, &seen(sent, &body, cut_after));
            let is_same_body = if cut_before { body.starts_with(&inspected) } else { body == inspected && !cut_after };
            prop_assert_eq!(verified.is_ok(), *sent == marked && is_same_body);
            prop_assert!(verified.is_err() || verified.unwrap().is_whole != cut_before);
        }

        #[test]
        fn a_forged_mark_is_never_valid(header in "v1;176722560000[0-9];(whole|start);11;[0-9a-f]{64};[a-z]{0,3}") {
            prop_assert_eq!(verify(&header, &SEEN), Err(MarkError::Mismatch));
        }

        #[test]
        fn any_text_is_rejected(header in ".*") {
            prop_assert!(verify(&header, &SEEN).is_err());
        }
    }
}
