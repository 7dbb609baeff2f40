//! Dangerous uploads: names of files that a server would run or read as its own settings.

use super::{Match, ValueContext};
use crate::words::WORDS;
use shared::{
    AttackType,
    Severity::{High, Medium},
};

pub(super) fn detect(value: &[u8], context: &ValueContext<'_>) -> Option<Match<'static>> {
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
    let is_session = text.strip_prefix("sess_").is_some_and(|id| id.len() >= 20);
    let is_setting = WORDS.upload.settings.contains(text) || text.starts_with("wp-config");
    (is_setting || is_session).then_some(("rce-upload-settings", Medium))
}

/// `x.php.jpg`: servers that map every extension run it.
fn hides_script(text: &str) -> bool {
    let mut extensions = text.split(['.', ';']).skip(1);
    extensions.any(|extension| WORDS.upload.inner_scripts.contains(extension))
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
    fn passes_benign_files() {
        for name in [
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
