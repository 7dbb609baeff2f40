//! Fuzz targets: the functions that the fuzzers in `fuzz/` run. A test runs them on every file in
//! `corpus/regressions` and `corpus/files`. Most also assert an invariant of what they call.

use crate::{
    Engine,
    budget::Budget,
    decode,
    field::{Field, FieldKind},
    mutate::empty_request,
    parse::{self, Sink},
    point_path::PointArena,
    prefilter::Bytes,
    token,
};
use shared::{Body, InspectRequest, point::Tag};
use std::sync::OnceLock;

/// A function that a fuzzer calls with its inputs.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("engine", engine),
    ("parse_file", parse_file),
    ("parse_form", parse_form),
    ("parse_json", parse_json),
    ("parse_multipart", parse_multipart),
    ("parse_nested", parse_nested),
    ("parse_protobuf", parse_protobuf),
    ("parse_xml", parse_xml),
    ("decode", decode),
    ("inflate", inflate),
    ("token_html", token_html),
    ("token_shell", token_shell),
    ("token_sql", token_sql),
    ("token_template", token_template),
    ("token_url", token_url),
];

/// The data is a request: a line `METHOD PATH?QUERY`, headers, an empty line, the body.
pub fn engine(data: &[u8]) {
    inspect(&request(data));
}

fn inspect(request: &InspectRequest) {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let inspection = ENGINE.get_or_init(Engine::new).inspect(request);
    for finding in &inspection.findings {
        assert!(finding.span.0 <= finding.span.1, "{finding:?}");
    }
}

fn request(data: &[u8]) -> InspectRequest {
    let (head, body) = split(data, b"\n\n");
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let (method, target) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("GET", "/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| line.split_once(':'));
    InspectRequest {
        headers: headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect(),
        body: body.map(|body| Body(body.to_vec())),
        ..bare(method, path, query)
    }
}

fn bare(method: &str, path: &str, query: &str) -> InspectRequest {
    InspectRequest { path: path.to_owned(), query: query.to_owned(), ..empty_request(method) }
}

fn split<'d>(data: &'d [u8], at: &[u8]) -> (&'d [u8], Option<&'d [u8]>) {
    let start = memchr::memmem::find(data, at);
    start.map_or((data, None), |start| (&data[..start], Some(&data[start + at.len()..])))
}

/// A file in a form: its metadata, its entries, its content.
pub fn parse_file(data: &[u8]) {
    let head = b"--b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n";
    let body = [head.as_slice(), data, b"\r\n--b--\r\n"].concat();
    let headers = vec![("content-type".to_owned(), "multipart/form-data; boundary=b".to_owned())];
    inspect(&InspectRequest { headers, body: Some(Body(body)), ..bare("POST", "/", "") });
    with_header("content-type", "text/csv", Some(data));
    with_header("content-type", "application/toml", Some(data));
}

/// A query, a form body and cookies.
pub fn parse_form(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    parse_all(&bare("GET", "/", &text));
    with_header("cookie", &text, None);
    with_header("content-type", "application/x-www-form-urlencoded", Some(data));
}

/// A message, and gRPC frames.
pub fn parse_protobuf(data: &[u8]) {
    with_header("content-type", "application/protobuf", Some(data));
    with_header("content-type", "application/grpc", Some(data));
}

pub fn parse_json(data: &[u8]) {
    with_header("content-type", "application/json", Some(data));
}

pub fn parse_xml(data: &[u8]) {
    parse_nested(&[b"<?xml version='1.0'?>", data].concat());
}

/// The first line is the content type.
pub fn parse_multipart(data: &[u8]) {
    let (content_type, body) = split(data, b"\n");
    with_header("content-type", &String::from_utf8_lossy(content_type), body);
    with_header("content-type", "multipart/form-data; boundary=b", Some(data));
}

/// Nested formats: GraphQL, JWT, base64, hex, compressed data, UTF-16.
pub fn parse_nested(value: &[u8]) {
    let mut arena = PointArena::default();
    let parent = Field::new(arena.then(None, Tag::Post), FieldKind::Value, value);
    let mut budget = Budget::for_request();
    let mut sink = Sink::new(1, &mut budget, &mut arena);
    parse::parse_nested(value, Bytes::of(value), &parent, &mut sink);
}

