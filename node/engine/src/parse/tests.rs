use super::*;
use crate::{mutate::empty_request, prefilter::Bytes};
use shared::{Body, Trigger, point::Tag};

fn request() -> InspectRequest {
    InspectRequest { path: "/a".into(), ..empty_request("POST") }
}

fn shown(field: &Field<'_>, arena: &PointArena) -> String {
    format!("{} = {}", arena.point(field.point), String::from_utf8_lossy(&field.value))
}

/// The fields that the parser of a format adds, as `point = value`.
pub(super) fn parsed(parse: for<'a> fn(&'a [u8], PointPath, &mut Sink<'a, '_>), body: &str) -> Vec<String> {
    let (mut budget, mut arena) = (Budget::for_request(), PointArena::default());
    let root = arena.then(None, Tag::Post);
    let mut sink = Sink::new(0, &mut budget, &mut arena);
    parse(body.as_bytes(), root, &mut sink);
    sink.fields.iter().map(|field| shown(field, sink.arena)).collect()
}

/// Every field except the path, as `point = value`.
fn fields(request: &InspectRequest) -> Vec<String> {
    let mut arena = PointArena::default();
    let fields = parse(request, &mut Budget::for_request(), &mut arena).fields;
    fields.iter().skip(1).map(|field| shown(field, &arena)).collect()
}

fn with_body(content_type: &str, body: &[u8]) -> Vec<String> {
    let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    let request = InspectRequest { headers, body: Some(Body(body.to_vec())), ..request() };
    fields(&request).into_iter().filter(|field| field.starts_with("post")).collect()
}

#[test]
fn a_query_gives_names_and_decoded_values() {
    let request = InspectRequest { query: "x='+OR+1%3D1&flag&=v".into(), ..request() };
    assert_eq!(fields(&request), ["get > name = x", "get > x = ' OR 1=1", "get > name = flag", "get >  = v"]);
}

#[test]
fn a_name_that_may_be_part_of_a_payload_is_joined_with_its_value() {
    let request = InspectRequest { query: "%3Cbase%20href=//a.example&a=1".into(), ..request() };
    assert_eq!(
        fields(&request),
        [
            "get > name = <base href=//a.example",
            "get > <base href = //a.example",
            "get > name = a",
            "get > a = 1"
        ]
    );
}

#[test]
fn cookies_are_split() {
    let request = InspectRequest { headers: vec![("cookie".into(), "a=1; b=2=3".into())], ..request() };
    assert_eq!(
        fields(&request),
        [
            "header > COOKIE > cookie > name = a",
            "header > COOKIE > cookie:a = 1",
            "header > COOKIE > cookie > name = b",
            "header > COOKIE > cookie:b = 2=3"
        ]
    );
}

fn at(trigger: Option<Trigger>) -> Vec<String> {
    let connector = trigger.map(|event| shared::ConnectorInfo {
        kind: "cloudfront".into(),
        version: "1".into(),
        event: Some(event),
        ..shared::ConnectorInfo::default()
    });
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let headers = vec![
        header("X-Amz-Cf-Id", "id"),
        header("CloudFront-Viewer-Country", "DE"),
        header("CloudFront-Viewer-Cert-Subject", "CN=shop"),
        header("X-Forwarded-For", "mine, 203.0.113.1"),
        header("via", "1.1 cf"),
    ];
    fields(&InspectRequest { connector, headers, ..request() })
}

#[test]
fn headers_written_by_cloudfront_are_not_inspected_at_the_origin() {
    assert_eq!(
        at(Some(Trigger::OriginRequest)),
        ["header > CLOUDFRONT-VIEWER-CERT-SUBJECT = CN=shop", "header > X-FORWARDED-FOR = mine"]
    );
}

#[test]
fn a_viewer_may_send_any_header() {
    assert_eq!(at(Some(Trigger::ViewerRequest)).len(), 5);
    assert_eq!(at(None).len(), 5);
}

#[test]
fn forms_are_parsed_with_and_without_their_content_type() {
    for content_type in ["application/x-www-form-urlencoded", ""] {
        let fields = with_body(content_type, b"p=a+b");
        assert!(fields.contains(&"post > form_urlencoded:p = a b".to_owned()), "{content_type}: {fields:?}");
    }
}

