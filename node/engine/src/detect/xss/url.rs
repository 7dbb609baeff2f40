//! Script URLs: they run script when a browser follows them.

use crate::decode::html_text;

/// Script of links without a target: it does nothing, or the same as a button of the browser.
const IDLE: &[&[u8]] = &[
    b"javascript:;",
    b"javascript:void(0)",
    b"javascript:void(0);",
    b"javascript:history.back()",
    b"javascript:history.go(-1)",
    b"javascript:window.print()",
];

const SCHEMES: &[&[u8]] = &[b"javascript:", b"vbscript:", b"livescript:", b"mocha:"];

/// `javascript:` and similar schemes, with blanks and entities inside; `data:` with markup.
pub(super) fn runs_script(value: &[u8]) -> bool {
    // A script URL starts with one of these bytes.
    let start = &value[..value.len().min(300)];
    let first = start.iter().find(|&&byte| byte > b' ').map(u8::to_ascii_lowercase);
    if !matches!(first, Some(b'j' | b'v' | b'l' | b'm' | b'd' | b'&')) {
        return false;
    }
    let decoded = html_text(start);
    let compact = compact(decoded.as_deref().unwrap_or(start));
    // The plain name of a scheme is also a word; a disguised one is not.
    let is_script = |scheme: &&[u8]| {
        // `javascript:,shop.example` is a list of schemes and hosts.
        compact.strip_prefix(*scheme).is_some_and(|code| !code.starts_with(b","))
            && (compact.len() > scheme.len()
                || !start.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme)))
    };
    SCHEMES.iter().any(is_script) && !IDLE.contains(&&*compact) || is_active_data(&compact)
}

/// Whether a tag holds such a URL with blanks in its scheme.
pub(super) fn is_split(tag: &[u8]) -> bool {
    let tag = &tag[..tag.len().min(2_000)];
    let compact = compact(tag);
    let plain = tag.to_ascii_lowercase();
    let count = |text: &[u8], scheme: &[u8]| memchr::memmem::find_iter(text, scheme).count();
    SCHEMES[..2].iter().filter(|scheme| count(&compact, scheme) > count(&plain, scheme)).any(|scheme| {
        memchr::memmem::find_iter(&compact, scheme).any(|at| at > 0 && b"=\"'`(".contains(&compact[at - 1]))
    })
}

/// `Javascript: the good parts`, a blank and only words after the colon.
pub(super) fn is_title(value: &[u8]) -> bool {
    let after = memchr::memchr(b':', value).map_or(value, |at| &value[at + 1..]);
    after.first() == Some(&b' ')
        && !after.trim_ascii().is_empty()
        && after.iter().all(|it| it.is_ascii_alphanumeric() || !it.is_ascii() || b" ,.'!?-:&".contains(it))
}

fn is_active_data(compact: &[u8]) -> bool {
    let active = [b"text/html".as_slice(), b"image/svg", b"text/xml", b"application/x", b"text/javascript"];
    compact
        .strip_prefix(b"data:")
        .is_some_and(|data| data.starts_with(b",") || active.iter().any(|kind| data.starts_with(kind)))
}

/// Lower-case, without the bytes that browsers drop from a scheme.
pub(super) fn compact(value: &[u8]) -> Vec<u8> {
    value.iter().filter(|&&byte| byte > b' ').map(u8::to_ascii_lowercase).collect()
}

/// A link with a disguised host: `http://0x7f.1/`, `h\tttp://x`, `http://%77eb.example`.
pub(super) fn is_disguised(link: &[u8]) -> bool {
    let start = link[..link.len().min(300)].trim_ascii();
    let compact = compact(start);
    let scheme = [b"https://".as_slice(), b"http://", b"//"].into_iter().find(|it| compact.starts_with(it));
    let Some(scheme) = scheme else { return false };
    if !start.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme)) {
        return true;
    }
    let rest = &start[scheme.len()..];
    let length = rest.iter().position(|it| b"/?#".contains(it)).unwrap_or(rest.len());
    let host = &rest[..length];
    let is_spelled = host.iter().any(|it| *it == b'%' || it.is_ascii_whitespace() || it.is_ascii_control());
    !host.is_empty()
        && (is_spelled || host.ends_with(b".") || is_odd_number(host) || host.ends_with(b"http:"))
}

/// A numeric address that is not four decimal numbers.
fn is_odd_number(host: &[u8]) -> bool {
    let host = host.split(|&byte| byte == b':').next().unwrap_or_default();
    let digits = |it: &[u8]| !it.is_empty() && it.iter().all(u8::is_ascii_digit);
    let is_hex = |it: &[u8]| {
        it.strip_prefix(b"0x").is_some_and(|hex| !hex.is_empty() && hex.iter().all(u8::is_ascii_hexdigit))
    };
    let labels: Vec<&[u8]> = host.split(|&byte| byte == b'.').take(5).collect();
    let is_plain = |it: &&[u8]| digits(it) && it.len() <= 3 && (it.len() == 1 || !it.starts_with(b"0"));
    labels.iter().all(|it| digits(it) || is_hex(it)) && !(labels.len() == 4 && labels.iter().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_script_urls_with_blanks_and_entities() {
        for text in [
            "javascript:alert(1)",
            " java\tscript:x",
            "&#106;avascript&colon;x",
            "data:text/html,<b>",
            "VBScript:x",
        ] {
            assert!(runs_script(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn finds_schemes_with_bytes_that_browsers_drop() {
        assert!(runs_script(b"vb&Tab;script:") && !runs_script(b"javascript:"));
        assert!(is_split(b"<img src=java scr ipt:x>") && !is_split(b"<b title='a javascript: b'>"));
    }

    #[test]
    fn passes_links_without_a_target() {
        for text in ["javascript:void(0)", "JavaScript:void(0);", "javascript:;"] {
            assert!(!runs_script(text.as_bytes()), "{text}");
        }
        for text in ["javascript:void(x())", "javascript:;x", "javascript:void(0)/x()"] {
            assert!(runs_script(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn passes_titles() {
        assert!(is_title(b"JavaScript: the good parts"));
        for text in ["javascript:x", "javascript: ", "javascript: alert(1)", "javascript: a=b"] {
            assert!(!is_title(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn finds_links_to_disguised_hosts() {
        for link in [
            "http://3232235777/",
            "//0x7f.0x0.0.1/",
            "http://0177.0.0.01",
            "ht\ttp://x.example",
            "http://%78.example/",
            "http://x.example./a",
            "http://x\n.example/",
        ] {
            assert!(is_disguised(link.as_bytes()), "{link}");
        }
        for link in [
            "http://192.0.2.7:80/a%20b",
            "//cdn.example/x",
            "https://4.example/",
            "/a b",
            " https://x.example\n",
            "",
            "http:///x",
        ] {
            assert!(!is_disguised(link.as_bytes()), "{link}");
        }
    }

    #[test]
    fn passes_other_urls() {
        for text in
            ["https://example.com/javascript:x", "data:image/png;base64,AAAA", "javascript: the good parts"]
        {
            assert_eq!(runs_script(text.as_bytes()), text.starts_with("javascript: "), "{text}");
        }
    }
}
