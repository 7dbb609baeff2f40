//! Test of linear time: `just bench-engine linear` fails when time grows faster than the size of a
//! request.
//!
//! Inputs grow from 1 KB to 10 MB. The time per byte may at most double compared with any smaller
//! size, and 1 MB may take at most one second. A `*` marks inputs that exhaust the budget; the rest
//! is not inspected.

mod families;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use engine::{Engine, mutate::empty_request};
use flate2::{Compression, write::GzEncoder};
use rustix::time::{ClockId, clock_gettime};
use shared::{AttackType, Body, InspectRequest};
use std::{hint::black_box, io::Write, process::ExitCode, time::Duration};

const SIZES: [usize; 7] = [1_000, 5_000, 25_000, 125_000, 1_000_000, 3_000_000, 10_000_000];
const MEGABYTE: usize = 4;
const WORST_FACTOR: f64 = 2.0;
const WORST_MEGABYTE: Duration = Duration::from_secs(1);
/// Shorter measurements are repeated; the fastest run counts, as the least disturbed one.
const MIN_MEASURED: Duration = Duration::from_millis(20);
const MIN_RUNS: usize = 3;

/// The size of log lines that a user recorded, and the goal for it.
const RECORDED: (usize, Duration) = (857_000, Duration::from_millis(25));

const PROSE: &str = "The spade is of ash and steel, and it will outlive us both. ";

type Grow = Box<dyn Fn(usize) -> InspectRequest>;
/// A name, and the requests by size.
type Family = (&'static str, fn(usize) -> InspectRequest);

/// Benign inputs of each format.
const FORMATS: &[Family] = &[
    ("path", |size| bare("GET", &repeat("/garden-tools", size), "")),
    ("query", |size| bare("GET", "/", &repeat(&format!("q={}&", PROSE.repeat(8).replace(' ', "+")), size))),
    ("cookie", |size| {
        let mut request = bare("GET", "/", "");
        request
            .headers
            .push(("cookie".to_owned(), repeat("seen=176381234517638120018f3a2c6be1d94075; ", size)));
        request
    }),
    ("form", |size| form(&repeat(&format!("q={}&", PROSE.repeat(8).replace(' ', "+")), size))),
    ("JSON", |size| json(&list(&format!("{{\"id\":17,\"text\":\"{}\"}}", PROSE.repeat(16)), size))),
    ("JSON of short values", |size| json(&list("{\"id\":17,\"text\":\"spade\"}", size))),
    ("XML", |size| {
        let item = format!("<item id=\"17\">{}</item>", PROSE.repeat(16));
        with_body("text/xml", format!("<?xml version=\"1.0\"?><a>{}</a>", repeat(&item, size)).into_bytes())
    }),
    ("XML of split texts", |size| {
        let item = "<item>The spade<!-- it --> is <![CDATA[of ash]]> and <b>of steel</b>.</item>";
        with_body("text/xml", format!("<?xml version=\"1.0\"?><a>{}</a>", repeat(item, size)).into_bytes())
    }),
    ("multipart", |size| {
        let part =
            format!("--b\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\n{}\r\n", PROSE.repeat(16));
        with_body("multipart/form-data; boundary=b", (repeat(&part, size) + "--b--").into_bytes())
    }),
    ("upload of noise", |size| {
        let head = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.jpg\"\r\n\r\n";
        with_body("multipart/form-data; boundary=b", [head.as_bytes(), &noise(size), b"\r\n--b--"].concat())
    }),
    ("field of noise", |size| {
        let head = "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n";
        with_body("multipart/form-data; boundary=b", [head.as_bytes(), &noise(size), b"\r\n--b--"].concat())
    }),
    ("GraphQL", |size| {
        plain(&format!("query {{ {} }}", repeat("item(name: \"garden spade\") { id price } ", size)))
    }),
    ("base64", |size| plain(&BASE64_STANDARD.encode(repeat(PROSE, size * 3 / 4)))),
    ("gzip", |size| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
        let written = encoder.write_all(repeat(PROSE, size).as_bytes());
        assert!(written.is_ok());
        with_body("text/plain", encoder.finish().unwrap_or_default())
    }),
    ("hex", |size| plain(&repeat("67617264656e207370616465", size))),
    ("UTF-16", |size| {
        let units = repeat(PROSE, size / 2);
        with_body(
            "text/plain",
            [&b"\xFE\xFF"[..], &units.bytes().flat_map(|byte| [0, byte]).collect::<Vec<_>>()].concat(),
        )
    }),
    ("text", |size| plain(&repeat(PROSE, size))),
    ("document", |size| plain(&repeat(&format!("{PROSE}\n"), size))),
];

