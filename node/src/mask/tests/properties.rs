//! Properties of the default masks: no secret in any structure, no panic, linear time.

use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const SECRET: &str = "zQ9xS3cretK7w";
const MULTIPART: &str = "multipart/form-data; boundary=b";
/// Debug builds on a busy machine: linear work takes milliseconds, quadratic work minutes.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Beginnings that make a careless scanner search to the end, again and again.
const PIECES: &[&str] = &[
    "<a ",
    "<a>",
    "<password>",
    "<password",
    "</a",
    "<a name=pin>",
    "<name>pin</name>",
    "<![CDATA[",
    "<!--",
    "a=",
    "password=",
    "password=&",
    "password:\n",
    "password='",
    "name=",
    "name:[",
    "name: \"",
    "\"name\":",
    "\"pin\":",
    "{\"name\":",
    "{\"pin\":",
    "[",
    "\"",
    "\\\"",
    "\\",
    ",a",
    "&a",
    ";a",
    "//a:b@",
    "//a:",
    "/",
    "/token",
    ";sid=",
    "--b",
    "--b\r\n",
    "--b\r\nname=pin\r\n\r\n",
    "name",
    "\r\n",
    " ",
    "eyJa.",
    "bearer ",
    "4111 ",
    "a.b[",
    "-----BEGIN PRIVATE KEY-----",
    "new",
    "'",
    "a ",
    "none",
    "=",
    ":",
    "/*",
    "[/*",
    "{/**/",
    "\"pin\":/*",
    "'pin':/**/",
    "*/:",
    "&lt;a ",
    "&amp;lt;",
    "value:[name:pin ",
    "value='name:pin,",
    "value=x&name=pin&",
    "name=pin&n-ame=pin&value=x&",
    "<value><name>pin</name>",
    "<value>",
    "<!--<pin>",
    "pin:\"\"\"",
    "pin:'''",
    "pin:Bearer\n",
    "pin\ta\n",
    "pin\t",
    "/reset/0f3c5bb6d1e9",
    "//a1b2c3d4@",
    "4111.",
];

fn any_name() -> impl Strategy<Value = String> {
    let names = vec![
        "password",
        "newPassword",
        "password_1",
        "passwordConfirm",
        "pin",
        "otp",
        "access_token",
        "client-secret",
        "PHPSESSID",
        "cvv",
        "code_verifier",
        "SAMLResponse",
        "apiKey",
        "credentials",
    ];
    (prop::sample::select(names), 0..4_u8).prop_map(|(name, form)| match form {
        0 => format!("user[{name}]"),
        1 => format!("users[0][{name}]"),
        _ => name.to_owned(),
    })
}

/// A value that contains the secret.
fn any_value() -> impl Strategy<Value = String> {
    ("\\PC{0,6}", "\\PC{0,6}").prop_map(|(before, after)| format!("{before}{SECRET}{after}"))
}

fn json_text(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02X}"))
}

/// JSON with the secret at some depth under its name.
fn any_json() -> impl Strategy<Value = String> {
    (any_name(), any_value(), "[a-z ]{0,8}", 0..7_u8, 0..3_u8).prop_map(
        |(name, value, other, form, depth)| {
            let (key, text, other) = (json_text(&name), json_text(&value), json_text(&other));
            let inner = match form {
                0 => format!("{{{key}:{text}}}"),
                1 => format!("{{\"a\":{other},{key}:[{other},{text}]}}"),
                2 => format!("{{{key}:{{\"value\":[{{\"x\":{text}}}]}}}}"),
                3 => format!("{{\"name\":{key},\"a\":{other},\"value\":{text}}}"),
                4 => format!("{{\"value\":{text},\"key\":{key}}}"),
                5 => format!("[{other},{{\"a\":1,{key}:{text}}}"),
                _ => format!("{{ {key} :\n{text} , \"a\":{other}}}"),
            };
            (0..depth).fold(inner, |inner, _| format!("{{\"a\":{}}}", json_text(&inner)))
        },
    )
}

