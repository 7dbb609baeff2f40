//! Bombs: bodies of up to 1 MB that decompress, expand or nest to a multiple. Each is blocked, or
//! inspected to its end, within bounds of memory and, in release builds, of time: `just bombs`.

use allocation_counter::measure;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use decision::{Evaluator, GeoFields, Policy, RouteSettings};
use engine::{Engine, mutate::empty_request};
use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use shared::{Action, AttackType, Body, InspectRequest, Mode};
use std::{
    fmt::Write as _,
    io::{Cursor, Write as _},
    time::Duration,
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// The largest body that CloudFront shows.
const BYTES: usize = 1 << 20;
const MOST_TIME: Duration = Duration::from_millis(200);
const MOST_MEMORY: u64 = 64 << 20;
/// The fastest run counts, as the least disturbed one.
const RUNS: usize = if cfg!(debug_assertions) { 1 } else { 3 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Blocked,
    /// To the end: no budget ended.
    Inspected,
    /// It passes and is recorded: data is not blocked for its size.
    Recorded,
}

use Outcome::{Blocked, Inspected, Recorded};

struct Bomb {
    name: &'static str,
    content_type: &'static str,
    coding: Option<&'static str>,
    body: Vec<u8>,
    expected: Outcome,
}

fn bomb(name: &'static str, content_type: &'static str, body: impl Into<Vec<u8>>, expected: Outcome) -> Bomb {
    Bomb { name, content_type, coding: None, body: body.into(), expected }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const XML: &str = "application/xml";
const MULTIPART: &str = "multipart/form-data; boundary=b";
const ZIP: &str = "application/zip";
const BINARY: &str = "application/octet-stream";

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("a vector takes any data");
    encoder.finish().expect("a vector takes any data")
}

/// Compressed data with a file name in its header.
fn named(number: usize, gzip: &[u8]) -> Vec<u8> {
    let (head, data) = gzip.split_at(10);
    let mut head = head.to_vec();
    head[3] |= 8;
    [&head, number.to_string().as_bytes(), b"\0", data].concat()
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("a vector takes any data");
    encoder.finish().expect("a vector takes any data")
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, data) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).expect("a vector takes any data");
        writer.write_all(data).expect("a vector takes any data");
    }
    writer.finish().expect("a vector takes any data").into_inner()
}

/// Items that differ by their number, up to the length of a body.
fn numbered(head: &str, item: impl Fn(usize) -> String, tail: &str) -> String {
    let mut text = head.to_owned();
    for number in 0.. {
        let next = item(number);
        if text.len() + next.len() + tail.len() > BYTES {
            break;
        }
        text += &next;
    }
    text + tail
}

fn counted(head: &str, count: usize, item: impl Fn(usize) -> String, tail: &str) -> String {
    (0..count).fold(head.to_owned(), |text, number| text + &item(number)) + tail
}

fn repeated(head: &str, unit: &str, tail: &str) -> String {
    [head, &unit.repeat((BYTES - head.len() - tail.len()) / unit.len()), tail].concat()
}

/// A text nested in itself; of each level, what fits in a body. A cut of these encodings is decoded.
fn nested(levels: usize, start: &str, encode: impl Fn(&str) -> String) -> String {
    (0..levels).fold(start.to_owned(), |text, _| {
        let mut text = encode(&text);
        text.truncate(BYTES);
        text
    })
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"{name}\"\r\n\r\n")
        .into_bytes();
    [&head, content, b"\r\n--b--\r\n"].concat()
}

fn field(content: &[u8]) -> Vec<u8> {
    [b"--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n", content, b"\r\n--b--\r\n"].concat()
}

fn base64(data: &[u8]) -> String {
    BASE64_STANDARD.encode(data)
}

