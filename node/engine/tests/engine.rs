//! The engine from outside: requests in, findings out.

use engine::Engine;
use proptest::prelude::*;
use shared::{AttackType, Body, Finding, InspectRequest, Severity};
use std::sync::LazyLock;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

fn request(path: &str, query: &str) -> InspectRequest {
    InspectRequest {
        request_id: None,
        connector: None,
        delivery: shared::Delivery::Inline,
        client_ip: [203, 0, 113, 1].into(),
        method: "GET".into(),
        scheme: None,
        http_version: None,
        host: "shop.example.com".into(),
        path: path.into(),
        query: query.into(),
        headers: Vec::new(),
        body: None,
        body_truncated: false,
        not_inspected: Vec::new(),
    }
}

fn with_body(content_type: &str, body: impl Into<Vec<u8>>) -> InspectRequest {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    InspectRequest { headers, body: Some(Body(body.into())), ..request("/", "") }
}

fn findings(request: &InspectRequest) -> Vec<Finding> {
    ENGINE.inspect(request).findings
}

/// `type point payload` of each finding.
fn told(request: &InspectRequest) -> Vec<String> {
    let tell = |it: &Finding| format!("{} {} {}", it.attack_type, it.point, it.payload);
    findings(request).iter().map(tell).collect()
}

#[test]
fn a_tautology_in_a_parameter_is_sql_injection() {
    let told = told(&request("/", "x='+OR+1=1"));
    assert!(told.contains(&"sqli get > x ' OR 1=1".to_owned()), "{told:?}");
}

#[test]
fn a_sensitive_file_in_the_path_is_path_traversal() {
    for path in ["/etc/passwd", "/instructions.php/etc/passwd", "/%65tc/passwd"] {
        let told = told(&request(path, ""));
        assert!(told.contains(&"ptrav uri /etc/passwd".to_owned()), "{path}: {told:?}");
    }
}

#[test]
fn the_layers_that_were_peeled_are_named() {
    let found = findings(&request("/", "q=%2527%2520or%25201%253D1--"));
    assert!(found.iter().all(|it| it.decoded == ["percent", "percent"]), "{found:?}");
    let found = findings(&request("/", "q=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg"));
    assert!(
        found.iter().any(|it| it.decoded == ["base64"] && it.point.to_string() == "get > q > base64"),
        "{found:?}"
    );
}

#[test]
fn names_are_inspected_and_share_one_point() {
    let told = told(&request("/", "<script>=1"));
    assert!(told.iter().any(|it| it.starts_with("xss get > name <script>")), "{told:?}");
}

#[test]
fn json_inside_a_parameter_inside_base64_is_unfolded() {
    // {"a":["<svg onload=x>"]}
    let told = told(&request("/", "q=eyJhIjpbIjxzdmcgb25sb2FkPXg%2BIl19"));
    assert!(
        told.iter().any(|it| it.starts_with("xss get > q > base64 > json_doc > hash:a > array:0 ")),
        "{told:?}"
    );
}

#[test]
fn each_place_of_a_request_is_inspected() {
    let payload = "1 union select 1,2,3";
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut places = vec![
        request("/1%20union%20select%201,2,3", ""),
        request("/", "id=1%20union%20select%201,2,3"),
        with_body("application/x-www-form-urlencoded", format!("p={payload}")),
        with_body("application/json", format!("{{\"a\":{{\"b\":[\"{payload}\"]}}}}")),
        with_body("text/plain", payload),
        with_body(
            "multipart/form-data; boundary=b",
            format!("--b\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\n{payload}\r\n--b--"),
        ),
    ];
    for name in ["x-request-id", "cookie", "referer", "user-agent"] {
        let value = if name == "cookie" { format!("a={payload}") } else { payload.to_owned() };
        places.push(InspectRequest { headers: vec![header(name, &value)], ..request("/", "") });
    }
    for place in places {
        assert!(findings(&place).iter().any(|it| it.signature == "sqli-union-select"), "{place:?}");
    }
}

#[test]
fn the_most_severe_finding_comes_first() {
    let found = findings(&request("/", "a='--&b=1;drop+table+x&c=<iframe>"));
    assert!(found.is_sorted_by(|a, b| a.severity >= b.severity), "{found:?}");
    assert_eq!(found.first().map(|it| it.severity), Some(Severity::Critical));
}

