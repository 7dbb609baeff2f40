//! Bodies as real clients send them, with values that differ; and a body that is nested in formats.

use super::{Family, Grow, json, noise, with_body};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use shared::InspectRequest;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bodies as real clients send them.
pub(super) const FAMILIES: &[Family] = &[
    ("telemetry", |size| json(&grown(size, "[", span, ",", "]"))),
    ("log lines, three levels", |size| json(&logs(size))),
    ("log lines in JSON", |size| json(&grown(size, r#"{"streams":[{"values":["#, log_line, ",", "]}]}"))),
    ("GraphQL operations", |size| json(&grown(size, "[", operation, ",", "]"))),
    ("session recording", |size| json(&grown(size, "[", mutation, ",", "]"))),
    ("JSON export", |size| json(&export(size))),
    ("HTML page", |size| text("text/html", &grown(size, "<!doctype html><body>", section, "\n", "</body>"))),
    ("source code", |size| text("text/plain", &grown(size, "", function, "\n\n", ""))),
    ("source code in JSON", |size| {
        json(&json!({ "path": "src/cart.js", "content": grown(size, "", function, "\n\n", "") }).to_string())
    }),
    ("image in JSON", |size| {
        let image = BASE64_STANDARD.encode(noise(size * 3 / 4));
        json(&json!({ "alt": "spade", "src": format!("data:image/png;base64,{image}") }).to_string())
    }),
    ("CSV", |size| text("text/csv", &grown(size, "id,name,price,note\n", record, "\n", ""))),
    ("Chinese text", |size| json(&json!({ "text": grown(size, "", chinese, "。", "") }).to_string())),
];

/// Log lines in JSON inside JSON strings, three levels deep.
pub(super) fn logs(size: usize) -> String {
    grown(size, r#"{"streams":[{"stream":{"app":"shop"},"values":["#, deep_log_line, ",", "]}]}")
}

/// Writes a text as a value of another format.
type Nest = fn(String) -> String;

const FORMATS: [(&str, Nest); 4] = [
    ("JSON in JSON", |text| json!({ "a": text }).to_string()),
    ("base64 in JSON", |text| json!({ "a": BASE64_STANDARD.encode(text) }).to_string()),
    ("form in JSON", |text| json!({ "a": encoded(&text) }).to_string()),
    ("percent signs", |text| encoded(&text)),
];

/// Each format, nested in itself several times.
pub(super) fn nested() -> impl Iterator<Item = (String, Grow)> {
    FORMATS.into_iter().flat_map(|(name, nest)| {
        (1..=8).map(move |levels| {
            let nested = move |size| (0..levels).fold(export(size), |text, _| nest(text));
            let growth = nested(1000).len() / 1000;
            let grow: Grow = Box::new(move |size| json(&nested(size / growth)));
            (format!("{name}, {levels} levels"), grow)
        })
    })
}

fn encoded(text: &str) -> String {
    format!("a={}", utf8_percent_encode(text, NON_ALPHANUMERIC))
}

fn text(content_type: &str, body: &str) -> InspectRequest {
    with_body(content_type, body.as_bytes().to_vec())
}

/// Different items, between a head and a tail.
fn grown(size: usize, head: &str, item: fn(&mut Random) -> String, between: &str, tail: &str) -> String {
    let mut random = Random::new();
    let mut text = format!("{head}{}", item(&mut random));
    while text.len() < size {
        text.push_str(between);
        text.push_str(&item(&mut random));
    }
    text + tail
}

fn export(size: usize) -> String {
    grown(size, "[", row, ",", "]")
}

/// Pseudo-random numbers and words. No two bodies are equal: the engine remembers clean values.
struct Random(u64);

impl Random {
    fn new() -> Self {
        static BODIES: AtomicU64 = AtomicU64::new(1);
        Self(BODIES.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x2545_F491_4F6C_DD1D))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn word(&mut self) -> &'static str {
        const WORDS: [&str; 40] = [
            "the",
            "garden",
            "spade",
            "of",
            "ash",
            "and",
            "steel",
            "will",
            "outlive",
            "us",
            "both",
            "order",
            "select",
            "from",
            "table",
            "with",
            "a",
            "customer's",
            "delivery",
            "is",
            "late",
            "because",
            "our",
            "union",
            "driver",
            "could",
            "not",
            "find",
            "where",
            "it",
            "had",
            "to",
            "go",
            "please",
            "call",
            "or",
            "write",
            "again",
            "in",
            "March",
        ];
        WORDS[usize::try_from(self.below(40)).unwrap_or_default()]
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }

    fn sentence(&mut self) -> String {
        let (words, more) = (self.words(7), self.words(5));
        format!("{words}, {more}. ")
    }

    fn hex(&mut self) -> String {
        format!("{:016x}", self.below(u64::MAX))
    }
}

fn span(random: &mut Random) -> String {
    let attribute = |key: &str, value: String| json!({ "key": key, "value": { "stringValue": value } });
    let attributes = [
        attribute("http.request.method", "GET".into()),
        attribute(
            "url.full",
            format!("https://shop.example.com/api/{}?id={}", random.word(), random.below(9999)),
        ),
        attribute(
            "user_agent.original",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".into(),
        ),
        attribute("db.query.text", format!("SELECT name, price FROM {} WHERE id = ?", random.word())),
        attribute("code.function.name", format!("cart.{}", random.word())),
    ];
    let start = 1_764_500_000_000_000_000 + random.below(1_000_000_000);
    json!({
        "traceId": random.hex() + &random.hex(), "spanId": random.hex(), "name": format!("GET /api/{}", random.word()),
        "kind": 3, "startTimeUnixNano": start.to_string(), "attributes": attributes, "status": {},
    })
    .to_string()
}

fn log_line(random: &mut Random) -> String {
    let context = json!({ "order": random.below(100_000), "note": random.sentence() }).to_string();
    let line = json!({ "level": "info", "msg": random.sentence(), "path": format!("/{}", random.word()), "ctx": context });
    json!([random.below(u64::MAX).to_string(), line.to_string()]).to_string()
}

/// As loggers nest them: the details of an error in the context of a line, each a JSON string. The
/// innermost encoder escapes angle brackets and letters that are not ASCII.
fn deep_log_line(random: &mut Random) -> String {
    let (word, file, line) = (random.word(), random.word().replace('\'', ""), random.below(400));
    let detail = json!({
        "request": format!("GET /{word} HTTP/1.1 \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0)\" {}", random.below(9999)),
        "stack": format!("Error: {}\n\tat {file}.total (src\\{file}.js:{line}:9)\n\tat async <anonymous>", random.words(4)),
        "customer": format!("Zoë <{}@example.com>", random.hex()),
    });
    let detail = detail.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('ë', "\\u00eb");
    let context = json!({ "order": random.below(100_000), "note": random.sentence(), "detail": detail });
    let entry = json!({
        "level": "error", "time": "2026-11-30T12:34:56.789Z", "msg": format!("\"{word}\" failed: {}", random.sentence()),
        "path": format!("/api/{word}?id={}", random.below(9999)), "ctx": context.to_string(),
    });
    json!([random.below(u64::MAX).to_string(), entry.to_string()]).to_string()
}

fn operation(random: &mut Random) -> String {
    let (field, other) = (random.word().replace('\'', ""), random.word().replace('\'', ""));
    let query = format!(
        "query Cart($id: ID!, $first: Int = 20) {{\n  cart(id: $id) {{\n    ...{field}Fields\n    {other}(first: $first) \
         {{ edges {{ node {{ id title price {{ amount currency }} }} }} }}\n  }}\n}}\n"
    );
    json!({ "operationName": "Cart", "query": query, "variables": { "id": random.hex(), "first": random.below(50) } })
        .to_string()
}

fn mutation(random: &mut Random) -> String {
    let style = format!("color: rgb({}, 0, 0); font-family: \"Segoe UI\", sans-serif", random.below(256));
    let attributes =
        json!({ "class": random.words(3), "style": style, "href": format!("/{}#top", random.word()) });
    let child = json!({ "type": 3, "textContent": random.sentence(), "id": random.below(9999) });
    let node = json!({ "type": 2, "tagName": "a", "attributes": attributes, "childNodes": [child] });
    let added = json!([{ "parentId": random.below(9999), "nextId": null, "node": node }]);
    json!({ "type": 3, "data": { "source": 0, "adds": added }, "timestamp": 1_764_500_000_000 + random.below(99_999) })
        .to_string()
}

fn row(random: &mut Random) -> String {
    json!({
        "id": random.below(1_000_000), "name": random.words(2), "email": format!("{}@example.com", random.word()),
        "price": f64::from(u32::try_from(random.below(10_000)).unwrap_or_default()) / 100.0,
        "created_at": "2026-11-30T12:34:56Z", "note": random.sentence() + &random.sentence(),
    })
    .to_string()
}

fn section(random: &mut Random) -> String {
    format!(
        "<section class=\"{}\" data-id=\"{}\">\n  <h2>{}</h2>\n  <p>{}<a href=\"/{}?page={}\">{}</a></p>\n</section>",
        random.word(),
        random.below(9999),
        random.words(3),
        random.sentence(),
        random.word(),
        random.below(99),
        random.words(2)
    )
}

fn function(random: &mut Random) -> String {
    let name = random.word().replace('\'', "");
    format!(
        "// {}\nexport async function {name}{}(items, options = {{}}) {{\n  const total = items.filter((it) => it.price > \
         {} && !it.hidden).reduce((sum, it) => sum + it.price * it.count, 0);\n  if (total === 0 || options[\"dry\"]) \
         return `${{total}} items`;\n  await fetch(`/api/{name}/${{options.id}}`, {{ method: 'POST' }});\n}}",
        random.sentence(),
        random.below(999),
        random.below(99)
    )
}

fn record(random: &mut Random) -> String {
    let (id, name, price) = (random.below(1_000_000), random.words(2), random.below(10_000));
    format!("{id},{name},{}.{:02},\"{}\"", price / 100, price % 100, random.sentence())
}

fn chinese(random: &mut Random) -> String {
    (0..20).filter_map(|_| char::from_u32(0x4E00 + u32::try_from(random.below(5000)).ok()?)).collect()
}