fn decompression() -> Vec<Bomb> {
    let zeros = vec![0; 16 << 20];
    let small = gzip(&zeros);
    // 1 GB in 1 MB.
    let big = small.repeat(BYTES / small.len());
    let string = format!("\"{}\",", base64(&small));
    let sizes = [1 << 10, 16 << 10, 256 << 10, 1 << 20].map(|size| base64(&gzip(&zeros[..size])));
    let mixed = numbered("[", |number| format!("\"{}\",{number},", sizes[number % 4]), "0]");
    // Clean values are remembered, so these differ.
    let different = numbered("[", |number| format!("\"{}\",", base64(&named(number, &small))), "0]");
    let saml = |data: &[u8]| {
        let message = format!("SAMLRequest={}&", base64(&deflate(data)).replace('+', "%2B"));
        repeated("", &message, "a=1")
    };
    let markup = [b"<a>", &zeros[..1 << 20]].concat();
    let declared =
        |body: Vec<u8>| Bomb { coding: Some("gzip"), ..bomb("gzip, declared", JSON, body, Blocked) };
    let twice =
        Bomb { coding: Some("gzip, gzip"), ..bomb("gzip in gzip, declared", JSON, gzip(&big), Blocked) };
    vec![
        declared(big.clone()),
        twice,
        bomb("gzip, as a body", JSON, big.clone(), Blocked),
        bomb("gzip, as data", "application/gzip", big.clone(), Recorded),
        bomb("gzip in gzip", BINARY, gzip(&big), Recorded),
        bomb("gzip, 64 times in itself", BINARY, (0..64).fold(big.clone(), |it, _| gzip(&it)), Recorded),
        bomb("gzip in a file", MULTIPART, file("a.gz", &big[..big.len().min(BYTES - 200)]), Blocked),
        bomb("gzip in a field", MULTIPART, field(&big[..big.len().min(BYTES - 200)]), Blocked),
        bomb(
            "gzip in base64 in JSON",
            JSON,
            format!("{{\"a\":\"{}\"}}", base64(&big[..BYTES * 3 / 4 - 10])),
            Blocked,
        ),
        bomb("gzips in base64 in JSON", JSON, repeated("[", &string, "0]"), Blocked),
        bomb("gzips of several sizes in JSON", JSON, mixed, Blocked),
        bomb("different gzips in JSON", JSON, different, Blocked),
        bomb("long SAML messages", FORM, saml(&zeros), Inspected),
        bomb("short SAML messages", FORM, saml(&zeros[..1 << 20]), Inspected),
        bomb("SAML messages of markup", FORM, saml(&markup), Blocked),
    ]
}

fn archives() -> Vec<Bomb> {
    let zeros = vec![0; 16 << 20];
    let inner = zip(&[("a", &zeros)]);
    let names: Vec<_> = (0..60).map(|number| format!("{number}.zip")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), inner.as_slice())).collect();
    let outer = zip(&entries);
    let nested = (0..64).fold(inner.clone(), |it, _| zip(&[("a.zip", &it)]));
    let document = zip(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", &zeros)]);
    let parts: Vec<_> = (0..60).map(|number| format!("xl/worksheets/sheet{number}.xml")).collect();
    let sheets: Vec<_> = parts.iter().map(|name| (name.as_str(), &zeros[..4 << 20])).collect();
    let mut comment = ZlibEncoder::new(Vec::new(), Compression::best());
    comment.write_all(&zeros[..8 << 10]).expect("a vector takes any data");
    let comment = [b"key\0\0", comment.finish().expect("a vector takes any data").as_slice()].concat();
    let length = u32::try_from(comment.len()).expect("a short text").to_be_bytes();
    let chunk = [&length, b"zTXt", comment.as_slice(), b"\0\0\0\0"].concat();
    let comments = [b"\x89PNG\r\n\x1A\n", &*chunk.repeat((BYTES - 8) / chunk.len())].concat();
    vec![
        bomb("comments of an image", "image/png", comments, Inspected),
        bomb("zip", ZIP, inner, Inspected),
        bomb("zips in a zip", ZIP, outer.clone(), Inspected),
        bomb("zips in a zip, file", MULTIPART, file("a.zip", &outer), Inspected),
        bomb("zip, 64 times in itself", ZIP, nested, Inspected),
        bomb("document of zeros", MULTIPART, file("a.docx", &document), Inspected),
        bomb("sheets of zeros", MULTIPART, file("a.xlsx", &zip(&sheets)), Inspected),
    ]
}