/// A body in any format, with its content type.
fn any_body() -> impl Strategy<Value = (String, String)> {
    let parts =
        (any_name(), any_value(), 0..6_u8, prop::bool::ANY).prop_map(|(name, value, form, is_bare)| {
            let name = match form {
                0 => format!("name={name}"),
                1 => format!("Name=\"{name}\""),
                2 => format!("name*=UTF-8''{}", percent(&name)),
                3 => format!("name='{name}'"),
                4 => format!("filename=f; NAME={name}"),
                _ => format!("name=\"{name}\""),
            };
            let body = format!("--b\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n--b--\r\n");
            (MULTIPART.to_owned(), if is_bare { body.replace("\r\n", "\n") } else { body })
        });
    let forms = (any_name(), any_value(), "[a-z\n]{0,6}", prop::bool::ANY).prop_map(
        |(name, value, other, is_plain)| {
            let value = if is_plain { value.replace('&', "\n") } else { percent(&value) };
            (String::new(), format!("a={other}&{name}={value}"))
        },
    );
    let markup = (any_name(), "[ -;=?-~]{0,6}", 0..4_u8).prop_map(|(name, other, form)| {
        let name = name.replace(['[', ']'], "_");
        let quoted = other.replace('"', "");
        let body = match form {
            0 => format!("<r><n:{name}>{other}{SECRET}</n:{name}></r>"),
            1 => format!("<r><{name} a='1'><![CDATA[{other}<{SECRET}]]></{name}></r>"),
            2 => format!("<r {name}=\"{SECRET}{quoted}\"/>"),
            _ => format!("<r><{name}><b>{other}</b><b>{SECRET}</b></{name}></r>"),
        };
        ("application/xml".to_owned(), body)
    });
    let json = any_json().prop_map(|body| ("application/json".to_owned(), body));
    prop_oneof![json, parts, forms, markup]
}

proptest! {
    #[test]
    fn no_structure_shows_a_secret((content_type, body) in any_body()) {
        let masked = default_body(&content_type, &body, "none");
        prop_assert!(!masked.contains(SECRET), "{body}\n{masked}");
    }

    #[test]
    fn no_truncated_structure_shows_a_secret_after_its_name((content_type, body) in any_body(), cut in 0..20_usize) {
        let is_named_later = body.contains("\"key\":") || body.contains("key\\");
        let body = &body[..body.floor_char_boundary(body.len().saturating_sub(cut))];
        let masked = default_body(&content_type, body, "none");
        prop_assert!(is_named_later || !masked.contains(SECRET), "{body}\n{masked}");
    }

    #[test]
    fn any_bytes_are_masked_without_panic(
        pieces in prop::collection::vec(prop_oneof![
            Just("password".to_owned()), Just("--b".to_owned()), Just("\r\n\r\n".to_owned()), Just("name=".to_owned()),
            Just("<![CDATA[".to_owned()), Just("://a:".to_owned()), Just("\\\"".to_owned()), "[=:;&<>/\"'\\[{}\\],@ ]{1,3}",
            "\\PC{0,3}",
        ], 0..24),
        payload in "\\PC{1,3}",
    ) {
        let text = pieces.concat();
        for content_type in [MULTIPART, "application/x-www-form-urlencoded", ""] {
            default_body(content_type, &text, &payload);
        }
        let headers = serde_json::json!([["a", text], ["cookie", text]]);
        masked_by_default(recorded(&serde_json::json!({"headers": headers, "query": text, "path": text})), &payload);
        let bytes: Vec<u8> = text.bytes().rev().collect();
        masked_by_default(with_body(MULTIPART, &bytes), &payload);
    }
}

#[test]
fn repeated_structures_are_masked_in_linear_time() {
    for piece in PIECES {
        let text = piece.repeat(60_000 / piece.len());
        for content_type in [MULTIPART, ""] {
            let start = Instant::now();
            default_body(content_type, &text, "none");
            default_body(content_type, &format!("--b\r\nname={text}"), "none");
            let took = start.elapsed();
            assert!(took < MAX_TIME, "{piece:?} takes {took:?}");
        }
        let start = Instant::now();
        let headers = serde_json::json!([["a", text]]);
        masked_by_default(
            recorded(&serde_json::json!({"headers": headers, "query": text, "path": text})),
            "none",
        );
        assert!(start.elapsed() < MAX_TIME, "{piece:?} takes {:?}", start.elapsed());
    }
}
