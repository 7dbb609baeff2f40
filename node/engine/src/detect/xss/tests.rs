use super::*;

fn found(text: &str) -> Vec<&'static str> {
    detect(text.as_bytes()).iter().map(|it| it.signature).collect()
}

#[track_caller]
fn each_has(signature: &str, hits: &[&str], misses: &[&str]) {
    for text in hits {
        assert!(found(text).contains(&signature), "{signature} must find {text:?}, has {:?}", found(text));
    }
    for text in misses {
        assert!(!found(text).contains(&signature), "{signature} must leave {text:?}");
    }
}

#[test]
fn script_tags_are_found_however_written() {
    each_has(
        "xss-script-tag",
        &["<script>", "<SCRIPT/x src=y>", "</script>", "<svg:script>", "x<script"],
        &["<scripture>", "script", "< script"],
    );
}

#[test]
fn event_handlers_are_found_on_any_tag() {
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
fn script_urls_are_found_in_attributes_and_alone() {
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
fn tags_that_load_something_are_found() {
    each_has(
        "xss-active-tag",
        &[
            "<iframe src=//x>",
            "<object data=x>",
            "<embed src=x>",
            "<base href=//x>",
            "<meta http-equiv=refresh content=0>",
            "<link rel=stylesheet href=x>",
        ],
        &["<p>", "<img src=x>", "<a href=x>", "<base>", "<svg>", "<form>"],
    );
}

#[test]
fn styles_that_run_are_found() {
    each_has(
        "xss-style",
        &["<div style='width:expression(x)'>", "<style>@import 'x';</style>"],
        &["<div style='color:red'>", "<style>p{}</style>"],
    );
}

#[test]
fn a_quote_and_a_handler_leave_an_attribute() {
    each_has(
        "xss-attribute-breakout",
        &["\" onmouseover=alert(1) x=\"", "'/onfocus='x"],
        &["\"on time = good\"", "say \"one=1\""],
    );
}

#[test]
fn markup_inside_an_attribute_is_read_too() {
    each_has("xss-script-tag", &["<a title=\"<script>x</script>\">"], &["<a title=\"<b>\">"]);
}