fn nesting() -> Vec<Bomb> {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let percent = |text: &str| text.replace('%', "%25");
    let value = "' or 1=1 -- x";
    vec![
        bomb("opening brackets", JSON, "[".repeat(1_000_000), Blocked),
        bomb("brackets", JSON, "[".repeat(500_000) + &"]".repeat(500_000), Blocked),
        bomb("empty arrays", JSON, repeated("[", "[],", "0]"), Inspected),
        bomb("objects", JSON, repeated("", "{\"a\":", ""), Blocked),
        bomb(
            "objects in a string",
            JSON,
            format!("{{\"a\":\"{}\"}}", escaped(&"{\"a\":".repeat(130_000))),
            Blocked,
        ),
        bomb("brackets in a form", FORM, repeated("a=", "[", ""), Blocked),
        bomb("parentheses", "text/plain", repeated("", "(", ""), Inspected),
        bomb("additions", "text/plain", repeated("", "((1+", ""), Inspected),
        bomb("keys in keys of a form", FORM, repeated("a", "[b]", "=1"), Inspected),
        bomb("elements", XML, repeated("", "<a>", ""), Blocked),
        bomb("sequences of YAML", "application/yaml", repeated("", "- ", "a"), Inspected),
        bomb("GraphQL selections", "application/graphql", repeated("", "{a", ""), Inspected),
        bomb(
            "base64, 64 levels",
            JSON,
            format!("{{\"a\":\"{}\"}}", &nested(64, value, |it| base64(it.as_bytes()))[..BYTES - 8]),
            Blocked,
        ),
        bomb("base64, 64 levels, text", "text/plain", nested(64, value, |it| base64(it.as_bytes())), Blocked),
        bomb(
            "percent signs, 64 levels",
            FORM,
            format!("a={}", nested(64, "%27%20or%201=1%20--%20x", percent)),
            Blocked,
        ),
        bomb(
            "JSON strings, 64 levels",
            JSON,
            nested(64, "{\"a\":1}", |it| format!("{{\"a\":\"{}\"}}", escaped(it))),
            Blocked,
        ),
        bomb(
            "hexadecimal, 64 levels",
            "text/plain",
            nested(64, value, |it| shared::ids::hex(it.as_bytes())),
            Inspected,
        ),
        bomb(
            "entities of HTML, 64 levels",
            FORM,
            format!("a={}", nested(64, "&lt;script&gt;", |it| it.replace('&', "&amp;")).replace('&', "%26")),
            Blocked,
        ),
    ]
}

fn fields() -> Vec<Bomb> {
    const COUNT: usize = 100_000;
    let part = |n| format!("--b\r\nContent-Disposition: form-data; name=\"{n}\"\r\n\r\n1\r\n");
    vec![
        bomb("fields of a form", FORM, counted("", COUNT, |n| format!("a{n}=1&"), ""), Blocked),
        bomb("fields of a form, 1 MB", FORM, numbered("", |n| format!("{n:x}={n:x}&"), ""), Inspected),
        bomb("members", JSON, counted("{", 99_000, |n| format!("\"{n}\":1,"), "\"a\":1}"), Inspected),
        bomb("members, 1 MB", JSON, numbered("{", |n| format!("\"{n:x}\":{n},"), "\"a\":1}"), Inspected),
        bomb("items", JSON, numbered("[", |n| format!("\"{n:x}\","), "0]"), Inspected),
        bomb("parts", MULTIPART, numbered("", part, "--b--\r\n"), Inspected),
        bomb("elements of different names", XML, numbered("<a>", |n| format!("<b{n}/>"), "</a>"), Inspected),
        bomb("attributes", XML, numbered("<a", |n| format!(" b{n}=\"1\""), "/>"), Inspected),
        bomb("cells", "text/csv", numbered("", |n| format!("{n},"), "\n1\n"), Inspected),
        bomb(
            "aliases of GraphQL",
            "application/graphql",
            numbered("{", |n| format!("a{n}:b "), "}"),
            Inspected,
        ),
        bomb("entries of YAML", "application/yaml", numbered("", |n| format!("a{n}: 1\n"), ""), Blocked),
    ]
}

