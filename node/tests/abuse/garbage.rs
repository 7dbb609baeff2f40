//! Malformed HTTP and malformed messages.

use crate::{
    alone_here,
    bystander::Bystander,
    node::{Node, post, send},
};

const NOT_HTTP: &[&[u8]] = &[
    b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client at a plain port\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: a\r\n folded\r\n\r\n",
    b"GET /\x01\x02 HTTP/1.1\r\nhost: node\r\n\r\n",
    b"POST /v1/inspect/request HTTP/1.1\r\nhost: node\r\ncontent-length: -1\r\n\r\n",
    b"POST /v1/inspect/request HTTP/1.1\r\nhost: node\r\ncontent-length: 99999999999999999999\r\n\r\n",
    b"POST /v1/inspect/request HTTP/1.1\r\nhost: node\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
    b"POST /v1/inspect/request HTTP/1.1\r\nhost: node\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/inspect/request HTTP/1.1\r\nhost: node\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is not a sequence of frames",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\xff\xff\xff\x01\x25\x00\x00\x00\x01",
];

#[test]
fn malformed_http_gets_an_error_or_no_response() {
    let _alone = alone_here();
    let mut node = Node::start("");
    let bystander = Bystander::watch(node.address);
    for _ in 0..20 {
        for bytes in NOT_HTTP {
            let answer = send(node.address, bytes).unwrap_or_default();
            assert!(!answer.contains("HTTP/1.1 200"), "{} -> {answer}", bytes.escape_ascii());
        }
    }
    bystander.was_served();
    assert!(node.growth() < 32 << 20, "{} bytes", node.growth());
    node.assert_released();
}

/// Each start declares more data than follows, or nests deeply.
fn not_messages() -> Vec<(&'static str, Vec<u8>)> {
    let msgpack = |start: &[u8], filler: &[u8], times: usize| {
        ("application/msgpack", [start, &filler.repeat(times)].concat())
    };
    let json = |text: String| ("application/json", text.into_bytes());
    vec![
        msgpack(b"", b"", 0),
        msgpack(b"\xc1", b"", 0),
        // A map, an array, a text and bytes of declared length 2^32 - 1, without content.
        msgpack(b"\xdf\xff\xff\xff\xff", b"", 0),
        msgpack(b"\xdd\xff\xff\xff\xff", b"\x01", 1000),
        msgpack(b"\x81\xa4body\xc6\xff\xff\xff\xff", b"x", 1000),
        msgpack(b"\x81\xa7headers\xdd\xff\xff\xff\xff", b"\x92\xa1a\xa1b", 1000),
        msgpack(b"\x81\xa6method\xdb\xff\xff\xff\xff", b"x", 1000),
        msgpack(b"\x81\xa1x", b"\x91", 200_000),
        msgpack(b"\x81\xa1x", b"\x81\xa1x", 200_000),
        msgpack(b"", b"\x81", 3_000_000),
        json("[".repeat(1_000_000)),
        json("{\"x\":".repeat(500_000)),
        json(format!("{{\"body\":\"{}", "A".repeat(3_000_000))),
        json(format!("{{\"client_ip\":\"{}\"}}", "1".repeat(1_000_000))),
        json("\u{0}".repeat(1000)),
        ("application/json", b"\xff\xfe".repeat(1000)),
    ]
}

#[test]
fn malformed_messages_get_400_whatever_length_they_declare() {
    let _alone = alone_here();
    let mut node = Node::start("");
    let bystander = Bystander::watch(node.address);
    for (content_type, body) in not_messages() {
        let answer = send(node.address, &post(content_type, &body)).unwrap();
        let start = &body[..body.len().min(30)];
        assert!(answer.starts_with("HTTP/1.1 400"), "{} -> {answer}", start.escape_ascii());
        assert!(answer.len() < 4096, "{} -> {} bytes of answer", start.escape_ascii(), answer.len());
    }
    let too_large = send(node.address, &post("application/json", &b" ".repeat((4 << 20) + 1)));
    assert!(too_large.is_err() || too_large.unwrap().starts_with("HTTP/1.1 413"));
    bystander.was_served();
    assert!(node.growth() < 96 << 20, "{} bytes", node.growth());
    node.assert_released();
}