/// Units that make a naive parser restart at each repetition.
const PATHOLOGICAL: &[&str] = &[
    "'",
    "\"",
    "`",
    "<",
    ">",
    "(",
    ")",
    "[",
    "{",
    "{\"a\":",
    "[[",
    "/*",
    "/**/",
    "--",
    "#",
    ";",
    "|",
    "&",
    "%25",
    "%u00",
    "\\",
    "\\u0041",
    "&#60;",
    "&lt;",
    "${",
    "$(",
    "{{",
    "<%",
    "<!--",
    "<![CDATA[",
    ")]}'",
    "//\n",
    "<!ENTITY a 'b'>",
    "<a ",
    "<script\n",
    "<a b='",
    "..//",
    "../",
    "//",
    "@",
    "http://a@",
    "=",
    "a=1&",
    "a[",
    "a[]=1&",
    "p[a]=1&",
    "0x",
    "1,",
    "1=1 or ",
    "select ",
    "union select ",
    "(select ",
    "((1+",
    "(1*(a.b-",
    "1 collate a::b(",
    "<a>b<!--",
    "a<?b?>",
    "' or '",
    "x' and ",
    "admin'--",
    "cat /etc/passwd;",
    ";ls ",
    "|| id ",
    "a.b.c(",
    "eyJ.",
    "+ADw-",
    "+",
    " ",
    "\n",
    "\r\n",
    "\0",
    "\u{7f}",
    "é",
    "＜",
    "onload=",
    "<script ",
    "javascript:",
    "data:base64,",
    "query{",
    "\"\"\"",
];

fn main() -> ExitCode {
    // `cargo test --benches` only checks that it starts.
    if std::env::args().any(|argument| argument == "--test") {
        return ExitCode::SUCCESS;
    }
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let engine = Engine::new();
    println!("{:28} ns per byte at {:?} bytes", "", SIZES);
    let formats = FORMATS
        .iter()
        .chain(families::FAMILIES)
        .map(|&(name, grow)| (name.to_owned(), Box::new(grow) as Grow));
    let pathological = PATHOLOGICAL.iter().flat_map(|&unit| {
        let body: Grow = Box::new(move |size| plain(&repeat(unit, size)));
        let inside: Grow = Box::new(move |size| json(&quoted(&repeat(unit, size))));
        [(format!("only {unit:?}"), body), (format!("JSON of {unit:?}"), inside)]
    });
    let all = formats.chain(families::nested()).chain(pathological);
    let wanted = all.filter(|(name, _)| only.as_ref().is_none_or(|only| name.contains(only)));
    if only.as_ref().is_none_or(|only| "recorded log lines".contains(only)) {
        let (bytes, goal) = RECORDED;
        let sample = sample(&engine, &|size| json(&families::logs(size)), bytes);
        println!("recorded log lines: {} bytes in {:.1?}, goal {goal:?}", sample.bytes, sample.took);
    }
    let failures = wanted.filter(|(name, grow)| !report(name, &measure(&engine, grow))).count();
    println!(
        "{failures} grow faster than {WORST_FACTOR} times linear, or take longer than {WORST_MEGABYTE:?} for 1 MB"
    );
    ExitCode::from(u8::from(failures > 0))
}

struct Sample {
    bytes: usize,
    took: Duration,
    is_overlimit: bool,
}

impl Sample {
    #[expect(clippy::cast_precision_loss, reason = "a ratio for display")]
    fn per_byte(&self) -> f64 {
        self.took.as_nanos() as f64 / self.bytes as f64
    }
}