fn with_header(name: &str, value: &str, body: Option<&[u8]>) {
    let headers = vec![(name.to_owned(), value.to_owned())];
    parse_all(&InspectRequest { headers, body: body.map(|it| Body(it.to_vec())), ..bare("POST", "/", "") });
}

fn parse_all(request: &InspectRequest) {
    parse::parse(request, &mut Budget::for_request(), &mut PointArena::default());
}

/// All decoders.
pub fn decode(data: &[u8]) {
    for layer in decode::decode_all(data, Bytes::of(data), false, &mut Budget::for_request()) {
        assert!(layer.value.len() <= data.len(), "{} makes the value longer", layer.name);
    }
    decode::charset::read_detected(data);
    decode::hex::decode(data);
    decode::base64::decode(data);
}

pub fn inflate(data: &[u8]) {
    use decode::inflate::{Format, inflate};
    for format in [Format::Gzip, Format::Zlib, Format::Deflate] {
        inflate(data, format, &mut Budget::for_request());
    }
}

/// HTML tags and attributes, Markdown code, XML tokens.
pub fn token_html(data: &[u8]) {
    token::html::attributes(data);
    token::markdown::without_code(data);
    let tags = token::html::tags(data);
    assert!(tags.is_sorted_by(|one, next| one.span.end <= next.span.start));
    let end = token::xml::tokens(data).fold(0, |end, token| {
        assert_eq!(token.span.start, end);
        assert!(token.inner.start >= token.span.start && token.inner.end <= token.span.end);
        token.span.end
    });
    assert_eq!(end, data.len());
}

pub fn token_shell(data: &[u8]) {
    use token::shell::{Comments, commands};
    for comments in [Comments::Dropped, Comments::Read] {
        for command in commands(data, 0, comments) {
            assert!(command.start <= command.end && command.end <= data.len());
        }
    }
    let (glob, name) = data.split_at(data.len() / 2);
    token::shell::glob_matches(glob, name);
}

pub fn token_sql(data: &[u8]) {
    use token::sql::{Opening, TokenStream};
    for opening in [Opening::Bare, Opening::Quoted(b'\''), Opening::Quoted(b'"')] {
        let stream = TokenStream::new(data, opening);
        for at in 0..stream.len() {
            assert!(stream.span(at, at + 1).end <= data.len());
            assert!(stream.after_group(at) <= stream.len());
            stream.operand(at);
        }
    }
}

pub fn token_template(data: &[u8]) {
    for hole in token::template::holes(data) {
        token::template::tokens(&data[hole.inside]);
    }
}

pub fn token_url(data: &[u8]) {
    token::url::with_scheme(data);
    token::url::authority(data);
    token::path::climbing(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn no_target_panics_on_any_input_of_the_corpus() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        let folders = ["regressions", "files/attacks", "files/benign"].map(|it| corpus.join(it));
        let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
        let inputs: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        assert!(inputs.len() > 40);
        for input in inputs {
            let data = fs::read(&input).unwrap();
            for (name, run) in TARGETS {
                println!("{name}: {}", input.display());
                run(&data);
            }
        }
    }

    /// Nesting is handled by loops or bounded recursion everywhere.
    #[test]
    fn a_million_brackets_do_not_overflow_the_stack() {
        let nestings: &[(&str, Target)] = &[
            ("[", parse_json),
            ("{\"a\":", parse_json),
            ("<a>", parse_xml),
            ("<!DOCTYPE a [", parse_xml),
            ("a[", parse_form),
            ("query{", parse_nested),
            ("[", parse_nested),
            ("(", token_sql),
            ("/*", token_sql),
            ("$(", token_shell),
            ("(", token_shell),
            ("<a b=<", token_html),
            ("<!--", token_html),
            ("${", token_template),
            ("{{", token_template),
            ("url:", token_url),
            ("%25", decode),
            ("&lt;", decode),
            ("POST /\n\n[", engine),
        ];
        for (bracket, run) in nestings {
            run(bracket.repeat(1_000_000).as_bytes());
        }
    }
}
