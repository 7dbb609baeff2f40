//! Content types, codings and character sets that headers, parts and forms declare.

use super::{
    FORM, JSON, MULTIPART, assert_clean, assert_payload, escaped, noise, part, request, signatures, typed,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use shared::InspectRequest;
use std::io::Write;

#[test]
fn each_content_type_is_read_and_two_are_an_attack() {
    let hidden = [noise(500, 5).as_slice(), b"\r\n", &part("X: y", "' or 1=1--")].concat();
    let benign = part("X: y", "words");
    for types in [
        ["application/octet-stream", MULTIPART],
        [MULTIPART, "application/octet-stream"],
        ["multipart/form-data; boundary=other", MULTIPART],
    ] {
        let headers = types.map(|it| ("content-type", it));
        assert_payload(&request(&headers, hidden.clone()), types[0]);
        let found = signatures(&request(&headers, benign.clone()));
        assert!(found.iter().any(|it| it.starts_with("crlf-ambiguous-type")), "{types:?}: {found:?}");
    }
    let listed = format!("text/plain, {MULTIPART}");
    assert_payload(&typed(&listed, hidden), "a list");
}

#[test]
fn equal_content_types_pass() {
    for (types, body) in [
        ([JSON, JSON], b"{\"a\":\"b\"}".to_vec()),
        ([JSON, "Application/JSON; charset=utf-8"], b"{\"a\":\"b\"}".to_vec()),
        ([FORM, FORM], b"a=b&c=d".to_vec()),
        ([MULTIPART, MULTIPART], part("X: y", "words")),
        ([MULTIPART, "multipart/form-data;boundary=\"R\""], part("X: y", "words")),
    ] {
        assert_clean(&request(&types.map(|it| ("content-type", it)), body), types[1]);
    }
    // What XMLHttpRequest makes of a type that is set twice.
    assert_clean(&typed("application/json, application/json", "{\"a\":\"b\"}"), "a list");
}

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn each_content_coding_is_undone_and_two_are_an_attack() {
    let (attack, benign) = (zlib("x=' or 1=1--"), zlib("x=words"));
    for codings in [["identity", "deflate"], ["deflate", "identity"], ["br", "deflate"], ["deflate", "br"]] {
        let headers = |it: &str| [("content-type", FORM.to_owned()), ("content-encoding", it.to_owned())];
        let headers: Vec<_> =
            headers(codings[0]).into_iter().chain(headers(codings[1]).into_iter().skip(1)).collect();
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_payload(&request(&headers, attack.clone()), &codings.join(" + "));
        let found = signatures(&request(&headers, benign.clone()));
        assert!(found.iter().any(|it| it.starts_with("crlf-ambiguous-coding")), "{codings:?}: {found:?}");
    }
    let equal = [("content-type", FORM), ("content-encoding", "gzip"), ("content-encoding", "gzip")];
    assert_clean(&request(&equal, gzip(b"x=words")), "a repeated line");
    assert_clean(&request(&equal, gzip(&gzip(b"x=words"))), "encoded twice");
    assert_payload(&request(&equal, gzip(&gzip(b"x=' or 1=1--"))), "encoded twice");
}

#[test]
fn codings_that_are_not_undone_are_an_overlimit() {
    let coded = |coding: &str| {
        signatures(&request(&[("content-type", "text/plain"), ("content-encoding", coding)], "words"))
    };
    for coding in ["zstd", "compress", "dcb", "snappy", "xz", "gzip, zstd"] {
        assert!(
            coded(coding).iter().any(|it| it.starts_with("overlimit-coding")),
            "{coding}: {:?}",
            coded(coding)
        );
    }
    for coding in
        ["", "identity", "utf-8", "aws-chunked", "amz-1.0", "application/json", "charset=utf-8", "base64"]
    {
        assert_eq!(coded(coding), [""; 0], "{coding}");
    }
}

#[test]
fn each_transfer_encoding_of_a_part_is_undone() {
    let attack = STANDARD.encode("' or 1=1 -- ");
    let spaced = attack.chars().fold(String::new(), |text, letter| text + &format!("{letter} "));
    for head in [
        "X: content-transfer-encoding: 7bit\r\nContent-Transfer-Encoding: base64",
        "Content-Transfer-Encoding : base64",
        "Content-Transfer-Encoding\t:\tBASE64",
        "Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64",
        "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: 7bit",
        "Content-Transfer-Encoding:\r\n base64",
        "Content-Transfer-Encoding: \"base64\"",
        "Content-Transfer-Encoding: (7bit) base64",
    ] {
        assert_payload(&typed(MULTIPART, part(head, &spaced)), head);
        // Lenient decoders drop a last letter of too few bits.
        assert_payload(&typed(MULTIPART, part(head, format!("{}A", attack.trim_end_matches('=')))), head);
        assert_clean(&typed(MULTIPART, part(head, STANDARD.encode("Alice's garden"))), head);
    }
    let unknown = signatures(&typed(MULTIPART, part("Content-Transfer-Encoding: x-uuencode", "words")));
    assert!(unknown.iter().any(|it| it.starts_with("overlimit-coding")), "{unknown:?}");
    for head in [
        "Content-Transfer-Encoding: 7bit",
        "Content-Transfer-Encoding: binary",
        "Content-Transfer-Encoding: 8BIT",
    ] {
        assert_clean(&typed(MULTIPART, part(head, "words")), head);
    }
}

/// `' or 1=1--` in EBCDIC: these characters are the same in all code pages.
const EBCDIC: &[u8] = b"\x7D\x40\x96\x99\x40\xF1\x7E\xF1\x60\x60";
/// `Alice`
const BENIGN_EBCDIC: &[u8] = b"\xC1\x93\x89\x83\x85";

#[test]
fn declared_character_sets_of_forms_parts_and_bodies_are_decoded() {
    for label in ["ibm037", "ibm273", "IBM424", "cp875", "cp1026", "\"ibm500\"", "x-ibm1047", "Cp1140"] {
        let form = |value: &[u8]| typed(&format!("{FORM}; charset={label}"), format!("x={}", escaped(value)));
        assert_payload(&form(EBCDIC), label);
        assert_clean(&form(BENIGN_EBCDIC), label);
        let head = format!("Content-Type: text/plain; charset={label}");
        assert_payload(&typed(MULTIPART, part(&head, EBCDIC)), label);
        assert_clean(&typed(MULTIPART, part(&head, BENIGN_EBCDIC)), label);
        let based = format!("{head}\r\nContent-Transfer-Encoding: base64");
        assert_payload(&typed(MULTIPART, part(&based, STANDARD.encode(EBCDIC))), label);
        let named =
            |value: &[u8]| typed(FORM, format!("_charset_={}&x={}", label.replace('"', ""), escaped(value)));
        assert_payload(&named(EBCDIC), label);
        assert_clean(&named(BENIGN_EBCDIC), label);
    }
    for content_type in [
        format!("{FORM}; charset=utf-8; charset=ibm037"),
        format!("{FORM}; x-charset=utf-8; charset = ibm037"),
    ] {
        assert_payload(&typed(&content_type, format!("x={}", escaped(EBCDIC))), &content_type);
    }
    // UTF-16 in either byte order.
    let wide: Vec<u8> = "x=' or 1=1--".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_payload(&typed(&format!("{FORM}; charset=utf-16"), wide), "utf-16");
}

#[test]
fn character_sets_that_are_not_decoded_are_an_overlimit() {
    let unknown = |request: &InspectRequest, what: &str| {
        let found = signatures(request);
        assert!(found.iter().any(|it| it.starts_with("overlimit-charset")), "{what}: {found:?}");
    };
    for label in ["ibm290", "utf-ebcdic", "iso-2022-kr", "hz-gb-2312", "klingon"] {
        unknown(&typed(&format!("text/plain; charset={label}"), "words"), label);
        unknown(
            &typed(MULTIPART, part(&format!("Content-Type: text/plain; charset={label}"), "words")),
            label,
        );
        unknown(&typed(FORM, format!("_charset_={label}&a=words")), label);
        unknown(
            &typed("text/xml", format!("<?xml version=\"1.0\" encoding=\"{label}\"?><a>words</a>")),
            label,
        );
    }
    let many = (0..9).fold(FORM.to_owned(), |text, page| text + &format!("; charset=windows-125{page}"));
    assert!(signatures(&typed(&many, "a=words")).iter().any(|it| it.starts_with("overlimit-depth")));
}

#[test]
fn spellings_of_harmless_character_sets_pass() {
    for label in [
        "utf8",
        "UTF-8",
        "UTF-8;",
        "utf_8",
        "utf8mb4",
        "latin1",
        "iso-8859-1",
        "iso-8859-15",
        "windows-1252",
        "windows-1251",
        "cp1252",
        "us-ascii",
        "\"utf-8\"",
        "'utf-8'",
        "\"windows-1252\"",
        "gbk",
        "cp850",
    ] {
        assert_clean(&typed(&format!("text/plain; charset={label}"), "some words"), label);
        assert_clean(&typed(&format!("{FORM};charset={label}"), "a=some+words&b=2"), label);
        assert_clean(&typed(&format!("{JSON};charset={label}"), "{\"a\":\"some words\"}"), label);
        assert_clean(
            &typed(MULTIPART, part(&format!("Content-Type: text/plain; charset={label}"), "some words")),
            label,
        );
        assert_clean(
            &typed(FORM, format!("_charset_={}&a=some+words", label.replace(['"', '\'', ';'], ""))),
            label,
        );
    }
    assert_clean(&typed(FORM, "_charset_=&a=some+words"), "an empty field");
    let pound = part("Content-Type: text/plain; charset=ISO-8859-1", b"caf\xE9 \xA35");
    assert_clean(&typed(MULTIPART, pound), "Latin-1");
    let file = part("Content-Type: text/csv; charset=windows-1252", b"name;city\r\nJos\xE9;M\xE1laga\r\n");
    assert_clean(&typed(MULTIPART, file), "windows-1252");
}

#[test]
fn a_preamble_in_wider_units_hides_no_parts_and_no_form() {
    let preamble = b"<\0a\0b\0c\0\r\n";
    let parts = |content: &str| typed(MULTIPART, [preamble.as_slice(), &part("X: y", content)].concat());
    assert_payload(&parts("' or 1=1--"), "parts");
    let form = |value: &str| typed(FORM, [b"{\0a\0b\0=\0&x=".as_slice(), value.as_bytes()].concat());
    assert_payload(&form("%27+or+1%3D1--"), "form");
}