#[test]
fn an_ordinary_request_has_no_findings() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![
        header("host", "shop.example.com"),
        header("cookie", "session=5f4dcc3b5aa765d61d8327deb882cf99; theme=dark; cart=%7B%22id%22%3A1%7D"),
        header("referer", "https://shop.example.com/list?sort=price&order=desc"),
    ];
    let request = InspectRequest { headers, ..request("/products/o'reilly-books", "q=it%27s+5+or+6&page=2") };
    assert_eq!(findings(&request), []);
}

#[test]
fn hits_are_bounded_and_payloads_cut() {
    let query = "p=<script>x&".repeat(5_000);
    assert_eq!(findings(&request("/", &query)).len(), 64);
    let long = findings(&request("/", &format!("q=<img onerror={}>", "é".repeat(9_000))));
    assert!(long.iter().all(|it| it.payload.chars().count() <= Finding::PAYLOAD_CHARS));
}

fn overlimit(request: &InspectRequest) -> bool {
    findings(request).iter().any(|it| it.attack_type == AttackType::Overlimit)
}

#[test]
fn nesting_without_end_is_bounded_and_reported() {
    assert!(overlimit(&with_body("application/json", "[".repeat(100_000))));
    assert!(overlimit(&with_body("application/json", "{\"a\":".repeat(100_000))));
    assert!(overlimit(&request("/", &format!("q=%{}41", "25".repeat(1_000)))));
}

#[test]
fn nested_base64_is_bounded_and_reported() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let nested = (0..20).fold("<script>alert(1)".to_owned(), |inner, _| STANDARD.encode(inner));
    assert!(overlimit(&with_body("text/plain", nested)));
}

#[test]
fn too_many_fields_are_reported() {
    assert!(overlimit(&request("/", &"a=1&".repeat(30_000))));
}

#[test]
fn many_values_at_the_deepest_level_are_affordable() {
    let body = format!("{}{}", "{\"a\":".repeat(100), "[") + &"\"x\",".repeat(30_000);
    assert!(overlimit(&with_body("application/json", body)));
}

#[test]
fn hostile_bulk_is_inspected_to_its_end() {
    for unit in [
        "'or(",
        "<a b=\"",
        "<style>",
        "/*",
        "((((",
        "union select ",
        "../",
        "%25",
        "\\u00",
        "&#x",
        "{\"a\":[",
        "--x\r\n\r\n",
        "1 or ",
        "\"'`",
    ] {
        for content_type in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
        {
            ENGINE.inspect(&with_body(content_type, unit.repeat(60_000 / unit.len())));
        }
    }
}

#[test]
fn a_request_is_explained_field_by_field() {
    let explained = ENGINE.explain(&request("/a", "q=%253Cscript%253E"));
    let field = explained.iter().find(|it| it.point.to_string() == "get > q").unwrap();
    let layers: Vec<_> = field.layers.iter().map(|it| (it.name, it.value.as_str())).collect();
    assert_eq!(layers, [("value", "%3Cscript%3E"), ("percent", "<script>")]);
    assert_eq!(field.findings.len(), 1);
    assert!(serde_json::to_string(&explained).unwrap().contains(r#""point":[["get","q"]]"#));
}

/// Bytes that tokenizers and decoders care about, and any others.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces = proptest::sample::select(vec![
        "'",
        "\"",
        "`",
        "<",
        ">",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "/*",
        "*/",
        "--",
        "#",
        "%",
        "%u",
        "\\u",
        "\\x",
        "&#",
        ";",
        "=",
        "&",
        "../",
        "\\",
        "select",
        "union",
        " or ",
        "1",
        "<script",
        " on",
        "javascript:",
        "0x",
        "\u{0}",
        "\r\n",
        "--x",
        ":",
        ",",
        "é",
        "＜",
        "name=",
        "@@",
        "by",
        "not ",
    ]);
    let piece = prop_oneof![
        4 => pieces.prop_map(|it| it.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_it_panic(path in hostile(), query in hostile(), name in hostile(), value in hostile(), body in hostile(), kind in 0..6) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let content_types = ["application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/xml", ""];
        let content_type = content_types.get(usize::try_from(kind).unwrap()).map_or_else(|| text(&value), |it| (*it).to_owned());
        let headers = vec![(text(&name), text(&value)), ("cookie".to_owned(), text(&value)), ("content-type".to_owned(), content_type)];
        let request = InspectRequest { headers, body: Some(Body(body)), ..request(&text(&path), &text(&query)) };
        let inspection = ENGINE.inspect(&request);
        prop_assert!(inspection.findings.iter().all(|it| it.span.0 <= it.span.1));
        ENGINE.explain(&request);
    }
}
