use super::{super::document::is_document, *};

fn signatures_of(text: &str) -> Vec<&'static str> {
    detect(text.as_bytes(), FieldKind::Value, is_document(text.as_bytes()))
        .matches
        .iter()
        .map(|it| it.signature)
        .collect()
}

#[track_caller]
fn each_has(signature: &str, hits: &[&str], misses: &[&str]) {
    for text in hits {
        assert!(
            signatures_of(text).contains(&signature),
            "{signature} must match {text:?}, which has {:?}",
            signatures_of(text)
        );
    }
    for text in misses {
        assert!(!signatures_of(text).contains(&signature), "{signature} must not match {text:?}");
    }
}

#[test]
fn finds_script_tags_in_any_spelling() {
    each_has(
        "xss-script-tag",
        &["<script>", "<SCRIPT/x src=y>", "</script>", "<svg:script>", "x<script"],
        &["<scripture>", "script", "< script", "<p>use <code><script></code> with care"],
    );
}

#[test]
fn finds_event_handlers_on_any_tag() {
    each_has(
        "xss-event-handler",
        &[
            "<img src=x onerror=alert(1)>",
            "<svg/onload=x>",
            "<x onpointerrawupdate = y",
            "<b/'/onclick=\"x\">",
        ],
        &["<b title='onerror=1'>", "<a href=/on=1>", "<p one=1 on=2>", "on error = x"],
    );
}

#[test]
fn finds_script_urls_in_attributes_and_alone() {
    each_has(
        "xss-script-url",
        &[
            "<a href=javascript:x>",
            "<a href='java\nscript:x'>",
            "<form action=\"vbscript:x\">",
            "javascript:alert(1)",
            "data:text/html,<b>",
        ],
        &["<a href='/javascript:x'>", "javascript is fun", "<img src=data:image/png;base64,AA>"],
    );
}

#[test]
fn finds_tags_that_load_content() {
    each_has(
        "xss-active-tag",
        &[
            "<base href=//x>",
            "<meta http-equiv=refresh content=0>",
            "<span datasrc=#a dataformatas=html>",
            "<iframe src=\"data:text/html,x\">",
        ],
        &["<p>", "<base>", "<iframe src=//x>"],
    );
    each_has(
        "xss-embed",
        &[
            "<iframe src=//x>",
            "<object data=x>",
            "<embed src=x>",
            "<link rel=stylesheet href=x>",
            "<a xlink:href=//x.example>",
            "</body></html>",
            "<input autofocus>",
            "<meta charset=utf-7>",
            "<noembed#",
        ],
        &[
            "<p>",
            "<img src=x>",
            "<a href=x>",
            "<base>",
            "<svg>",
            "<ul>",
            "<svg viewBox='0 0 1 1'>",
            "<soap:Body>",
        ],
    );
}

#[test]
fn finds_styles_that_run_script() {
    each_has(
        "xss-style",
        &[
            "<div style='width:expression(x)'>",
            "<style>@import 'x';</style>",
            "<p style=\"font-family:'a[b]'\">",
            "<i style='\\65xpression'>",
        ],
        &["<div style='color:red'>", "<style>p{}</style>", "<p style='width:{{w}}px'>"],
    );
}

#[test]
fn finds_a_breakout_from_an_attribute() {
    each_has(
        "xss-attribute-breakout",
        &["\" onmouseover=alert(1) x=\"", "'/onfocus='x", "'formaction=x", "\\\"on<x>focus=a<x>lert<x>(1)//"],
        &["\"on time = good\"", "say \"one=1\""],
    );
}

#[test]
fn finds_markup_inside_an_attribute() {
    each_has("xss-script-tag", &["<a title=\"<script>x</script>\">"], &["<a title=\"<b>\">"]);
}

#[test]
fn finds_directives_of_frameworks() {
    each_has(
        "xss-directive",
        &["<p ng-init=\"x\">", "<b @click='x'>", "<i v-on:click.once=x>", "<div data-ng-click=x>"],
        &["<p data-x=y>", "<a @=x>", "<p ng-init>"],
    );
}

#[test]
fn finds_a_spaced_out_tag() {
    each_has("xss-script-tag", &["<s c r i p t>", "<f o r m"], &["<a b c", "<x y=1 z=2 a=b>"]);
}

/// Long enough for a document.
const POST: &str = "I wrote a page and want to show you how it looks in the end, there is not much to it.\n\
    First of all you have to write the head of it, then the rest, like so:\n\nAnd then you are done, \n\
    as far as I know, but there may be more to say about it, and somebody\n will say it to us soon, I hope, \n\
    in the comments below this post and the other posts that are on my page today.\n\n";

#[test]
fn passes_markup_quoted_as_code_in_a_post() {
    let quoted = format!("{POST}```html\n<script>x</script><iframe src=x>\n```\nand `<script>` is a tag");
    assert_eq!(signatures_of(&quoted), Vec::<&str>::new());
    assert_eq!(signatures_of(&format!("{POST}<script>x</script>")), ["xss-script-tag"]);
    assert_eq!(signatures_of("see `<script>x</script>`"), ["xss-script-tag"]);
}

#[test]
fn passes_a_whole_page() {
    assert_eq!(signatures_of(&format!("<body><p>{POST}</body>")), Vec::<&str>::new());
    assert_eq!(signatures_of("<html><body><p>Hi</p></body></html>"), Vec::<&str>::new());
    assert_eq!(signatures_of("<html><body>"), ["xss-embed"]);
    assert_eq!(signatures_of("<html><body onload=x></body></html>"), ["xss-event-handler"]);
}
