//! Path normalization, as origins do it.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Decodes `%XX` once, resolves `.` and `..`, and merges adjacent slashes, as NGINX does before it
/// selects a location.
///
/// `..` at the root stays at the root.
pub fn normalize(path: &str) -> Cow<'_, str> {
    let is_plain =
        path.starts_with('/') && !path.contains('%') && !path.contains("//") && !path.contains("/.");
    if is_plain {
        return Cow::Borrowed(path);
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_paths_have_one_normal_form() {
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
