//! A request as a curl command for any POSIX shell, and what the command cannot reproduce.

use shared::RecordedRequest;
use std::fmt::Write as _;

/// Headers that curl generates.
const OWN: [&str; 3] = ["host", "content-length", "transfer-encoding"];
/// Headers that curl adds if the request has none of this name.
const ADDED: [&str; 2] = ["user-agent", "accept"];
/// A longer body is not passed as an argument, whose length systems limit.
const MAX_ARGUMENT: usize = 60_000;
/// A longer body makes curl ask first (`Expect: 100-continue`).
const MAX_UNASKED: usize = 1000;
/// What nodes write in place of masked values.
const MASK: &str = "***";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Curl {
    pub command: String,
    /// The differences between the sent request and the recorded one.
    pub differences: Vec<&'static str>,
}

impl Curl {
    pub(super) fn of(request: &RecordedRequest) -> Self {
        let body = request.body.as_ref().map(|body| &*body.0);
        let by_pipe = body.filter(|body| !is_printable(body) || body.len() > MAX_ARGUMENT);
        let mut command = String::new();
        if let Some(body) = by_pipe {
            let _ = writeln!(command, "printf '{}' |", format_of(body));
        }
        let _ = write!(command, "curl -i --path-as-is -g {}", method(request));
        for word in headers(request) {
            let _ = write!(command, " \\\n  -H {}", quoted(&word));
        }
        match body {
            Some(_) if by_pipe.is_some() => command.push_str(" \\\n  --data-binary @-"),
            // Unlike `--data-binary`, it reads no file when the body starts with `@`.
            Some(body) => {
                let _ = write!(command, " \\\n  --data-raw {}", quoted(&String::from_utf8_lossy(body)));
            }
            None => {}
        }
        let (host, target) = (&request.host, target(request));
        let scheme = request.scheme.as_deref().unwrap_or("https");
        if is_address(&target) {
            let _ = write!(command, " \\\n  {}", quoted(&format!("{scheme}://{host}{target}")));
        } else {
            let _ = write!(command, " \\\n  --request-target {}", quoted(&target));
            let _ = write!(command, " \\\n  {}", quoted(&format!("{scheme}://{host}/")));
        }
        Self { command, differences: differences(request, &target) }
    }
}

fn target(request: &RecordedRequest) -> String {
    let mark = if request.query.is_empty() { "" } else { "?" };
    format!("{}{mark}{}", request.path, request.query)
}

/// Whether curl sends a target as it is when it is a part of an address.
fn is_address(target: &str) -> bool {
    target.starts_with('/') && target.bytes().all(|byte| matches!(byte, b'!'..=b'~') && byte != b'#')
}

fn method(request: &RecordedRequest) -> String {
    match request.method.as_str() {
        "HEAD" if request.body.is_none() => "-I".to_owned(),
        // curl would wait for the body of the response.
        "HEAD" => "-X HEAD -m 10".to_owned(),
        method => format!("-X {}", quoted(method)),
    }
}

/// The arguments of `-H`: the headers of the request, and the removal of those that curl adds.
fn headers(request: &RecordedRequest) -> Vec<String> {
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let has = |name: &str| request.headers.iter().any(|(known, _)| is(known, name));
    let mut words = Vec::new();
    if !is_plain_host(&request.host) {
        words.push(format!("host: {}", request.host));
    }
    for (name, value) in &request.headers {
        if OWN.iter().any(|own| is(name, own)) || !is_header(name, value) {
            continue;
        }
        let value = value.trim_matches([' ', '\t']);
        words.push(if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") });
    }
    let mut added = ADDED.to_vec();
    if let Some(body) = &request.body {
        added.push("content-type");
        if body.0.len() > MAX_UNASKED {
            added.push("expect");
        }
    }
    words.extend(added.into_iter().filter(|name| !has(name)).map(|name| format!("{name}:")));
    words
}

fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}

fn is_header(name: &str, value: &str) -> bool {
    is_token(name) && !value.contains(['\r', '\n', '\0'])
}

/// Whether curl derives this `Host` from the address.
fn is_plain_host(host: &str) -> bool {
    !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
}

fn differences(request: &RecordedRequest, target: &str) -> Vec<&'static str> {
    let RecordedRequest { headers, body, .. } = request;
    let is_cut = body.as_ref().zip(request.body_bytes).is_some_and(|(body, all)| (body.0.len() as u64) < all);
    let is_masked = |text: &str| text.contains(MASK);
    let has_mask = is_masked(target)
        || headers.iter().any(|(_, value)| is_masked(value))
        || body.as_ref().is_some_and(|body| body.0.windows(MASK.len()).any(|part| part == MASK.as_bytes()));
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let all = [
        (request.body_truncated || is_cut, "The recorded body is incomplete."),
        (has_mask, "Masked values (***) are sent as asterisks."),
        (
            target.bytes().any(|byte| byte.is_ascii_control()),
            "The target has control characters, which a request line cannot contain.",
        ),
        (
            headers.iter().any(|(name, value)| !is_header(name, value)),
            "Headers with an invalid name or a line break are left out.",
        ),
        (!is_token(&request.method), "The method is not valid."),
        (request.host.is_empty() || !request.host.bytes().all(is_host), "The host is not valid."),
    ];
    all.into_iter().filter(|(differs, _)| *differs).map(|(_, text)| text).collect()
}

fn is_printable(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// One shell word.
fn quoted(text: &str) -> String {
    if is_printable(text.as_bytes()) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        format!("\"$(printf '{}')\"", format_of(text.as_bytes()))
    }
}

/// A format for `printf` in single quotes that prints these bytes. `printf` takes a leading `-` for
/// an option.
fn format_of(text: &[u8]) -> String {
    let mut format = String::new();
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'%' => format.push_str("%%"),
            b'\\' => format.push_str("\\\\"),
            b'\'' => format.push_str("\\047"),
            b'-' if index == 0 => format.push_str("\\055"),
            b' '..=b'~' => format.push(char::from(*byte)),
            _ => {
                let _ = write!(format, "\\{byte:03o}");
            }
        }
    }
    format
}

#[cfg(test)]
mod tests;
