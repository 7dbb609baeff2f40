//! The path as an origin will take it, however it is spelled.

use std::borrow::Cow;

/// Decodes `%XX` once, resolves `.` and `..`, and lets adjacent slashes be one: what NGINX compares locations with.
///
/// More `..` than there are steps stay at the root.
pub fn normalize(path: &str) -> Cow<'_, str> {
    let is_plain =
        path.starts_with('/') && !path.contains('%') && !path.contains("//") && !path.contains("/.");
    if is_plain {
        return Cow::Borrowed(path);
    }
    let decoded = decode(path.as_bytes());
    let decoded = String::from_utf8_lossy(&decoded);
    let mut steps: Vec<&str> = Vec::new();
    for step in decoded.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    let is_folder = matches!(decoded.rsplit('/').next(), Some("" | "." | ".."));
    let end = if is_folder && !steps.is_empty() { "/" } else { "" };
    Cow::Owned(format!("/{}{end}", steps.join("/")))
}

fn decode(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, after @ ..] = rest {
        let byte = match after {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    decoded
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_resource_has_one_path() {
        for (path, normal) in [
            ("/", "/"),
            ("", "/"),
            ("/a/b", "/a/b"),
            ("/a/", "/a/"),
            ("//a///b", "/a/b"),
            ("/%61dmin", "/admin"),
            ("/a/./b/../c", "/a/c"),
            ("/a/%2e%2E/b", "/b"),
            ("/a%2Fb", "/a/b"),
            ("/../../etc", "/etc"),
            ("/a/..", "/"),
            ("/a/b/.", "/a/b/"),
            ("/.well-known/x", "/.well-known/x"),
            ("/a%", "/a%"),
            ("/%zz%2", "/%zz%2"),
            ("/%2561", "/%61"),
            ("/%C3%A4%ff", "/ä\u{fffd}"),
            ("*", "/*"),
        ] {
            assert_eq!(normalize(path), normal, "{path}");
        }
    }
}
