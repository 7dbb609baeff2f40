//! Content types, character sets and codings that headers declare, as the engine reads them.

use super::*;

const MULTIPART: &str = "multipart/form-data; boundary=b";
const JSON: &str = r#"{"password":"s3cret","a":"visible"}"#;
const MASKED_JSON: &str = r#"{"password":"***","a":"visible"}"#;
const PARTS: &str = "preamble\r\n--b\r\nContent-Disposition: form-data; name=password\r\n\r\ns3cret\r\n\
    --b\r\nContent-Disposition: form-data; name=a\r\n\r\nvisible\r\n--b--\r\n";

fn request(headers: &[(&str, &str)], body: &[u8]) -> RecordedRequest {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    RecordedRequest { headers: headers.collect(), ..with_body("", body) }
}

/// A body with these headers, masked by default.
fn masked(headers: &[(&str, &str)], body: &[u8]) -> String {
    let masked = masked_by_default(request(headers, body), "none");
    String::from_utf8_lossy(&masked.body.unwrap().0).into_owned()
}

fn part(head: &str, content: &[u8]) -> Vec<u8> {
    let start = format!("--b\r\nContent-Disposition: form-data; name=a\r\n{head}\r\n\r\n");
    [start.as_bytes(), content, b"\r\n--b--\r\n"].concat()
}

