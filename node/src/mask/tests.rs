use super::*;
use shared::AttackType;

mod addresses;
mod declarations;
mod formats;
mod properties;

fn point(json: &str) -> Point {
    serde_json::from_str(json).unwrap()
}

fn recorded(json: &serde_json::Value) -> RecordedRequest {
    let mut request = serde_json::json!({"request_id": "0f3c5bb6d1e94e0c8e0f2b6c4d1a7e55", "at": "2026-01-01T00:00:00Z",
        "client_ip": "::1", "method": "POST", "host": "h", "path": "/"});
    request.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
    serde_json::from_value(request).unwrap()
}

fn with_body(content_type: &str, body: &[u8]) -> RecordedRequest {
    let headers = serde_json::json!([["Content-Type", content_type]]);
    RecordedRequest { body: Some(Body(body.to_vec())), ..recorded(&serde_json::json!({"headers": headers})) }
}

fn masks(points: &[&str]) -> Masks<'static> {
    Masks { points: points.iter().map(|json| point(json)).collect(), key: None }
}

fn masked_body(points: &[&str], content_type: &str, body: &[u8]) -> String {
    let mut request = with_body(content_type, body);
    masks(points).request(&mut request, &[]);
    String::from_utf8_lossy(&request.body.unwrap().0).into_owned()
}

fn masked_json(point: &str, body: &str) -> String {
    masked_body(&[point], "application/json", body.as_bytes())
}