/// Measures all sizes; again if a bound is exceeded, because other processes may have disturbed the
/// first run.
fn measure(engine: &Engine, grow: &dyn Fn(usize) -> InspectRequest) -> [Sample; SIZES.len()] {
    let mut samples = SIZES.map(|size| sample(engine, grow, size));
    if !is_within(&samples) {
        for (it, size) in samples.iter_mut().zip(SIZES) {
            it.took = it.took.min(sample(engine, grow, size).took);
        }
    }
    samples
}

fn sample(engine: &Engine, grow: &dyn Fn(usize) -> InspectRequest, size: usize) -> Sample {
    let mut request = grow(size);
    let headers = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    let body = request.body.as_ref().map_or(0, |body| body.0.len());
    let bytes = request.path.len() + request.query.len() + headers + body;
    let findings = engine.inspect(&request).findings;
    let is_overlimit =
        findings.iter().any(|it| matches!(it.attack_type, AttackType::Overlimit | AttackType::DataBomb));
    let (mut took, mut spent, mut runs) = (Duration::MAX, Duration::ZERO, 0);
    while spent < MIN_MEASURED || runs < MIN_RUNS {
        request = grow(size);
        let start = processor_time();
        black_box(engine.inspect(black_box(&request)));
        let run = processor_time().saturating_sub(start);
        took = took.min(run);
        spent += run;
        runs += 1;
    }
    Sample { bytes, took, is_overlimit }
}

/// The CPU time of this thread, which other processes do not affect.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}

/// Prints a line; returns whether it is within the bounds.
fn report(name: &str, samples: &[Sample]) -> bool {
    let (factor, is_in_bounds) = (worst_factor(samples), is_within(samples));
    let cell = |it: &Sample| format!("{:8.2}{}", it.per_byte(), if it.is_overlimit { '*' } else { ' ' });
    let cells = samples.iter().map(cell).collect::<Vec<_>>().concat();
    let verdict = if is_in_bounds { "" } else { "  FAILED" };
    println!("{name:28} {cells}  × {factor:4.2}  1 MB: {:5.0?}{verdict}", samples[MEGABYTE].took);
    is_in_bounds
}

fn is_within(samples: &[Sample]) -> bool {
    worst_factor(samples) <= WORST_FACTOR && samples[MEGABYTE].took <= WORST_MEGABYTE
}

/// The largest growth of the time per byte from one size to a larger one.
fn worst_factor(samples: &[Sample]) -> f64 {
    let mut cheapest = f64::MAX;
    let mut worst = 0.0_f64;
    for sample in samples {
        cheapest = cheapest.min(sample.per_byte());
        worst = worst.max(sample.per_byte() / cheapest);
    }
    worst
}

/// An odd number of repetitions, so that paired units (quotes) are unbalanced at every size.
fn repeat(unit: &str, size: usize) -> String {
    unit.repeat((size / unit.len()) | 1)
}

fn list(item: &str, size: usize) -> String {
    format!("[{}{item}]", repeat(&format!("{item},"), size))
}

fn quoted(text: &str) -> String {
    serde_json::json!({ "text": text }).to_string()
}

fn json(text: &str) -> InspectRequest {
    with_body("application/json", text.as_bytes().to_vec())
}

fn form(text: &str) -> InspectRequest {
    with_body("application/x-www-form-urlencoded", text.as_bytes().to_vec())
}

fn bare(method: &str, path: &str, query: &str) -> InspectRequest {
    InspectRequest {
        host: "shop.example.com".into(),
        path: path.to_owned(),
        query: query.to_owned(),
        ..empty_request(method)
    }
}

fn with_body(content_type: &str, body: Vec<u8>) -> InspectRequest {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    InspectRequest { headers, body: Some(Body(body)), ..bare("POST", "/api/orders", "") }
}

fn plain(text: &str) -> InspectRequest {
    with_body("text/plain", text.as_bytes().to_vec())
}

/// Pseudo-random bytes, as in an image; the same in every run.
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..size).map(|_| next()).collect()
}
