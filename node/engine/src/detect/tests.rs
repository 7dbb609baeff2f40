use super::{document::is_document, *};
use std::sync::LazyLock;

static DETECTORS: LazyLock<Detectors> = LazyLock::new(Detectors::built_in);

fn signatures_of(text: &str, kind: FieldKind) -> Vec<&'static str> {
    DETECTORS
        .detect(text.as_bytes(), Bytes::of(text.as_bytes()), kind, is_document(text.as_bytes()))
        .iter()
        .map(|it| it.signature)
        .collect()
}

/// Benign values, each close to the limit of a rule.
const BENIGN: &[&str] = &[
    // Names and prose with words of SQL.
    "O'Brien",
    "D'Angelo & O'Neill",
    "rock 'n' roll",
    "it's 5 or 6 o'clock",
    "the boys' and girls' rooms",
    "Please select one from the list below",
    "The student union will select a chair from its members",
    "union jack; select committee",
    "order by phone or having 2 left",
    "drop the table off; update me when it is set",
    "insert coin, delete nothing, create a user story",
    "5 and 6 are numbers, 1 or 2 will do",
    "\"LIKE\" stamp, \"&\" sign, 1/4\" wide",
    "wait -- I meant: don't -- sorry",
    "C# and F# are #1 and #2",
    "I like 'this' or 'that'",
    "John \"The Rock\" Smith and 'friends'",
    "sleep (8 hours) is good; benchmark your mattress",
    // Addresses, searches, values with punctuation.
    "https://example.com/a/b?x=1&y=2#top",
    "a@b.example, c@d.example; e@f.example",
    "status = open and type = bug",
    "price >= 10 && price <= 20",
    "(555) 123-4567 ext. 8",
    "50% off -- today only!",
    "2026-01-01T00:00:00Z",
    "W/\"5f4dcc3b\"",
    "1.2.3-beta+exp.sha.5114f85",
    "{{name}} and ${price}",
    "name='bob'",
    // Markup without script.
    "<p>Hello <b>world</b>, <a href=\"https://example.com/on?e=1\" title='x'>link</a></p>",
    "<img src=\"/a.png\" alt=\"on a boat\"><br/><ul><li>1</li></ul>",
    "a < b and c > d, x<3",
    "<div class=\"online\" style=\"color:red\">on = off</div>",
    "# Title\n\n* item `code` [link](../README.md)\n> quote",
    "on time = good",
    "javascript is a language",
    "the alert was red, please confirm",
    // Code that is no attack in its context.
    "for (let i = 0; i < n; i++) { total += a[i]; }",
    "import x from '../../lib/x'; export default x;",
    "if (a == b || c != d) return null;",
    "def f(a, b): return a or b",
    "git diff HEAD...main -- src/",
    "SELECT your seat",
    // Formats, operators and addresses of benign applications.
    "$ref: '#/components/schemas/Pet'",
    "[\"$type\", \"$schema\", \"$id\"]",
    "cost in $: 5, profit in $: 7",
    "if (a && b || c == 'd') { return true; }",
    "const q = items.find(i => i.id === 'x' && i.ok);",
    "f(x)(y) and (.*)(\\d+)",
    "cn=Bob Smith,ou=People,dc=example,dc=com",
    "see //div[@class='x'] and a | b",
    "count(items) or name() of it",
    "<rss version=\"2.0\"><channel><title>News</title><item><guid>1</guid></item></channel></rss>",
    "<!DOCTYPE html><html lang=\"en\"><body><p>Hi</p></body></html>",
    "<svg width=\"1\" viewBox=\"0 0 1 1\"><path d=\"M0 0h1v1z\"/></svg>",
    "<!-- #1: exec summary --> <!-- include: footer -->",
    "https://login.example.com/authorize?client_id=a&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcb&state=x",
    "https://hooks.example.com/services/T00/B00/xyz",
    "https://example.com/docs/shell.html#x",
    "On Monday Bob wrote:\r\n> From: bob@example.com\r\n> To: ann@example.com\r\n> Subject: lunch\r\n\r\nYes!",
    "1 Main Street\r\nSpringfield\r\nLocation: third floor",
    "Dear all,\r\nsubject to change: the date.\r\nRegards",
    "GET /users returns HTTP/1.1 200",
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "a+A+AB+ABC, +49 30 1234567",
    // Files and paths.
    "/home/bob/photos/2026/../index",
    "C:\\Users\\bob\\Documents\\report.docx",
    "docs/../docs/a.md",
    "and so on... etc/ and more...",
];

