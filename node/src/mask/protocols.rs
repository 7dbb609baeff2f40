//! Tokens among the subprotocols of a WebSocket, where browsers can send no other credentials.

use super::{address, names};
use std::ops::Range;

pub(super) const HEADER: &str = "sec-websocket-protocol";

/// The places of tokens: after a protocol that is named as a secret, behind such a part of a name, or by
/// their form.
pub(super) fn find(value: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let (mut start, mut is_next) = (0, false);
    for item in value.split(',') {
        let protocol = item.trim();
        let at = start + item.len() - item.trim_start().len();
        let end = at + protocol.len();
        let named = token_in(protocol);
        match named {
            _ if is_next || address::is_token(protocol) && named.is_none() => places.push(at..end),
            Some(length) => places.push(at + length..end),
            None => {}
        }
        is_next = !is_next && named == Some(protocol.len());
        start += item.len() + 1;
    }
    places
}

/// Where a token begins in a protocol, after the first part that names a secret:
/// `base64url.bearer.authorization.k8s.io.x`. At its end: the next protocol is the token.
fn token_in(protocol: &str) -> Option<usize> {
    let mut start = 0;
    for part in protocol.split_inclusive(['.', '|', ':', '=']) {
        start += part.len();
        if names::is_secret(part.trim_end_matches(['.', '|', ':', '='])) {
            return Some(start);
        }
    }
    None
}