#[test]
fn json_is_parsed_under_any_content_type() {
    for content_type in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
        let fields = with_body(content_type, br#"{"user": ["a\u0027", 1, {"b": "c"}]}"#);
        assert!(fields.contains(&"post > json_doc > hash:user > array:0 = a'".to_owned()), "{fields:?}");
        assert!(
            fields.contains(&"post > json_doc > hash:user > array:2 > hash:b = c".to_owned()),
            "{fields:?}"
        );
    }
}

#[test]
fn a_truncated_document_is_parsed_to_its_end() {
    let fields = with_body("application/json", br#"{"a": "first", "b": "sec"#);
    assert!(fields.contains(&"post > json_doc > hash:a = first".to_owned()), "{fields:?}");
    assert!(fields.contains(&"post > json_doc > hash:b = sec".to_owned()), "{fields:?}");
}

#[test]
fn malformed_json_is_also_inspected_as_a_whole() {
    let fields = with_body("application/json", br#"{"a": "x" 'or 1=1}"#);
    assert!(fields.iter().any(|field| field.starts_with("post = {")), "{fields:?}");
}

const MULTIPART: &[u8] = b"--XX\r\nContent-Disposition: form-data; name=\"p\"\r\n\r\nvalue\r\n--XX\r\n\
    Content-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\ntext\r\n--XX--\r\n";

#[test]
fn multipart_gives_parts_and_files() {
    for content_type in ["multipart/form-data; boundary=XX", ""] {
        assert_eq!(
            with_body(content_type, MULTIPART),
            [
                "post > multipart > name = p",
                "post > multipart:p = value",
                "post > multipart > name = f",
                "post > multipart:f > file > name = a.txt",
                "post > multipart:f > file = text"
            ]
        );
    }
}

#[test]
fn the_declared_boundary_wins_over_that_of_the_first_line() {
    let body = [b"--YY\r\nContent-Type: x\r\n".as_slice(), MULTIPART].concat();
    let fields = with_body("multipart/form-data; boundary=XX", &body);
    assert!(fields.contains(&"post > multipart:p = value".to_owned()), "{fields:?}");
}

#[test]
fn a_form_may_start_like_json() {
    let fields = with_body("application/x-www-form-urlencoded", br#"{"a":1}&p=a+b"#);
    assert!(fields.contains(&"post > form_urlencoded:p = a b".to_owned()), "{fields:?}");
}

#[test]
fn an_unknown_body_is_one_field() {
    assert_eq!(with_body("text/plain", b"just text"), ["post = just text"]);
}

#[test]
fn deep_json_exhausts_the_budget() {
    let mut budget = Budget::for_request();
    let body = Some(Body("[".repeat(100_000).into_bytes()));
    let request = InspectRequest { body, ..request() };
    parse(&request, &mut budget, &mut PointArena::default());
    assert_eq!(budget.exhausted(), Some(crate::budget::Limit::Depth));
}

#[test]
fn too_many_fields_exhaust_the_budget() {
    let mut budget = Budget::for_request();
    let query = (0..200_000).fold(String::new(), |query, number| query + &format!("a{number}=1&"));
    let request = InspectRequest { query, ..request() };
    assert!(parse(&request, &mut budget, &mut PointArena::default()).fields.len() <= 200_000);
    assert_eq!(budget.exhausted(), Some(crate::budget::Limit::Fields));
}

#[test]
fn repeated_names_are_an_array_and_one_joined_value() {
    let request = InspectRequest { query: "p=a&q=x&p=b".into(), ..request() };
    let values: Vec<_> = fields(&request).into_iter().filter(|field| !field.contains("name")).collect();
    assert_eq!(
        values,
        ["get > p > array:0 = a", "get > q = x", "get > p > array:1 = b", "get > p > pollution = a,b"]
    );
}

#[test]
fn names_with_brackets_are_hashes_and_arrays() {
    let request = InspectRequest { query: "p[a][]=1&p[a][]=2&q[b]=3".into(), ..request() };
    let fields = fields(&request);
    for expected in
        ["get > p > hash:a > array:0 = 1", "get > p > hash:a > array:1 = 2", "get > q > hash:b = 3"]
    {
        assert!(fields.contains(&expected.to_owned()), "{fields:?}");
    }
}

#[test]
fn header_names_with_special_characters_are_fields() {
    let headers = vec![("x-a".to_owned(), "1".to_owned()), ("<b>".to_owned(), "2".to_owned())];
    let request = InspectRequest { headers, ..request() };
    assert_eq!(fields(&request), ["header > X-A = 1", "header > name = <b>", "header > <B> = 2"]);
}

#[test]
fn json_with_comments_and_json_lines_are_parsed() {
    let fields = with_body("application/json", b"{/* a */\"b\": \"c\" // d\n}\n{\"b\": \"e\"}");
    for expected in ["post > json_doc > hash:b = c", "post > json_doc > hash:b = e"] {
        assert!(fields.contains(&expected.to_owned()), "{fields:?}");
    }
}

fn compressed(body: &[u8]) -> Vec<u8> {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_compressed_body_is_parsed() {
    let fields = with_body("application/x-www-form-urlencoded", &compressed(b"p=a+b"));
    assert!(fields.contains(&"post > gzip > form_urlencoded:p = a b".to_owned()), "{fields:?}");
}

#[test]
fn a_body_in_utf16_is_parsed() {
    let body: Vec<u8> = "\u{feff}{\"a\": \"é\"}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let fields = with_body("application/json", &body);
    assert!(fields.contains(&"post > charset > json_doc > hash:a = é".to_owned()), "{fields:?}");
}

/// The fields nested in a value, one level deep.
fn inside(value: &[u8]) -> Vec<String> {
    let mut arena = PointArena::default();
    let point = arena.named(None, Tag::Get, b"x");
    let field = Field::new(point, crate::field::FieldKind::Value, value);
    let mut budget = Budget::for_request();
    let mut sink = Sink::new(1, &mut budget, &mut arena);
    parse_nested(value, Bytes::of(value), &field, &mut sink);
    let fields = sink.fields;
    fields.iter().map(|field| shown(field, &arena)).collect()
}

#[test]
fn xml_gives_texts_attributes_comments_and_declarations() {
    let document = b"<?xml version=\"1.0\"?><!DOCTYPE a SYSTEM \"s\" [<!ENTITY e \"uni\"><!ELEMENT a ANY>]>\
        <s:a b=\"c\"><d>&e;on</d><!--f--><![CDATA[<g>]]><?h i?></s:a>";
    assert_eq!(
        inside(document),
        [
            "get > x > xml > xml_dtd = <!DOCTYPE a SYSTEM \"s\" ",
            "get > x > xml > xml_dtd_entity = <!ENTITY e \"uni\">",
            "get > x > xml > xml_dtd = <!ELEMENT a ANY>",
            "get > x > xml > xml_tag:s:a > xml_attr:b = c",
            "get > x > xml > xml_tag:s:a > xml_tag:d = union",
            "get > x > xml > xml_comment = f",
            "get > x > xml > xml_tag:s:a = <g>",
            "get > x > xml > xml_pi = h i",
            "get > x > xml > xml_tag:s:a = union<g>",
        ]
    );
}

#[test]
fn texts_of_an_element_are_joined() {
    let joined = |document: &str| {
        let fields = inside(format!("<?xml?>{document}").as_bytes());
        fields.into_iter().map(|it| it.replace("get > x > xml > ", "")).collect::<Vec<_>>()
    };
    assert_eq!(
        joined("<a> b<![CDATA[c ]]>d</a>"),
        ["xml_tag:a = b", "xml_tag:a = c ", "xml_tag:a = d", "xml_tag:a = bc d"]
    );
    assert_eq!(
        joined("<a>b<e>c</e>d</a>"),
        ["xml_tag:a = b", "xml_tag:a > xml_tag:e = c", "xml_tag:a = d", "xml_tag:a = bcd", "xml_tag:a = bd"]
    );
    // One text, and a structure of others.
    assert_eq!(joined("<a> <!----> b <e/></a>"), ["xml_tag:a = b"]);
    assert_eq!(
        joined("<a> <e>b</e> <e>c</e> </a>"),
        ["xml_tag:a > xml_tag:e = b", "xml_tag:a > xml_tag:e = c"]
    );
    assert_eq!(
        joined("<member><name>a<!-- -->b</name><value>c</value></member>"),
        [
            "xml_tag:member > xml_tag:name = a",
            "xml_comment =  ",
            "xml_tag:member > xml_tag:name = b",
            "xml_tag:member > xml_tag:name = ab",
            "xml_tag:member > hash:ab > xml_tag:value = c"
        ]
    );
}

#[test]
fn malformed_xml_is_parsed_as_far_as_possible() {
    for (document, expected) in [
        ("<?xml?><a><b>text</a>", "get > x > xml > xml_tag:a > xml_tag:b = text"),
        ("<?xml?><a b='c' d='", "get > x > xml > xml_tag:a > xml_attr:b = c"),
        ("<?xml?></z><a>text", "get > x > xml > xml_tag:a = text"),
    ] {
        let fields = inside(document.as_bytes());
        assert!(fields.contains(&expected.to_owned()), "{document}: {fields:?}");
    }
}

#[test]
fn a_jwt_gives_its_header_and_its_payload() {
    let token = b"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJl";
    assert_eq!(
        inside(token),
        [
            "get > x > jwt > jwt_header = eyJhbGciOiJIUzI1NiJ9",
            "get > x > jwt > jwt_payload = eyJzdWIiOiJib2IifQ"
        ]
    );
}

#[test]
fn hex_compressed_and_graphql_values_are_parsed() {
    assert_eq!(inside(b"3c7363726970743e"), ["get > x > hex = <script>"]);
    assert_eq!(inside(&compressed(b"text")), ["get > x > gzip = text"]);
    assert_eq!(inside(b"query { user(name: \"bob\") { id } }"), ["get > x > gql = bob"]);
}

fn coded(coding: &str, body: &[u8]) -> Vec<String> {
    let headers = vec![("content-encoding".to_owned(), coding.to_owned())];
    fields(&InspectRequest { headers, body: Some(Body(body.to_vec())), ..request() })
}

/// `p=a+b`, stored uncompressed.
const BROTLI: &[u8] = b"@\0\x10p=a+b\x03";

#[test]
fn declared_content_codings_are_decoded_in_reverse_order() {
    let fields = coded("br", BROTLI);
    assert!(fields.contains(&"post > brotli > form_urlencoded:p = a b".to_owned()), "{fields:?}");
    let fields = coded("br, gzip", &compressed(BROTLI));
    assert!(fields.contains(&"post > gzip > brotli > form_urlencoded:p = a b".to_owned()), "{fields:?}");
}

#[test]
fn a_wrong_content_coding_hides_nothing() {
    for coding in ["br", "deflate", "gzip", "zstd"] {
        let fields = coded(coding, b"p=a+b");
        assert!(fields.contains(&"post > form_urlencoded:p = a b".to_owned()), "{coding}: {fields:?}");
    }
}

#[test]
fn a_wrong_character_set_hides_nothing() {
    let fields = with_body("application/json; charset=utf-16", br#"{"a":"b c"}"#);
    assert!(fields.contains(&"post > json_doc > hash:a = b c".to_owned()), "{fields:?}");
}

#[test]
fn a_declared_character_set_is_decoded() {
    let fields = with_body("application/x-www-form-urlencoded; charset=ibm037", b"p=%f1%40%96%99%40%f1");
    assert!(fields.contains(&"post > charset > form_urlencoded:p = 1 or 1".to_owned()), "{fields:?}");
    let fields = with_body("application/json; charset=iso-8859-1", b"{\"a\":\"caf\xe9\"}");
    assert!(fields.contains(&"post > charset > json_doc > hash:a = café".to_owned()), "{fields:?}");
}

#[test]
fn a_byte_order_mark_hides_no_json() {
    let fields = with_body("", b"\xEF\xBB\xBF{\"a\":\"b\"}");
    assert!(fields.contains(&"post > json_doc > hash:a = b".to_owned()), "{fields:?}");
}

#[test]
fn all_values_of_a_repeated_key_are_fields() {
    let fields = with_body("application/json", br#"{"a":"b","a":"c"}"#);
    for expected in ["post > json_doc > hash:a = b", "post > json_doc > hash:a = c"] {
        assert!(fields.contains(&expected.to_owned()), "{fields:?}");
    }
}

#[test]
fn declared_xml_is_parsed_without_a_prolog() {
    let fields =
        with_body("application/soap+xml", b"<Envelope><Body id='x'><n>a &amp; b</n></Body></Envelope>");
    assert!(
        fields.contains(&"post > xml > xml_tag:Envelope > xml_tag:Body > xml_attr:id = x".to_owned()),
        "{fields:?}"
    );
    assert!(
        fields
            .iter()
            .any(|field| field.starts_with("post > xml > xml_tag:Envelope > xml_tag:Body > xml_tag:n =")),
        "{fields:?}"
    );
}

#[test]
fn nested_multipart_parts_are_parsed() {
    let body = b"--XX\r\nContent-Disposition: form-data; name=\"p\"\r\nContent-Type: multipart/mixed; boundary=\"YY\"\r\n\r\n\
        --YY\r\nContent-Disposition: file; filename=\"a\"\r\n\r\ninner\r\n--YY--\r\n--XX--\r\n";
    let fields = with_body("multipart/form-data; boundary=XX", body);
    assert!(fields.iter().any(|field| field.ends_with("= inner")), "{fields:?}");
}

#[test]
fn each_declared_boundary_that_occurs_is_used() {
    let part = |boundary: &str, name: &str| {
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nv\r\n--{boundary}--\r\n"
        )
    };
    let body = part("XX", "p") + &part("YY", "q");
    let fields = with_body("multipart/form-data; boundary=XX; boundary=YY", body.as_bytes());
    for expected in ["post > multipart:p = v", "post > multipart:q = v"] {
        assert!(fields.contains(&expected.to_owned()), "{fields:?}");
    }
}

#[test]
fn a_form_may_look_like_multipart() {
    let body = b"--XX\r\nContent-A: &p=a+b&q=\r\n\r\n1";
    let fields = with_body("application/x-www-form-urlencoded", body);
    assert!(fields.contains(&"post > form_urlencoded:p = a b".to_owned()), "{fields:?}");
}

#[test]
fn grpc_messages_are_parsed() {
    let fields = with_body("application/grpc", b"\0\0\0\0\x05\x0a\x03a b");
    assert!(fields.contains(&"post > grpc > protobuf > hash:1 = a b".to_owned()), "{fields:?}");
}

#[test]
fn matrix_parameters_are_values() {
    let request = InspectRequest { path: "/cars;colour=r%20ed;new/x;y=2".into(), ..request() };
    assert_eq!(
        fields(&request),
        [
            "path > 0 = cars;colour=r ed;new",
            "path > 0 > hash:colour = r ed",
            "path > 1 = x;y=2",
            "path > 1 > hash:y = 2"
        ]
    );
}

#[test]
fn path_segments_with_special_characters_are_values() {
    let request = InspectRequest { path: "/api/v2/O'Brien/a%2Fb%20c/index.html".into(), ..request() };
    assert_eq!(fields(&request), ["path > 2 = O'Brien", "path > 3 = a/b c"]);
}

#[test]
fn a_template_that_parses_as_a_query_is_also_inspected_as_a_whole() {
    let is_whole = |value: &[u8]| {
        let mut arena = PointArena::default();
        let field = Field::new(arena.named(None, Tag::Get, b"x"), crate::field::FieldKind::Value, value);
        let mut budget = Budget::for_request();
        let mut sink = Sink::new(1, &mut budget, &mut arena);
        let nested = parse_nested(value, Bytes::of(value), &field, &mut sink);
        assert_eq!(sink.fields.len(), 1);
        nested == Nested::Whole
    };
    assert!(!is_whole(br#"{system("id")}"#));
    assert!(is_whole(br#"query { user(name: "id") { id } }"#));
}