fn entities() -> Vec<Bomb> {
    let document =
        |entities: &str, text: &str| format!("<?xml version=\"1.0\"?><!DOCTYPE a [{entities}]><a>{text}</a>");
    let level = |n: usize| format!("<!ENTITY a{} \"{}\">", n + 1, format!("&a{n};").repeat(10));
    let laughs = "<!ENTITY a0 \"lol\">".to_owned() + &(0..12).map(level).collect::<String>();
    let long = format!("<!ENTITY a \"{}\">", "a".repeat(500_000));
    let many = numbered("", |n| format!("<!ENTITY a{n} \"b\">"), "")[..BYTES - 100].to_owned();
    let cycle = "<!ENTITY a \"&b;&b;\"><!ENTITY b \"&a;&a;\">";
    vec![
        bomb("entities of entities", XML, document(&laughs, "&a12;"), Blocked),
        bomb("entities of entities, repeated", XML, document(&laughs, &"&a5;".repeat(200_000)), Blocked),
        bomb("one long entity, repeated", XML, document(&long, &"&a;".repeat(150_000)), Blocked),
        bomb(
            "entities of entities in attributes",
            XML,
            document(&laughs, &"<b c=\"&a9;\"/>".repeat(50_000)),
            Blocked,
        ),
        bomb("entities of themselves", XML, document(cycle, &"&a;".repeat(300_000)), Blocked),
        bomb("many entities", XML, document(&many, "&a1;"), Blocked),
        bomb(
            "entities of entities in JSON",
            JSON,
            format!("{{\"a\":{:?}}}", document(&laughs, "&a12;")),
            Blocked,
        ),
    ]
}

fn request(bomb: &Bomb) -> InspectRequest {
    let mut headers = vec![("content-type".to_owned(), bomb.content_type.to_owned())];
    headers.extend(bomb.coding.map(|coding| ("content-encoding".to_owned(), coding.to_owned())));
    InspectRequest {
        headers,
        host: "shop.example.com".to_owned(),
        path: "/api/orders".to_owned(),
        body: Some(Body(bomb.body.clone())),
        ..empty_request("POST")
    }
}

#[test]
#[ignore = "slow; `just bombs` runs it"]
fn bombs_are_blocked_or_read_to_their_end_within_bounds() {
    let (engine, policy) = (Engine::new(), Policy::new(&[], &[], GeoFields::default()));
    let evaluator = Evaluator::new(&engine, &policy);
    let settings = RouteSettings::of_mode(Mode::Block, "config");
    let mut failures = Vec::new();
    println!("{:38} {:>8} {:>8} {:>8}  outcome", "", "KB", "ms", "MB");
    for bomb in [decompression(), archives(), nesting(), fields(), entities()].into_iter().flatten() {
        let request = request(&bomb);
        assert!(bomb.body.len() <= BYTES, "{} has {} bytes", bomb.name, bomb.body.len());
        let mut evaluation = evaluator.evaluate(&request, &settings, Timestamp::UNIX_EPOCH);
        let (mut took, mut memory) = (Duration::MAX, 0);
        for _ in 0..RUNS {
            let start = processor_time();
            let info =
                measure(|| evaluation = evaluator.evaluate(&request, &settings, Timestamp::UNIX_EPOCH));
            took = took.min(processor_time().saturating_sub(start));
            memory = memory.max(info.bytes_max);
        }
        let is_limit = |it: &AttackType| matches!(it, AttackType::Overlimit | AttackType::DataBomb);
        let outcome = match evaluation.ruling.action {
            Action::Block => Blocked,
            _ if evaluation.findings.iter().any(|it| is_limit(&it.attack_type)) => Recorded,
            Action::Allow => Inspected,
        };
        let mut signatures: Vec<_> = evaluation.findings.iter().map(|it| &*it.signature).collect();
        signatures.dedup();
        let (size, time, most) = (bomb.body.len() / 1000, took.as_millis(), memory / 1_000_000);
        let mut line =
            format!("{:38} {size:>8} {time:>8} {most:>8}  {outcome:?} {}", bomb.name, signatures.join(" "));
        let is_slow = took > MOST_TIME && !cfg!(debug_assertions);
        if is_slow || memory > MOST_MEMORY || outcome != bomb.expected {
            let _ = write!(line, "  FAILED, expected: {:?}", bomb.expected);
            failures.push(line.clone());
        }
        println!("{line}");
    }
    assert!(
        failures.is_empty(),
        "above {MOST_TIME:?} or {MOST_MEMORY} bytes, or another outcome:\n{}",
        failures.join("\n")
    );
}

/// The CPU time of this thread, which other processes do not affect.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}
