//! A request as a curl command.

use shared::RecordedRequest;
use std::fmt::Write as _;

/// Headers that curl generates.
const OWN: [&str; 3] = ["host", "content-length", "transfer-encoding"];

pub(super) fn as_curl(request: &RecordedRequest) -> String {
    let RecordedRequest { method, host, path, query, .. } = request;
    let mark = if query.is_empty() { "" } else { "?" };
    let scheme = request.scheme.as_deref().unwrap_or("https");
    let mut command = format!("curl -i --path-as-is -g -X {}", quoted(method.as_bytes()));
    let headers =
        request.headers.iter().filter(|(name, _)| !OWN.contains(&name.to_ascii_lowercase().as_str()));
    for (name, value) in headers {
        let _ = write!(command, " \\\n  -H {}", quoted(format!("{name}: {value}").as_bytes()));
    }
    if let Some(body) = &request.body {
        let _ = write!(command, " \\\n  --data-binary {}", quoted(&body.0));
    }
    let _ = write!(command, " \\\n  {}", quoted(format!("{scheme}://{host}{path}{mark}{query}").as_bytes()));
    command
}

/// One shell word. Bytes that are not printable ASCII are escaped in `$'…'`.
fn quoted(text: &[u8]) -> String {
    if text.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return format!("'{}'", String::from_utf8_lossy(text).replace('\'', "'\\''"));
    }
    let mut word = "$'".to_owned();
    for byte in text {
        match byte {
            b'\'' | b'\\' => word.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => word.push(char::from(*byte)),
            _ => {
                let _ = write!(word, "\\x{byte:02x}");
            }
        }
    }
    word + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_a_text_as_one_shell_word() {
        assert_eq!(quoted(b"it's $(id)"), r"'it'\''s $(id)'");
        assert_eq!(quoted(b"a'b\n\xff"), r"$'a\'b\x0a\xff'");
    }
}