#[test]
fn passes_benign_texts() {
    let alarms = |text: &&&str| !signatures_of(text, FieldKind::Value).is_empty();
    let wrong: Vec<_> =
        BENIGN.iter().filter(alarms).map(|text| (text, signatures_of(text, FieldKind::Value))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn passes_usual_headers() {
    for value in [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "en-US,en;q=0.5",
        "gzip, deflate, br",
        "\"Chromium\";v=\"126\", \"Not.A/Brand\";v=\"24\"",
        "W/\"abc\", \"def\"",
        "form-data; name=\"a\"; filename=\"b\"",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "Opera/9.80 (X11; Linux i686; U; it) Presto/2.7.62 Version/11.00",
    ] {
        assert_eq!(signatures_of(value, FieldKind::ShapedHeader), [""; 0], "{value}");
    }
}

#[test]
fn finds_attacks_in_shaped_headers() {
    for value in ["x' or 1=1--", "x\" and sleep(5)#", "<script>alert(1)</script>", "1 union select 1,2,3"] {
        assert_ne!(signatures_of(value, FieldKind::ShapedHeader), [""; 0], "{value}");
    }
}

#[test]
fn passes_single_words_but_not_comment_tails() {
    assert_eq!(signatures_of("select", FieldKind::Value), [""; 0]);
    assert_ne!(signatures_of("1--", FieldKind::Value), [""; 0]);
}

/// Signatures of a value in a named parameter.
fn signatures_at(name: &str, value: &str) -> Vec<&'static str> {
    let point = shared::Point::get(name);
    let context = ValueContext::at(&point, "/", &[]);
    detect_at(value.as_bytes(), Bytes::of(value.as_bytes()), FieldKind::Value, &context)
        .iter()
        .map(|it| it.signature)
        .collect()
}

#[test]
fn passes_benign_texts_in_any_parameter() {
    for name in ["q", "url", "next", "redirect_uri", "body"] {
        for text in BENIGN {
            assert_eq!(signatures_at(name, text), [""; 0], "{name}={text}");
        }
    }
}

#[test]
fn passes_addresses_of_benign_integrations() {
    for (name, value) in [
        ("redirect_uri", "http://localhost:8080/callback"),
        ("redirect_uri", "com.example.app:/oauth2redirect"),
        ("webhook", "https://api.partner.example/v1/hooks?token=abc"),
        ("url", "https://www.example.com/?u=https://user@example.org/"),
        ("callback", "jQuery123_456"),
        ("host", "db1.example.com:5432"),
        ("next", "/account/orders?page=2"),
        ("to", "2026-01-01"),
        ("source", "10.5"),
        ("target", "https://[2001:db8::1]/x"),
    ] {
        assert_eq!(signatures_at(name, value), [""; 0], "{name}={value}");
    }
}

#[test]
fn finds_serialized_objects_and_scanners_in_single_words() {
    assert_eq!(signatures_of("rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA", FieldKind::Value), ["rce-java-object"]);
    assert_eq!(signatures_of("Nikto", FieldKind::ShapedHeader), ["scanner-agent"]);
    assert_eq!(signatures_of("Nikto", FieldKind::Value), [""; 0]);
}

#[test]
fn passes_code_in_posts_but_not_in_parameters() {
    let code = "import os; os.system('id')";
    let post = "In this post we learn, step by step, what a shell is and what it is for.\n".repeat(6) + code;
    assert_ne!(signatures_of(code, FieldKind::Value), [""; 0]);
    assert_eq!(signatures_of(&post, FieldKind::Value), [""; 0]);
}

#[test]
fn passes_semicolons_but_not_backticks_in_agents() {
    assert_eq!(signatures_of("Mozilla/5.0 (compatible; id; who; ls)", FieldKind::ShapedHeader), [""; 0]);
    assert_eq!(signatures_of("`id`", FieldKind::ShapedHeader), ["rce-command-substitution"]);
    assert_eq!(signatures_of("() { :;}; /bin/id", FieldKind::ShapedHeader)[0], "rce-shellshock");
}
