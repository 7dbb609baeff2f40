//! Dangerous uploads: names of files that a server would run or read as its own settings, names that
//! deceive people, and files with active content.

mod archive;
mod content;
mod script;
mod svg;

use super::{Match, ValueContext};
use crate::words::WORDS;
use shared::{
    AttackType,
    Severity::{High, Medium},
};

/// Characters that reverse the direction of the text after them: `gpj.exe` is shown as `exe.jpg`.
const OVERRIDES: [char; 2] = ['\u{202d}', '\u{202e}'];

pub(super) fn detect(value: &[u8], context: &ValueContext<'_>) -> Option<Match<'static>> {
    if context.is_file() || context.is_whole_body() {
        // Decoders of text damage binary files.
        return if context.is_raw(value) { content::detect(value) } else { None };
    }
    if !is_file_name(context) || value.len() > 1_000 {
        return None;
    }
    let (signature, severity) = classify_name(value)?;
    Some(Match { attack_type: AttackType::Rce, signature, severity, span: 0..value.len() })
}

/// The file name of a part, or a header in which scripts of pages send it.
fn is_file_name(context: &ValueContext<'_>) -> bool {
    if context.is_file_name() {
        return true;
    }
    let is_name_header = |name: &str| {
        let letters = || name.bytes().filter(u8::is_ascii_alphabetic).map(|it| it.to_ascii_lowercase());
        ["xfilename", "filename", "xfilepath"].iter().any(|it| letters().eq(it.bytes()))
    };
    context.header_name().is_some_and(|name| (8..16).contains(&name.len()) && is_name_header(name))
}

fn classify_name(name: &[u8]) -> Option<(&'static str, shared::Severity)> {
    let whole = name;
    // Windows drops dots and blanks at the end, C everything after a zero byte, NTFS the name of a
    // stream.
    let name = name.split(|byte| matches!(byte, 0 | b':')).next()?;
    let base = name.rsplit(|byte| matches!(byte, b'/' | b'\\')).next()?;
    let text = String::from_utf8_lossy(base).to_ascii_lowercase();
    let text: String = text.chars().filter(|it| !it.is_whitespace()).collect();
    let text = text.trim_end_matches(['.', ';', '"', '\'']);
    if text.rsplit_once('.').is_some_and(|(_, extension)| WORDS.upload.scripts.contains(extension))
        || hides_script(text)
    {
        return Some(("rce-upload-script", High));
    }
    if is_disguised(whole, text) {
        return Some(("rce-upload-disguised", Medium));
    }
    let is_session = text.strip_prefix("sess_").is_some_and(|id| id.len() >= 20);
    let is_setting = WORDS.upload.settings.contains(text) || text.starts_with("wp-config");
    (is_setting || is_session).then_some(("rce-upload-settings", Medium))
}

/// `invoice.pdf.exe`, and names with characters that hide their end.
fn is_disguised(name: &[u8], text: &str) -> bool {
    if memchr::memchr(0, name).is_some() || text.contains(OVERRIDES) {
        return true;
    }
    let mut extensions = text.rsplit('.');
    let (last, before) = (extensions.next().unwrap_or_default(), extensions.next().unwrap_or_default());
    WORDS.upload.programs.contains(last) && WORDS.upload.documents.contains(before)
}

/// `x.php.jpg`: servers that map every extension run it.
fn hides_script(text: &str) -> bool {
    let mut extensions = text.split(['.', ';']).skip(1);
    // `jakarta.servlet.jsp.jstl-api-3.0.0.jar`
    text.rsplit('.').next() != Some("jar")
        && extensions.any(|extension| WORDS.upload.inner_scripts.contains(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature_of(name: &str) -> Option<&'static str> {
        classify_name(name.as_bytes()).map(|it| it.0)
    }

    #[test]
    fn finds_names_that_a_server_would_run() {
        for name in [
            "x.php",
            "X.PhP5",
            "a/b.phtml",
            "x.php...",
            "x. php",
            "x.php\0.jpg",
            "x.asp;.jpg",
            "x.php::$DATA",
            "x.php.jpg",
            "x.jspx",
        ] {
            assert_eq!(signature_of(name), Some("rce-upload-script"), "{name}");
        }
    }

    #[test]
    fn finds_settings_of_servers() {
        for name in [".htaccess", "../web.config", "wp-config.php.bak~", "sess_0123456789abcdef0123"] {
            assert!(signature_of(name).is_some(), "{name}");
        }
    }

    #[test]
    fn finds_names_that_hide_their_end() {
        for name in ["invoice.pdf.exe", "photo.JPG.scr", "cv\u{202e}fdp.exe", "a.png\0.jpg", "x.txt\0"] {
            assert_eq!(signature_of(name), Some("rce-upload-disguised"), "{name}");
        }
    }

    #[test]
    fn passes_benign_files() {
        for name in [
            "setup.exe",
            "jakarta.servlet.jsp.jstl-api-3.0.0.jar",
            "app.min.js",
            "report.2026.01.pdf",
            "\u{5e9}\u{5dc}\u{5d5}\u{5dd}\u{200f}.docx",
            "Screenshot 2026-01-02 at 10.11.12\u{202f}AM.png",
            "photo.jpg",
            "thesis.v2.pdf",
            "main.py",
            "setup.sh",
            "php.txt",
            "my notes on php",
            "sess_1",
            "archive.tar.gz",
            "aspen.png",
        ] {
            assert_eq!(signature_of(name), None, "{name}");
        }
    }
}
