//! Addresses around a match: pages that a value names.

use crate::{
    detect::{Match, ValueContext},
    words::WORDS,
};
use shared::ScorePart;

/// What the address says that the value is, or that holds the match.
pub(super) fn part(hit: &Match<'_>, value: &[u8], context: &ValueContext<'_>) -> Option<ScorePart> {
    match hit.signature {
        "sqli-plus-spaced" if is_in_query_of_page(hit, value) => {
            Some(ScorePart::new(-4, "a search in the address of a page"))
        }
        "ptrav-wrapper" if is_page_of_device(value) => {
            Some(ScorePart::new(-5, "a page or an asset of an application on a device"))
        }
        "ptrav-remote-include" if context.is_for_address() && is_page_without_query(value) => {
            Some(ScorePart::new(-3, "the address of a page"))
        }
        _ => None,
    }
}

/// `https://site.example/search?q=union+select+…`: pluses are blanks for that page alone, and no
/// quote leaves a string.
fn is_in_query_of_page(hit: &Match<'_>, value: &[u8]) -> bool {
    let before = value.get(..hit.span.start).unwrap_or_default();
    let is_page = before.starts_with(b"https://") || before.starts_with(b"http://");
    is_page
        && before.contains(&b'?')
        && !value.iter().any(|byte| b"'\"`<> ".contains(byte))
        && memchr::memmem::find(value, b"--").is_none()
}

/// `file:///android_asset/www/index.html#/home`: browsers report such addresses, and no program
/// includes such a file.
fn is_page_of_device(value: &[u8]) -> bool {
    let Some(path) = value.strip_prefix(b"file:///") else { return false };
    let path = path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    let is_plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-:%~ ()@+".contains(byte) || !byte.is_ascii();
    path.iter().all(is_plain)
        && memchr::memmem::find(path, b"..").is_none()
        && memchr::memmem::find(path, b"%00").is_none()
        && WORDS.ptrav.asset_endings.contains(ending(path))
}

/// `https://site.example/list.php?`: a form that sent no fields.
fn is_page_without_query(value: &[u8]) -> bool {
    let page = value.strip_suffix(b"?").unwrap_or_default();
    !page.contains(&b'?') && WORDS.ptrav.page_endings.contains(ending(page))
}

/// The ending of the last segment; empty without one.
fn ending(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    memchr::memrchr(b'.', name).map_or(b"", |at| &name[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::AttackType;

    #[test]
    fn recognizes_searches_in_addresses_of_pages() {
        let holds = |value: &str| {
            let start = value.find("union").unwrap();
            let hit = Match {
                attack_type: AttackType::Sqli,
                signature: "sqli-plus-spaced",
                severity: shared::Severity::Critical,
                span: start..start + 12,
            };
            is_in_query_of_page(&hit, value.as_bytes())
        };
        assert!(holds("https://a.example/search?q=union+select+tutorial"));
        for attack in ["1+union+select+2", "https://a.example/?q='+union+select+1", "/a?q=union+select+1"] {
            assert!(!holds(attack), "{attack}");
        }
    }

    #[test]
    fn recognizes_pages_of_devices() {
        for page in ["file:///android_asset/www/index.html#/a?b=1", "file:///C:/Users/ann/photo.jpg"] {
            assert!(is_page_of_device(page.as_bytes()), "{page}");
        }
        for file in
            ["file:///etc/passwd", "file:///a/../x.html", "file:///etc/passwd%00.html", "file://x/a.html"]
        {
            assert!(!is_page_of_device(file.as_bytes()), "{file}");
        }
    }

    #[test]
    fn recognizes_pages_with_an_empty_query() {
        assert!(is_page_without_query(b"http://a.example/list.jsp?"));
        for included in ["http://a.example/x.txt?", "http://a.example/x.php??", "http://a.example/x.php"] {
            assert!(!is_page_without_query(included.as_bytes()), "{included}");
        }
    }
}
