//! Formats and encodings of bodies: an attack in each is detected, a benign twin passes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use engine::{Engine, mutate::empty_request};
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder},
};
use shared::{Body, Finding, InspectRequest, Sensitivity, score};
use std::{io::Write, sync::LazyLock};

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

const MULTIPART: &str = "multipart/form-data; boundary=cut";

fn with_headers(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> InspectRequest {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    InspectRequest { headers, body: Some(Body(body.into())), ..empty_request("POST") }
}

fn with_body(content_type: &str, body: impl Into<Vec<u8>>) -> InspectRequest {
    with_headers(&[("content-type", content_type)], body)
}

fn findings(request: &InspectRequest) -> Vec<Finding> {
    ENGINE.inspect(request).findings
}

/// Asserts an attack at the point, and that the benign twin has no finding.
fn assert_twins(attack: &InspectRequest, point: &str, benign: &InspectRequest) {
    let found = findings(attack);
    let points: Vec<_> = found.iter().map(|it| format!("{} {}", it.signature, it.point)).collect();
    assert!(score::of_request(&found) >= Sensitivity::Balanced.threshold(), "{points:?}");
    assert!(found.iter().any(|it| it.point.to_string() == point), "{point}: {points:?}");
    assert_eq!(findings(benign), []);
}

fn signatures(request: &InspectRequest) -> Vec<String> {
    findings(request).into_iter().map(|it| it.signature).collect()
}

fn part(headers: &str, content: &str) -> InspectRequest {
    let disposition = "Content-Disposition: form-data; name=\"p\"";
    with_body(MULTIPART, format!("--cut\r\n{disposition}\r\n{headers}\r\n\r\n{content}\r\n--cut--\r\n"))
}

#[test]
fn transfer_encodings_of_parts_are_decoded() {
    let encoded =
        |header: &str, content: &str| part(&format!("Content-Transfer-Encoding: {header}"), content);
    for (encoding, attack, benign) in [
        ("base64", STANDARD.encode("' or 1=1 -- "), STANDARD.encode("Alice's garden")),
        ("BASE64", STANDARD.encode(";id"), STANDARD.encode("id")),
        ("quoted-printable", "=27 or 1=3D1 --=20".to_owned(), "caf=C3=A9 =\r\nau lait".to_owned()),
        ("8bit", "' or 1=1 -- ".to_owned(), "café".to_owned()),
        ("binary", "' or 1=1 -- ".to_owned(), "café".to_owned()),
    ] {
        assert_twins(&encoded(encoding, &attack), "post > multipart:p", &encoded(encoding, &benign));
    }
}

#[test]
fn toml_has_values() {
    let document = |value: &str| with_body("application/toml", format!("[user]\nname = {value}\n"));
    let attack = document(r#""\u0027 union select password from users -- ""#);
    assert_twins(&attack, "post > json_doc > hash:name", &document("\"O'Neil\""));
}

#[test]
fn csv_has_cells() {
    let table =
        |cell: &str| with_body("text/csv; charset=utf-8", format!("id,city\r\n1,{cell}\r\n2,Rome\r\n"));
    let attack = table("\"\"\"><svg onload=alert(1)>\"");
    assert_twins(&attack, "post > csv > hash:city", &table("\"Paris, \"\"the capital\"\"\""));
    assert_twins(&table("/etc/passwd"), "post > csv > hash:city", &table("St. John's"));
}

#[test]
fn an_xml_document_declares_its_encoding() {
    let soap = |encoding: &str, text: &[u8]| {
        let start = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><r><name>");
        with_body("text/xml", [start.as_bytes(), text, b"</name></r>"].concat())
    };
    let point = "post > charset > xml > xml_tag:r > xml_tag:name";
    // Full-width brackets, which some origins convert to those of ASCII.
    let attack = soap("shift_jis", b"\x81\x83script\x81\x84alert(1)\x81\x83/script\x81\x84");
    assert_twins(&attack, point, &soap("iso-8859-1", b"Caf\xE9 de la Paix"));
    assert_eq!(findings(&soap("shift_jis", b"\x83\x41\x83\x42")), []);
}

#[test]
fn utf_32_is_decoded_by_mark_and_by_declaration() {
    let wide = |text: &str| -> Vec<u8> { text.chars().flat_map(|it| u32::from(it).to_be_bytes()).collect() };
    let (attack, benign) = (wide("{\"a\":\"' or 1=1 -- \"}"), wide("{\"a\":\"O'Neil\"}"));
    let point = "post > charset > json_doc > hash:a";
    assert_twins(
        &with_body("application/json", attack.clone()),
        point,
        &with_body("application/json", benign.clone()),
    );
    let declared = "text/plain; charset=utf-32be";
    let attack = findings(&with_body(declared, attack));
    assert!(attack.iter().any(|it| it.point.to_string() == point), "{attack:?}");
}

#[test]
fn a_form_names_its_character_set() {
    // `'` as a byte of EBCDIC.
    let form =
        |value: &str| with_body("application/x-www-form-urlencoded", format!("_charset_=ibm037&p={value}"));
    let ebcdic = "%7D%40%96%99%40%F1%7E%F1%40%60%60%40";
    assert_twins(&form(ebcdic), "post > form_urlencoded:p", &form("%81%82%83"));
}

fn deflated(text: &str) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    STANDARD.encode(encoder.finish().unwrap())
}

#[test]
fn saml_messages_of_both_bindings_are_xml() {
    let request = |issuer: &str, prolog: &str| {
        format!(
            "<?xml version=\"1.0\"?>{prolog}<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_8e8dc5f69a98cc4c1ff3427e5ce34606fd672f91e6\" \
             Version=\"2.0\" IssueInstant=\"2026-11-30T10:11:12Z\" Destination=\"https://idp.example.org/SSOService.php\" \
             AssertionConsumerServiceURL=\"https://sp.example.com/demo1/index.php?acs\" \
             ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"><saml:Issuer>{issuer}</saml:Issuer>\
             <samlp:NameIDPolicy Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\" AllowCreate=\"true\"/>\
             </samlp:AuthnRequest>"
        )
    };
    let benign = request("https://sp.example.com/metadata.php", "");
    let attack = request("&x;", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>");
    let redirect = |xml: &str| {
        let value = deflated(xml).replace('+', "%2B").replace('=', "%3D");
        InspectRequest { query: format!("SAMLRequest={value}&RelayState=abc"), ..empty_request("GET") }
    };
    let post = |xml: &str| {
        let value = STANDARD.encode(xml).replace('+', "%2B").replace('=', "%3D");
        with_body("application/x-www-form-urlencoded", format!("SAMLResponse={value}"))
    };
    let declaration = "xml > xml_dtd_entity";
    assert_twins(
        &redirect(&attack),
        &format!("get > SAMLRequest > gzip > {declaration}"),
        &redirect(&benign),
    );
    let point = format!("post > form_urlencoded:SAMLResponse > base64 > {declaration}");
    assert_twins(&post(&attack), &point, &post(&benign));
    let injected = request("x' or '1'='1", "");
    assert_twins(
        &redirect(&injected),
        "get > SAMLRequest > gzip > xml > xml_tag:samlp:AuthnRequest > xml_tag:saml:Issuer",
        &redirect(&benign),
    );
}

#[test]
fn grpc_web_text_is_decoded() {
    let message = |text: &str| {
        let length = u8::try_from(text.len()).unwrap();
        let message = [&[0x0A, length], text.as_bytes()].concat();
        let frame = [&[0, 0, 0, 0, length + 2], message.as_slice()].concat();
        // Each frame is padded.
        STANDARD.encode(frame).repeat(2)
    };
    let request = |text: &str| with_body("application/grpc-web-text", message(text));
    let point = "post > grpc > protobuf > hash:1";
    assert_twins(&request("' or 1=1 -- "), point, &request("Alice's garden"));
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_body_that_is_not_in_its_content_coding_is_a_finding_and_is_read_raw() {
    let request = |coding: &str, body: &[u8]| {
        with_headers(&[("content-type", "text/plain"), ("content-encoding", coding)], body)
    };
    let whole = gzip("just words");
    assert_eq!(findings(&request("gzip", &whole)), []);
    for (coding, body) in [
        ("gzip", &b"just words"[..]),
        ("gzip", &whole[..whole.len() - 6]),
        ("br", b"\xFFjust words"),
        ("deflate", b"\xFFjust words"),
    ] {
        assert_eq!(signatures(&request(coding, body)), ["malformed-coding"], "{coding} {body:?}");
    }
    // Mistakes of clients, which servers ignore.
    for coding in ["utf-8", "identity", "aws-chunked", ""] {
        assert_eq!(findings(&request(coding, b"just words")), [], "{coding}");
    }
    let found = signatures(&request("gzip", b"' or 1=1 -- "));
    assert!(found.iter().any(|it| it.starts_with("sqli")), "{found:?}");
    let appended = [whole.as_slice(), b"\n<script>alert(1)</script>"].concat();
    let found = signatures(&request("gzip", &appended));
    assert!(found.iter().any(|it| it.starts_with("xss")), "{found:?}");
    let truncated = InspectRequest { body_truncated: true, ..request("gzip", &whole[..whole.len() - 6]) };
    assert_eq!(findings(&truncated), []);
}

#[test]
fn a_body_that_is_not_in_its_character_set_is_a_finding_and_is_read_raw() {
    assert_eq!(findings(&with_body("text/plain; charset=utf-8", "café")), []);
    assert_eq!(findings(&with_body("text/plain; charset=iso-8859-1", b"caf\xE9")), []);
    let invalid = with_body("text/plain; charset=utf-8", b"caf\xE9 au lait");
    assert_eq!(signatures(&invalid), ["malformed-charset"]);
    assert_eq!(signatures(&with_body("text/plain; charset=none", "words")), ["malformed-charset"]);
    let found = signatures(&with_body("text/plain; charset=none", "' or 1=1 -- "));
    assert!(found.iter().any(|it| it.starts_with("sqli")), "{found:?}");
    let file = b"--cut\r\nContent-Disposition: form-data; name=f; filename=a.bin\r\n\r\n\xFF\xFE\xE9\xFA\r\n--cut--\r\n";
    assert_eq!(findings(&with_body("multipart/form-data; boundary=cut; charset=utf-8", file)), []);
}

#[test]
fn a_broken_multipart_body_is_a_finding_and_is_read_raw() {
    let whole = "--cut\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\nwords\r\n--cut--\r\n";
    assert_eq!(findings(&with_body(MULTIPART, whole)), []);
    for (content_type, body) in [
        ("multipart/form-data", whole),
        ("multipart/form-data; boundary=other", whole),
        (MULTIPART, "--cut\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\nwords\r\n"),
        (MULTIPART, "p=words"),
    ] {
        assert_eq!(
            signatures(&with_body(content_type, body)),
            ["malformed-multipart"],
            "{content_type} {body}"
        );
    }
    let found = signatures(&with_body(MULTIPART, "p=' or 1=1 -- "));
    assert!(found.iter().any(|it| it.starts_with("sqli")), "{found:?}");
    let truncated =
        InspectRequest { body_truncated: true, ..with_body(MULTIPART, &whole[..whole.len() - 10]) };
    assert_eq!(findings(&truncated), []);
}

#[test]
fn a_malformed_body_is_suspicious_and_an_attack_at_strict() {
    let points = score::of_request(&findings(&with_body("text/plain; charset=none", "words")));
    assert!(points < Sensitivity::Balanced.threshold() && points >= Sensitivity::Strict.threshold());
}

#[test]
fn a_truncated_json_document_is_no_text() {
    let truncated = |content_type: &str, note: &str| {
        let query = r"mutation Import($items: [Item!]!) {\n  import(items: $items) { id }\n}";
        let body = format!(r#"{{"query":"{query}","variables":{{"items":[{{"note":"{note}"#);
        InspectRequest { body_truncated: true, ..with_body(content_type, body) }
    };
    let point = "post > json_doc > hash:variables > hash:items > array:0 > hash:note";
    let benign = truncated("application/json", "the spade is of ash");
    assert_twins(&truncated("application/json", "' or 1=1 -- x"), point, &benign);
    // What another parser reads in it is found where JSON is not declared, or ends before the end.
    for (content_type, note) in [
        ("application/x-www-form-urlencoded", "&q=%27+or+1=1+--+x"),
        ("application/json", "\" ' or 1=1 -- x"),
    ] {
        let found = findings(&truncated(content_type, note));
        assert!(score::of_request(&found) >= Sensitivity::Balanced.threshold(), "{note}: {found:?}");
    }
}
