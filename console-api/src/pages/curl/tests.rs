use super::*;
use jiff::Timestamp;
use proptest::prelude::*;
use shared::Body;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    process::Command,
    thread,
};

fn request(
    method: &str,
    target: (&str, &str),
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> RecordedRequest {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    RecordedRequest {
        request_id: "0f3c2d9a8b7e6f5a4c3b2a1908f7e6d5".parse().unwrap(),
        at: Timestamp::UNIX_EPOCH,
        connector: None,
        client_ip: Ipv4Addr::LOCALHOST.into(),
        method: method.to_owned(),
        scheme: Some("http".to_owned()),
        http_version: None,
        host: "shop.example.com".to_owned(),
        path: target.0.to_owned(),
        query: target.1.to_owned(),
        headers: headers.iter().map(own).collect(),
        body: body.map(|body| Body(body.to_vec())),
        body_bytes: None,
        body_truncated: false,
    }
}

/// A request as a server received it.
#[derive(Debug, PartialEq)]
struct Received {
    line: Vec<u8>,
    host: Vec<Vec<u8>>,
    /// Without those that the client generates.
    headers: Vec<Vec<u8>>,
    body: Vec<u8>,
}

impl Received {
    /// What a request should arrive as.
    fn of(request: &RecordedRequest) -> Self {
        let header = |(name, value): &(String, String)| {
            let value = if value.is_empty() { String::new() } else { format!(" {value}") };
            format!("{name}:{value}").into_bytes()
        };
        Self {
            line: format!("{} {} HTTP/1.1", request.method, target(request)).into_bytes(),
            host: vec![request.host.clone().into_bytes()],
            headers: request.headers.iter().map(header).collect(),
            body: request.body.as_ref().map(|body| body.0.clone()).unwrap_or_default(),
        }
    }

    /// Serves one connection.
    fn from(listener: &TcpListener) -> Self {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = || {
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line).unwrap();
            line.strip_suffix(b"\r\n").unwrap().to_vec()
        };
        let mut received = Self { line: line(), host: Vec::new(), headers: Vec::new(), body: Vec::new() };
        let mut length = 0;
        loop {
            let header = line();
            if header.is_empty() {
                break;
            }
            let lower = String::from_utf8_lossy(&header).to_lowercase();
            if let Some(host) = lower.strip_prefix("host: ") {
                received.host.push(host.as_bytes().to_vec());
            } else if let Some(bytes) = lower.strip_prefix("content-length: ") {
                length = bytes.parse().unwrap();
            } else {
                received.headers.push(header);
            }
        }
        received.body = vec![0; length];
        reader.read_exact(&mut received.body).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        received
    }
}

/// Runs the command in a shell, with every connection to a recorder.
fn run(command: &str) -> Received {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let recorder = thread::spawn(move || Received::from(&listener));
    let script =
        format!("curl() {{ command curl -q -s --connect-to '::127.0.0.1:{port}' \"$@\"; }}\n{command}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    recorder.join().unwrap()
}

#[track_caller]
fn is_reproduced(request: &RecordedRequest) {
    let curl = Curl::of(request);
    assert_eq!(curl.differences, [""; 0]);
    assert_eq!(run(&curl.command), Received::of(request), "{}", curl.command);
}

#[test]
fn a_body_that_names_a_file_is_sent_and_reads_no_file() {
    is_reproduced(&request("POST", ("/", ""), &[("content-type", "text/plain")], Some(b"@/etc/hostname")));
}

#[test]
fn reproduces_requests_that_curl_would_change() {
    let (html, long) = (&[("accept", "text/html")][..], "x".repeat(70_000));
    for request in [
        request("POST", ("/", ""), &[], Some(b"a\0b\xff\r\n")),
        request("POST", ("/", ""), &[], Some(b"-n %s \\0 'quoted' $(id)")),
        request("POST", ("/", ""), &[], Some(b"")),
        request("POST", ("/", ""), &[], None),
        request("PUT", ("/", ""), &[], Some(long.as_bytes())),
        request("HEAD", ("/", ""), html, None),
        request("HEAD", ("/", ""), html, Some(b"body")),
        request("GET", ("/a b#c", "q={1}&r=[2]"), &[("x-empty", ""), ("x-text", "it's; \"x\" é")], None),
        request("DELETE", ("/../a/./b", "%00=é"), &[("x-a", "1"), ("x-a", "2")], None),
        request("get", ("*", ""), &[("user-agent", "@file")], None),
        RecordedRequest { host: "shop.example.com:8080".to_owned(), ..request("GET", ("/", ""), &[], None) },
    ] {
        is_reproduced(&request);
    }
}

#[test]
fn names_what_it_cannot_reproduce() {
    let differences = |request: RecordedRequest| Curl::of(&request).differences;
    let plain = || request("GET", ("/", ""), &[], Some(b"body"));
    assert_eq!(differences(plain()), [""; 0]);
    for (request, difference) in [
        (RecordedRequest { body_truncated: true, ..plain() }, "The recorded body is incomplete."),
        (RecordedRequest { body_bytes: Some(5), ..plain() }, "The recorded body is incomplete."),
        (request("GET", ("/", "key=***"), &[], None), "Masked values (***) are sent as asterisks."),
        (
            request("GET", ("/", ""), &[("cookie", "a=***")], None),
            "Masked values (***) are sent as asterisks.",
        ),
        (
            request("GET", ("/\r\nx: y", ""), &[], None),
            "The target has control characters, which a request line cannot contain.",
        ),
        (
            request("GET", ("/", ""), &[("@/etc/passwd", "x")], None),
            "Headers with an invalid name or a line break are left out.",
        ),
        (request("GET /", ("/", ""), &[], None), "The method is not valid."),
        (RecordedRequest { host: "a@b".to_owned(), ..plain() }, "The host is not valid."),
    ] {
        assert_eq!(differences(request), [difference]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_command_sends_the_recorded_request(
        method in "GET|HEAD|POST|PUT|PATCH|OPTIONS|PURGE",
        path in "/[ -)+-~é\u{202e}]{0,12}",
        query in "[ -)+-~é]{0,12}",
        headers in prop::collection::vec(("x-[a-z]{1,6}|content-type|accept|cookie", "([!-)+-~é]([ -)+-~]{0,8}[!-)+-~])?)?"), 0..5),
        body in prop::option::of(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300).prop_filter("no mask", |body| !body.windows(3).any(|part| part == b"***")),
            "[@%-][ -)+-~]{0,20}\n?".prop_map(String::into_bytes),
        ]),
    ) {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        is_reproduced(&request(&method, (&path, &query), &headers, body.as_deref()));
    }
}
