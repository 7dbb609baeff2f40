//! Names of uploaded files that a server would run, or read as its own settings.

use crate::detect::{Match, Site};
use shared::{
    AttackType, Severity,
    point::{Step, Tag},
};

/// Extensions that a web server hands to an interpreter.
const EXECUTABLE: &[&str] = &[
    "php", "phtml", "phtm", "pht", "phps", "phpt", "phar", "pgif", "jsp", "jspx", "jspf", "jspa", "jsw",
    "jsv", "asp", "aspx", "asa", "asax", "ascx", "ashx", "asmx", "cer", "cdx", "cfm", "cfml", "cfc", "shtml",
    "stm",
];

/// Words of honest names, too: they tell only at the end, or where the name is cut.
const AMBIGUOUS: &[&str] = &["asp", "asa", "cer", "stm", "cdx", "cfc", "jsv", "jsw"];

/// Settings that a server reads from the directory it serves.
const SETTINGS: &[&str] = &[".htaccess", ".htpasswd", ".user.ini", "web.config", "php.ini"];

/// Headers in which some uploaders name their file; `.` and `_` in them are read as dashes.
const HEADERS: &[&str] = &["X-FILENAME", "X-FILE-NAME", "X-FILE-PATH"];

/// Shorter names of sessions are names.
const MIN_SESSION_ID: usize = 16;

pub(in crate::detect) fn detect(value: &[u8], site: &Site<'_>) -> Option<Match<'static>> {
    let is_telling = is_file_name(site) && {
        let name = base_name(value);
        is_executable(&name) || SETTINGS.contains(&&*name) || is_session(&name)
    };
    is_telling.then_some(Match {
        attack_type: AttackType::Rce,
        signature: "rce-upload-name",
        severity: Severity::High,
        span: 0..value.len(),
    })
}

fn is_file_name(site: &Site<'_>) -> bool {
    match site.point.0.as_slice() {
        [.., Step { tag: Tag::File, .. }, Step { tag: Tag::Name, .. }] => true,
        [Step { tag: Tag::Header, .. }] => {
            let header = site.name().unwrap_or_default().replace(['_', '.'], "-");
            HEADERS.contains(&&*header)
        }
        _ => false,
    }
}

/// Lower-case, without directories, blanks and what file systems drop from the end.
fn base_name(value: &[u8]) -> String {
    let base = value.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or(value);
    let text = String::from_utf8_lossy(&base[..base.len().min(1_000)]).to_ascii_lowercase();
    let text: String = text.chars().filter(|it| !it.is_whitespace() && *it != '"').collect();
    text.strip_suffix("::$data").unwrap_or(&text).trim_end_matches('.').to_owned()
}

/// `a.php`, `a.php.jpg`, `a.asp;.jpg`, `a.php\0.jpg`
fn is_executable(name: &str) -> bool {
    let mut rest = name;
    while let Some(dot) = rest.find('.') {
        rest = &rest[dot + 1..];
        let length = rest.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let (extension, after) = rest.split_at(length);
        let versioned =
            extension.strip_prefix("php").is_some_and(|it| matches!(it.as_bytes(), [b'1'..=b'9']));
        let is_listed = versioned || EXECUTABLE.contains(&extension);
        if is_listed
            && (!after.starts_with('.') || !AMBIGUOUS.contains(&extension))
            && !after.starts_with('-')
        {
            return true;
        }
    }
    false
}

/// PHP keeps its sessions in files of such names.
fn is_session(name: &str) -> bool {
    name.strip_prefix("sess_").is_some_and(|id| {
        id.len() >= MIN_SESSION_ID
            && id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b',' || it == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Point;

    fn is_found(name: &str, point: &Point) -> bool {
        detect(name.as_bytes(), &Site { point, host: "h" }).is_some()
    }

    fn uploaded() -> Point {
        Point::new(Tag::Post).named(Tag::Multipart, "photo").then(Tag::File).then(Tag::Name)
    }

    #[test]
    fn files_a_server_would_run_are_found() {
        for name in [
            "a.php",
            "a.PhP5...",
            "dir/a.pHtml ",
            "a. php",
            "a.php.jpg",
            "a.asp;.jpg",
            "a.php\0.png",
            "x.aspx::$DATA",
            "shell.jspx",
            ".htaccess",
            "C:\\up\\web.config",
            "/tmp/sess_0123456789abcdef",
        ] {
            assert!(is_found(name, &uploaded()), "{name}");
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        for name in [
            "photo.jpg",
            "asp.net.guide.pdf",
            "php-manual.pdf",
            "a.php-cheatsheet.pdf",
            "report.final.docx",
            "sess_1.txt",
            "sess_notes",
            "",
        ] {
            assert!(!is_found(name, &uploaded()), "{name}");
        }
    }

    #[test]
    fn only_names_of_uploads_are_looked_at() {
        assert!(is_found("a.php", &Point::header("x_filename")));
        assert!(is_found("a.php", &Point::header("x-file.name")));
        assert!(!is_found("a.php", &Point::header("referer")));
        assert!(!is_found("a.php", &Point::get("page")));
    }
}
