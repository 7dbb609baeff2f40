//! URLs that run script when followed.

use crate::decode::html_text;

const SCHEMES: &[&[u8]] = &[b"javascript:", b"vbscript:", b"livescript:", b"mocha:"];

/// `javascript:` and its kin, blanks and entities inside it allowed; `data:` with markup.
pub(super) fn runs_script(value: &[u8]) -> bool {
    // Nothing that starts otherwise can become a script URL.
    let start = &value[..value.len().min(300)];
    let decoded = html_text(start);
    let compact = compact(decoded.as_deref().unwrap_or(start));
    // The bare name of the scheme is a word, unless somebody hid it.
    let is_script = |scheme: &&[u8]| {
        compact.starts_with(scheme)
            && (compact.len() > scheme.len()
                || !start.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme)))
    };
    SCHEMES.iter().any(is_script) || is_active_data(&compact)
}

/// Whether a tag holds such a URL with blanks in its scheme.
pub(super) fn is_split(tag: &[u8]) -> bool {
    let compact = compact(&tag[..tag.len().min(2_000)]);
    SCHEMES[..2].iter().any(|scheme| {
        memchr::memmem::find_iter(&compact, scheme).any(|at| at > 0 && b"=\"'`(".contains(&compact[at - 1]))
    })
}

fn is_active_data(compact: &[u8]) -> bool {
    let active = [b"text/html".as_slice(), b"image/svg", b"text/xml", b"application/x", b"text/javascript"];
    compact
        .strip_prefix(b"data:")
        .is_some_and(|data| data.starts_with(b",") || active.iter().any(|kind| data.starts_with(kind)))
}

/// Lower-case, without what browsers drop from a scheme.
pub(super) fn compact(value: &[u8]) -> Vec<u8> {
    value.iter().filter(|&&byte| byte > b' ').map(u8::to_ascii_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_urls_are_seen_through_blanks_and_entities() {
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
    fn a_scheme_is_hidden_by_what_browsers_drop() {
        assert!(runs_script(b"ja&Tab;vascript:") && !runs_script(b"javascript:"));
        assert!(is_split(b"<img src=java scr ipt:x>") && !is_split(b"<b title='a javascript: b'>"));
    }

    #[test]
    fn other_urls_are_harmless() {
        for text in
            ["https://example.com/javascript:x", "data:image/png;base64,AAAA", "javascript: the good parts"]
        {
            assert_eq!(runs_script(text.as_bytes()), text.starts_with("javascript: "), "{text}");
        }
    }
}