#[test]
fn masks_any_json_value_and_keeps_the_rest() {
    let pin = r#"[["post"],["json_doc"],["hash","pin"]]"#;
    for (value, rest) in [
        ("1234", ""),
        ("-1.5e3", ""),
        ("true", ""),
        ("null", ""),
        (r#""a\"b""#, ""),
        (r#"{"a": [1, {"b": 2}]}"#, ""),
        ("[1,2]", ""),
        ("[]", ""),
        ("1234", r#", "pin": 5"#),
    ] {
        let masked = masked_json(pin, &format!(r#"{{ "user" : 7,"pin":{value}{rest} , "x":[1, 2]}}"#));
        let expected = r#"{ "user" : 7,"pin":"***"REST , "x":[1, 2]}"#;
        let rest = if rest.is_empty() { "" } else { r#", "pin": "***""# };
        assert_eq!(masked, expected.replace("REST", rest), "{value}");
    }
}

#[test]
fn masks_json_at_the_point() {
    let body = r#"{"users":[{"pin":1,"name":"eve"},{"pin":2}],"pin":3,"p\u0069n":4}"#;
    for (point, expected) in [
        (
            r#"[["post"],["json_doc"],["hash","users"],["array"],["hash","pin"]]"#,
            r#"{"users":[{"pin":"***","name":"eve"},{"pin":"***"}],"pin":3,"p\u0069n":4}"#,
        ),
        (
            r#"[["post"],["json_doc"],["hash","users"],["array",1]]"#,
            r#"{"users":[{"pin":1,"name":"eve"},"***"],"pin":3,"p\u0069n":4}"#,
        ),
        (
            r#"[["post"],["json_doc"],["hash","pin"]]"#,
            r#"{"users":[{"pin":1,"name":"eve"},{"pin":2}],"pin":"***","p\u0069n":"***"}"#,
        ),
        (r#"[["post"],["json_doc"],["hash"]]"#, r#"{"users":"***","pin":"***","p\u0069n":"***"}"#),
        (r#"[["post"],["json_doc"]]"#, r#""***""#),
        (r#"[["post"]]"#, "***"),
    ] {
        assert_eq!(masked_json(point, body), expected, "{point}");
    }
}

#[test]
fn masks_documents_inside_a_masked_string() {
    let token = r#"[["post"],["json_doc"],["hash","t"],["jwt"],["jwt_payload"]]"#;
    assert_eq!(masked_json(token, r#"{"t":"a.b.c","u":{"t":"x"}}"#), r#"{"t":"***","u":{"t":"x"}}"#);
}

#[test]
fn masks_a_truncated_document() {
    let pin = r#"[["post"],["json_doc"],["hash","pin"]]"#;
    for (body, expected) in [
        (r#"{"a":1,"pin":"12"#, r#"{"a":1,"pin":"***""#),
        (r#"{"a":1,"pin":{"x":[12,"#, r#"{"a":1,"pin":"***""#),
        (r#"{"a":1,"pi"#, r#"{"a":1,"pi"#),
        (r#"{"a":1,"pin""#, r#"{"a":1,"pin""#),
    ] {
        assert_eq!(masked_json(pin, body), expected);
    }
}

#[test]
fn drops_a_body_in_which_a_value_cannot_be_located() {
    let pin = r#"[["post"],["json_doc"],["hash","pin"]]"#;
    for body in [
        &br#"{"pin":1}/* */{"pin":2}"#[..],
        br#"{"pin" 1}"#,
        b"{'pin':1}",
        br#"{"pin":1]"#,
        b"\xef\xbb\xbf{\"pin\":1}",
        b"{\"pin\":1,\"a\":\"\xff\"}",
        br#"{"\x":1,"pin":1}"#,
    ] {
        assert_eq!(masked_body(&[pin], "application/json", body), "***", "{}", body.escape_ascii());
    }
    let mut request = with_body("application/json", b"\x1f\x8b{\"pin\":1}");
    request.headers.push(("content-encoding".into(), "gzip".into()));
    masks(&[pin]).request(&mut request, &[]);
    assert_eq!(request.body.unwrap().0, b"***");
    let part = r#"[["post"],["multipart","pin"]]"#;
    assert_eq!(masked_body(&[part], "multipart/form-data; boundary=x", b"--x..."), "***");
    assert_eq!(masked_body(&[part], "application/json", b"{}"), "{}");
}

#[test]
fn a_document_of_brackets_is_masked_in_linear_time() {
    let pin = r#"[["post"],["json_doc"],["array"],["hash","pin"]]"#;
    let deep = "[".repeat(500_000);
    assert_eq!(masked_json(pin, &deep), deep);
}

#[test]
fn masks_values_in_queries_and_forms() {
    let mut request =
        recorded(&serde_json::json!({"query": "a=1&pin=2&p%69n=3&pin[x]=4&pin&pinned=5&pin%3d6&b"}));
    masks(&[r#"[["get","pin"]]"#]).request(&mut request, &[]);
    assert_eq!(request.query, "a=1&pin=***&p%69n=***&pin[x]=***&pin&pinned=5&***&b");
    let form = r#"[["post"],["form_urlencoded","pin"]]"#;
    assert_eq!(masked_body(&[form], "application/x-www-form-urlencoded", b"a=1&pin=2"), "a=1&pin=***");
    assert_eq!(masked_body(&[form], "application/json", br#"{"pin":2}"#), r#"{"pin":2}"#);
    for (body, masked) in
        [("{a}=1&pin=2", "{a}=1&pin=***"), ("\"&pin=2", "\"&pin=***"), ("[]&pin=2", "[]&pin=***")]
    {
        assert_eq!(masked_body(&[form], "application/x-www-form-urlencoded", body.as_bytes()), masked);
    }
}

#[test]
fn masks_headers_and_cookies() {
    let headers = serde_json::json!([["X-Token", "t"], ["Cookie", "a=1; sid=2; sid=3"], ["accept", "*/*"]]);
    let mut request = recorded(&serde_json::json!({"headers": headers}));
    masks(&[r#"[["header","x-TOKEN"]]"#, r#"[["header","COOKIE"],["cookie","sid"]]"#])
        .request(&mut request, &[]);
    let values: Vec<&str> = request.headers.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["***", "a=1; sid=***; sid=***", "*/*"]);
}

#[test]
fn masks_a_payload_that_may_contain_a_masked_value() {
    let masks = masks(&[r#"[["post"],["json_doc"],["hash","pin"]]"#]);
    for (at, is_masked) in [
        (r#"[["post"],["json_doc"],["hash","pin"]]"#, true),
        (r#"[["post"],["json_doc"],["hash","pin"],["base64"]]"#, true),
        (r#"[["post"]]"#, true),
        (r#"[["post"],["json_doc"],["hash","user"]]"#, false),
        (r#"[["get","pin"]]"#, false),
    ] {
        let finding = Finding {
            attack_type: AttackType::Sqli,
            point: point(at),
            signature: "test".into(),
            class: None,
            severity: shared::Severity::High,
            payload: "secret".into(),
            span: (0, 0),
            decoded: Vec::new(),
            score: Vec::new(),
        };
        assert_eq!(masks.finding(finding).payload == MASK, is_masked, "{at}");
    }
}

fn finding(payload: &str) -> Finding {
    serde_json::from_value(serde_json::json!({
        "type": "sqli", "point": [["get", "q"]], "signature": "test", "severity": "high", "payload": payload,
        "span": [0, 0]
    }))
    .unwrap()
}

/// The request masked by default, after a finding with this payload.
fn masked_by_default(mut request: RecordedRequest, payload: &str) -> RecordedRequest {
    let masks = Masks::of(&RequestRules::default(), Some(b"a key of the test"));
    masks.request(&mut request, &[finding(payload)]);
    request
}

fn default_body(content_type: &str, body: &str, payload: &str) -> String {
    let masked = masked_by_default(with_body(content_type, body.as_bytes()), payload);
    String::from_utf8(masked.body.unwrap().0).unwrap()
}

#[test]
fn cookies_and_well_known_secrets_are_masked_by_default() {
    let headers = serde_json::json!([
        ["Cookie", "sid=0123456789abcdef; theme=dark; empty="],
        ["cookie", "sid=0123456789abcdef"],
        ["X-Auth-Token", "s3cret"],
        ["Authorization", "Bearer s3cret"],
        ["Accept", "*/*"],
        ["Referer", "https://h/reset?token=s3cret&q=tea"],
    ]);
    let query = "q=tea&access_token=s3cret&user[password]=s3cret&card=4111111111111111";
    let masked =
        masked_by_default(recorded(&serde_json::json!({"headers": headers, "query": query})), "none");
    insta::assert_snapshot!(serde_json::to_string_pretty(&(masked.headers, masked.query)).unwrap());
}

#[test]
fn the_part_of_a_secret_that_attacked_stays_visible() {
    let payload = "' or 1=1 --";
    let headers = serde_json::json!([["Cookie", "sid=abc' or 1=1 --"], ["X-Auth-Token", "k' or 1=1 --x"]]);
    let request = recorded(&serde_json::json!({"headers": headers, "query": "pwd=abc%27+or+1%3D1+--"}));
    let masked = masked_by_default(request, payload);
    assert_eq!(masked.headers[0].1, "sid=***' or 1=1 --");
    assert_eq!(masked.headers[1].1, "***' or 1=1 --***");
    assert_eq!(masked.query, "pwd=***'%20or%201%3D1%20--");
}

#[test]
fn secrets_in_bodies_are_masked_by_default() {
    let json = r#"{"user":"ann","password":"s3cret","n":[{"pin":1234}],"card":"4111111111111111","note":"x' or 1=1"}"#;
    assert_eq!(
        default_body("application/json", json, "' or 1=1"),
        r#"{"user":"ann","password":"***","n":[{"pin":"***"}],"card":"4000000000001111","note":"x' or 1=1"}"#
    );
    assert_eq!(
        default_body("application/json", r#"{"password":"a' or 1=1","x":1}"#, "' or 1=1"),
        r#"{"password":"***' or 1=1","x":1}"#
    );
    assert_eq!(
        default_body("application/x-www-form-urlencoded", "a=1&password=s3cret", "-"),
        "a=1&password=***"
    );
    let part = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = format!("{}{}--b--\r\n", part("a", "1"), part("password", "s3cret"));
    assert_eq!(
        default_body("multipart/form-data; boundary=b", &multipart, "-"),
        multipart.replace("s3cret", "***")
    );
}

#[test]
fn secrets_in_other_bodies_are_masked_by_default() {
    for (content_type, body, masked) in [
        (
            "application/json",
            r#"{"password":{"$ne":"s3cret"},"a":["x"]}"#,
            r#"{"password":{"$ne":"***"},"a":["x"]}"#,
        ),
        ("application/json", r#"{"tokens":1,"token":["s3cret",7]}"#, r#"{"tokens":1,"token":["***","***"]}"#),
        (
            "application/json",
            "{\"password\":\"s3cret\"}\n{\"password\":\"s3cret\"}",
            "{\"password\":\"***\"}\n{\"password\":\"***\"}",
        ),
        (
            "application/json",
            r#"{"password":"s3cret","x":undefined?}"#,
            r#"{"password":"***","x":undefined?}"#,
        ),
        ("application/json", r#"{"a":1,"password":"s3cret"#, r#"{"a":1,"password":"***""#),
        ("text/plain", "user=a&password=s3cret", "user=a&password=***"),
        (
            "application/xml",
            "<a><ns:password x='1'>s3cret</ns:password></a>",
            "<a><ns:password x='1'>***</ns:password></a>",
        ),
        ("application/x-www-form-urlencoded", "card=4111+1111+1111+1111", "card=4000%200000%200000%201111"),
        ("application/json", r#"{"n":4111111111111111}"#, r#"{"n":4000000000001111}"#),
    ] {
        assert_eq!(default_body(content_type, body, "none"), masked, "{body}");
    }
    let binary = b"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\ns3cret\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n\xff\xd8\x00\r\n--b--\r\n";
    let body =
        masked_by_default(with_body("multipart/form-data; boundary=b", binary), "none").body.unwrap().0;
    assert!(!body.windows(6).any(|it| it == b"s3cret") && body.windows(3).any(|it| it == b"\xff\xd8\x00"));
    let mut compressed = with_body("application/json", b"\x1f\x8b");
    compressed.headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
    assert_eq!(masked_by_default(compressed, "none").body.unwrap().0, b"***");
}