#[test]
fn every_content_type_of_a_request_is_read() {
    for types in [
        ["text/plain", MULTIPART],
        [MULTIPART, "text/plain"],
        ["application/json", MULTIPART],
        ["multipart/form-data; boundary=other", MULTIPART],
    ] {
        let headers = types.map(|content_type| ("Content-Type", content_type));
        let masked = masked(&headers, PARTS.as_bytes());
        assert!(!masked.contains("s3cret") && masked.contains("visible"), "{types:?} {masked}");
        let mut by_rule = request(&headers, PARTS.as_bytes());
        masks(&[r#"[["post"],["multipart","password"]]"#]).request(&mut by_rule, &[]);
        assert_eq!(by_rule.body.unwrap().0, MASK.as_bytes(), "{types:?}");
    }
    let many = ["a/1", "a/2", "a/3", "a/4", "a/5"].map(|content_type| ("content-type", content_type));
    assert_eq!(masked(&many, JSON.as_bytes()), MASK);
    assert_eq!(masked(&[("content-type", "a/1"); 5], JSON.as_bytes()), MASKED_JSON);
}

#[test]
fn only_character_sets_based_on_ascii_are_read() {
    let pin = r#"[["post"],["json_doc"],["hash","password"]]"#;
    for (declared, expected) in [
        ("charset=cp037", MASK),
        ("charset=x-cp875", MASK),
        ("charset=csIBM273", MASK),
        ("charset=ccsid00500", MASK),
        ("charset=ebcdic-cp-us", MASK),
        ("charset=ucs-4", MASK),
        ("charset=unicode", MASK),
        ("charset=utf_16", MASK),
        ("charset = utf-16", MASK),
        ("charset=\"utf-7\"", MASK),
        ("charset*=us-ascii'en'ibm037", MASK),
        ("charset=utf-8; charset=ibm037", MASK),
        ("charset=klingon", MASK),
        ("charset=utf-8", MASKED_JSON),
        ("charset=UTF8", MASKED_JSON),
        ("charset=iso-8859-1", MASKED_JSON),
        ("charset=cp850", MASKED_JSON),
        ("charset=ibm437", MASKED_JSON),
        ("charset=shift_jis", MASKED_JSON),
        ("charset=none", MASKED_JSON),
        ("profile=utf-16", MASKED_JSON),
    ] {
        let content_type = format!("application/json; {declared}");
        assert_eq!(
            masked(&[("content-type", content_type.as_str())], JSON.as_bytes()),
            expected,
            "{declared}"
        );
        assert_eq!(masked_body(&[pin], &content_type, JSON.as_bytes()), expected, "{declared}");
    }
}

#[test]
fn character_sets_are_known_by_marks_and_documents() {
    for body in [
        &b"\0\0\xfe\xff\0\0\0p"[..],
        b"\xef\xbb\xbf{\0\"\0p\0",
        b"<?xml version='1.0' encoding='utf-7'?><a>+AHM-3cret</a>",
        b"<?xml version='1.0' encoding='ibm037'?><a>s3cret</a>",
    ] {
        assert_eq!(masked(&[], body), MASK, "{}", body.escape_ascii());
    }
    for label in ["utf-8", "utf-16", "windows-1252"] {
        let body = format!("<?xml version='1.0' encoding='{label}'?><a><pin>s3cret</pin><b>visible</b></a>");
        assert_eq!(masked(&[], body.as_bytes()), body.replace("s3cret", MASK));
    }
}

#[test]
fn parts_in_other_bytes_are_masked_as_a_whole() {
    let wide: Vec<u8> = JSON.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (head, content) in [
        ("Content-Type: application/json; charset=utf-16", wide.as_slice()),
        ("Content-Type: text/plain;\r\n charset=ibm037", b"\x97\x89\x95~\xf1"),
        ("Content-Type: text/plain\r\nContent-Type: text/plain; charset=x-cp875", b"\x97\x89\x95~\xf1"),
        ("Content-Transfer-Encoding: base64", b"eyJwaW4iOjF9"),
        ("content-transfer-encoding : \"Quoted-Printable\"", b"=7B=22pin=22:1}"),
        ("Content-Transfer-Encoding: x-uuencode", b"x"),
        ("X-Any: y", b"\xff\xfep\0"),
    ] {
        let body = part(head, content);
        let expected = part(head, MASK.as_bytes());
        assert_eq!(masked(&[("content-type", MULTIPART)], &body).as_bytes(), expected, "{head}");
    }
    for (head, content) in [
        ("Content-Type: text/plain; charset=utf-8", &b"visible"[..]),
        ("Content-Transfer-Encoding: 8bit", b"visible"),
        ("Content-Transfer-Encoding: binary\r\nContent-Type: image/png", b"\x89PNG\r\n\x1a\n"),
    ] {
        let body = part(head, content);
        let masked = masked(&[("content-type", MULTIPART)], &body);
        assert_eq!(masked, String::from_utf8_lossy(&body), "{head}");
    }
}

#[test]
fn only_bodies_in_a_coding_are_masked_as_a_whole() {
    let pin = r#"[["post"],["json_doc"],["hash","password"]]"#;
    for (coding, expected) in [
        ("", MASKED_JSON),
        ("identity", MASKED_JSON),
        ("utf-8", MASKED_JSON),
        ("aws-chunked", MASKED_JSON),
        ("None, UTF-8", MASKED_JSON),
        ("application/json", MASKED_JSON),
        ("gzip", MASKED_JSON),
        ("identity, br", MASKED_JSON),
        ("deflate;q=1", MASKED_JSON),
        ("zstd", MASKED_JSON),
        ("aes128gcm", MASK),
        ("base64", MASK),
    ] {
        let headers = [("Content-Encoding", coding)];
        assert_eq!(masked(&headers, JSON.as_bytes()), expected, "{coding}");
        let mut by_rule = request(&headers, JSON.as_bytes());
        masks(&[pin]).request(&mut by_rule, &[]);
        assert_eq!(by_rule.body.unwrap().0, expected.as_bytes(), "{coding}");
    }
    let lines = [("content-encoding", "identity"), ("content-encoding", "base64")];
    assert_eq!(masked(&lines, JSON.as_bytes()), MASK);
    for (coding, body) in [
        ("gzip", &b"\x1f\x8b\x08\0"[..]),
        ("x-gzip", b"\x1f\x8b"),
        ("zstd", b"\x28\xb5\x2f\xfdx"),
        ("br", b"\x0b\x02\x80x\x03"),
        ("deflate", b"K\xcc\x01"),
    ] {
        assert_eq!(masked(&[("content-encoding", coding)], body), MASK, "{coding}");
    }
}
