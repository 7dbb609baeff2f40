//! Disguises of the format: bodies that the parsers of origins read, and that look otherwise here.
//! Each attack has a benign twin.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod binary;
mod declared;
mod documents;

use engine::{Engine, mutate::empty_request};
use shared::{Body, InspectRequest, Sensitivity, score};
use std::sync::LazyLock;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=R";

fn request(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> InspectRequest {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    InspectRequest { headers, body: Some(Body(body.into())), ..empty_request("POST") }
}

fn typed(content_type: &str, body: impl Into<Vec<u8>>) -> InspectRequest {
    request(&[("content-type", content_type)], body)
}

fn signatures(request: &InspectRequest) -> Vec<String> {
    ENGINE.inspect(request).findings.iter().map(|it| format!("{} {}", it.signature, it.point)).collect()
}

fn is_attack(request: &InspectRequest) -> bool {
    score::of_request(&ENGINE.inspect(request).findings) >= Sensitivity::Balanced.threshold()
}

/// Asserts that the request is an attack because of its payload, not because of its headers.
fn assert_payload(request: &InspectRequest, what: &str) {
    let found = signatures(request);
    let payload =
        |it: &String| !["crlf-ambiguous", "overlimit", "malformed"].iter().any(|no| it.starts_with(no));
    assert!(is_attack(request) && found.iter().any(payload), "{what}: {found:?}");
}

fn assert_clean(request: &InspectRequest, what: &str) {
    assert_eq!(signatures(request), [""; 0], "{what}");
}

fn part(head: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("--R\r\nContent-Disposition: form-data; name=\"p\"\r\n{head}\r\n\r\n");
    [head.as_bytes(), content.as_ref(), b"\r\n--R--\r\n"].concat()
}

/// The bytes, each percent-encoded.
fn escaped(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

/// Reproducible random bytes.
fn noise(length: usize, mut state: u64) -> Vec<u8> {
    let mut byte = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| byte()).collect()
}
