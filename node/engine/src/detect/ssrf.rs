//! Server-side request forgery: a value that is a URL into the network of the origin. Public URLs
//! pass.
//!
//! The value must begin with the URL, as prose and code often mention `http://localhost:3000`. Clients
//! drop blanks and control bytes before it, and tabs and line breaks inside it, and encode other blanks
//! (WHATWG URL standard).

mod address;

use super::{Match, ValueContext};
use crate::{
    field::FieldKind,
    token::url::{Url, authority, is_ignorable, with_scheme},
    words::WORDS,
};
use address::{Internal, classify};
use shared::{
    AttackType,
    Severity::{self, Critical, High, Medium},
};
use std::ops::Range;

/// Limit of a scheme with the URLs that it wraps.
const MAX_SCHEME: usize = 24;

/// Words after a URL that make the value a sentence.
const MIN_WORDS: usize = 3;

pub(super) fn detect(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Option<Match<'static>> {
    let span = span(value, kind, context)?;
    let bytes = &value[span.clone()];
    let is_break = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n');
    let found = classify_candidate(bytes, kind, context).or_else(|| {
        memchr::memchr3(b'\t', b'\r', b'\n', bytes)?;
        let letters = bytes.iter().copied().filter(|it| !is_break(it));
        let may_be_url = letters.clone().take(MAX_SCHEME).any(|it| it == b':')
            || context.is_one_of(&WORDS.ssrf.address_parameters);
        let joined: Option<Vec<u8>> = may_be_url.then(|| letters.collect());
        classify_candidate(&joined?, kind, context)
    });
    let (signature, severity) = found.filter(|(signature, _)| {
        let may_be_mentioned = matches!(*signature, "ssrf-loopback" | "ssrf-private-network");
        !(may_be_mentioned && is_for_sentences(context) && is_sentence(bytes))
    })?;
    Some(Match { attack_type: AttackType::Ssrf, signature, severity, span })
}

/// Fields for texts and searches.
fn is_for_sentences(context: &ValueContext<'_>) -> bool {
    context.writing().is_some() || context.is_named(&["q", "query", "search"])
}

/// `http://localhost:3000/ does not start`; a query or a fragment can hold any words.
fn is_sentence(value: &[u8]) -> bool {
    let is_word = |word: &&[u8]| word.len() > 1 && word.iter().any(u8::is_ascii_alphabetic);
    let mut words = value.split(u8::is_ascii_whitespace);
    let has_query = words.next().is_some_and(|url| memchr::memchr2(b'?', b'#', url).is_some());
    !has_query && words.filter(is_word).nth(MIN_WORDS - 1).is_some()
}

/// The part of the value that may be a URL: all of it, or in a path the part from the scheme on.
fn span(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Option<Range<usize>> {
    let start = match kind {
        FieldKind::ShapedHeader | FieldKind::Name => return None,
        FieldKind::Path => scheme_start(value)?,
        FieldKind::Value if context.is_page_header() => return None,
        FieldKind::Value => blanks(value),
    };
    let end = value.trim_ascii_end().len();
    (start < end).then_some(start..end)
}

/// The length of the blanks, control bytes and invisible characters before a text.
pub(super) fn blanks(value: &[u8]) -> usize {
    if value.first().is_some_and(u8::is_ascii_graphic) {
        return 0;
    }
    let is_blank = |letter: &char| letter.is_whitespace() || letter.is_control() || is_ignorable(*letter);
    let text = value.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    text.chars().take_while(is_blank).map(char::len_utf8).sum()
}

/// A URL, or a host without a scheme in a parameter for addresses.
fn classify_candidate(
    bytes: &[u8],
    kind: FieldKind,
    context: &ValueContext<'_>,
) -> Option<(&'static str, Severity)> {
    if let Some(url) = with_scheme(bytes) {
        return classify_url(&url, context);
    }
    // `10 Main Street` is an address, too.
    let is_address = kind == FieldKind::Value
        && context.is_one_of(&WORDS.ssrf.address_parameters)
        && bytes.iter().find(|it| it.is_ascii_whitespace() || **it == b'/').is_none_or(|it| *it == b'/');
    let bare = &bytes[bytes.iter().take_while(|byte| **byte == b'/').count()..];
    is_address.then(|| classify_address(&authority(bare))).flatten()
}

fn scheme_start(path: &[u8]) -> Option<usize> {
    let colon = memchr::memmem::find(path, b":/")?;
    let letters = path[..colon].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    (letters > 2).then(|| colon - letters)
}

fn classify_url(url: &Url<'_>, context: &ValueContext<'_>) -> Option<(&'static str, Severity)> {
    let host = &*url.host;
    if url.is_disguised && url.slashes > 0 && is_fetchable(&url.scheme) && classify(host).is_some() {
        return Some(("ssrf-disguised-host", High));
    }
    if host.is_empty() || host.eq_ignore_ascii_case(context.host_name()) {
        return None;
    }
    // `http:80` names a service and its port.
    let is_fetched = url.slashes > 0 || host.starts_with('[') || is_number_of_address(host);
    if !is_fetched || !is_fetchable(&url.scheme) {
        return None;
    }
    match classify(host) {
        Some(Internal::Metadata) => Some(("ssrf-cloud-metadata", Critical)),
        Some(Internal::Disguised) => Some(("ssrf-disguised-host", High)),
        Some(Internal::Catcher) => Some(("ssrf-catcher-host", High)),
        Some(Internal::Loopback) if is_page(url) && context.is_return_of_application() => None,
        Some(Internal::Loopback) => Some(("ssrf-loopback", High)),
        Some(Internal::Private) => Some(("ssrf-private-network", Medium)),
        None if WORDS.ssrf.odd_schemes.contains(&*url.scheme) && url.slashes > 1 => {
            Some(("ssrf-scheme", High))
        }
        None => None,
    }
}

fn is_page(url: &Url<'_>) -> bool {
    matches!(&*url.scheme, "http" | "https") && url.slashes == 2 && !url.has_user
}

fn is_number_of_address(host: &str) -> bool {
    host.starts_with(|it: char| it.is_ascii_digit()) && (host.contains('.') || host.len() > 7)
}

/// `word:8080` is a URL only if the word is a scheme.
fn is_fetchable(scheme: &str) -> bool {
    WORDS.ssrf.schemes.contains(scheme) || WORDS.ssrf.odd_schemes.contains(scheme)
}

/// Without a scheme, private addresses pass, as settings pages have fields for them.
fn classify_address(url: &Url<'_>) -> Option<(&'static str, Severity)> {
    let host = &*url.host;
    // `ip=2130706433` and `source=1.2` are numbers.
    let is_odd = host.contains("0x") || host.starts_with("127.") || host.starts_with('[') || host.len() > 15;
    match classify(host)? {
        Internal::Metadata => Some(("ssrf-cloud-metadata", Critical)),
        Internal::Disguised if is_odd => Some(("ssrf-disguised-host", High)),
        Internal::Catcher => Some(("ssrf-catcher-host", High)),
        Internal::Loopback => Some(("ssrf-loopback", High)),
        Internal::Private if !host.starts_with(|it: char| it.is_ascii_digit()) => {
            Some(("ssrf-private-network", Medium))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::point::Tag;

    fn signature_of(name: &str, value: &str) -> Option<&'static str> {
        let point = shared::Point::get(name);
        let context = ValueContext::at(&point, "/", &[]);
        detect(value.as_bytes(), FieldKind::Value, &context).map(|it| it.signature)
    }

    #[test]
    fn finds_internal_urls_in_any_notation() {
        for url in [
            "http://127.0.0.1/admin",
            "http://127.1:8080",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://017700000001",
            "http://0177.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::1]:80/",
            "http://localhost:6379",
            "https://db.internal/x",
            "http://expected.example@127.0.0.1/",
            "http://10.0.0.5/",
            "http://192.168.0.1/",
            "http://127.0.0.1.nip.io/",
            "http:127.0.0.1",
            "http:/2130706433",
            "url:http://localhost/",
            "  http://172.16.3.4/x",
        ] {
            assert!(signature_of("x", url).is_some(), "{url}");
        }
        assert_eq!(
            signature_of("x", "http://169.254.169.254/latest/meta-data/"),
            Some("ssrf-cloud-metadata")
        );
        assert_eq!(signature_of("x", "http://metadata.google.internal/"), Some("ssrf-cloud-metadata"));
    }

    #[test]
    fn blanks_and_more_text_hide_no_url() {
        for url in [
            "http://169.254.169.254/latest/meta-data/ x",
            "\u{1f}http://127.0.0.1/",
            "\u{b}http://127.0.0.1/",
            "\u{e} http://127.0.0.1/",
            "\u{200b}http://127.0.0.1/",
            "\u{feff}http://127.0.0.1/",
            "\u{a0}http://127.0.0.1/",
            "http://169.254.\n169.254/",
            "ht\ttp://127.0.0.1/",
            "gopher://127.0.0.1:6379/_x y",
            "http://localhost:8080/admin x",
            "http://localhost:8080/admin?a=does not work here",
            "http://10.0.0.1\r\nhttp://a.example/",
        ] {
            assert!(signature_of("x", url).is_some(), "{url:?}");
        }
        assert!(signature_of("url", "169.254.169.254/latest x").is_some());
        assert!(signature_of("q", "http://169.254.169.254/latest is not an address").is_some());
    }

    #[test]
    fn padding_of_any_length_hides_no_url() {
        for padding in [600, 5_000] {
            let repeated = |text: &str| text.repeat(padding);
            for url in [
                format!("ht{}tp://127.0.0.1/", repeated("\t")),
                format!("http://{}127.0.0.1/", repeated("\r\n")),
                format!("http://{}@169.254.169.254/", repeated("a")),
                format!("http://{}:b@localhost/", repeated("a")),
                format!("http:{}127.0.0.1/", repeated("/")),
                format!("http://{}177.0.0.1/", repeated("0")),
                format!("http://127.0{}.0.1/", repeated("\u{2060}")),
            ] {
                assert!(signature_of("x", &url).is_some(), "{} of {}", &url[..12], url.len());
            }
            let page = repeated("a");
            assert!(signature_of("url", &format!("169.254.169.254/{page}")).is_some());
            for url in [
                format!("http://{page}@example.com/"),
                format!("https://user:{page}@example.com:8080/127.0.0.1"),
                format!("https://example.com/{page}@127.0.0.1"),
                format!("Meeting:{} http://127.0.0.1/", repeated("\n")),
            ] {
                assert_eq!(signature_of("x", &url), None, "{}", &url[..12]);
            }
        }
        assert_eq!(signature_of("x", "https://bob:secret@example.com/"), None);
    }

    #[test]
    fn passes_sentences_that_begin_with_an_address() {
        let text = "http://localhost:3000/ does not start";
        assert_eq!(signature_of("q", text), None);
        let body = |name| shared::Point::new(Tag::Post).then(Tag::JsonDoc).named(Tag::Hash, name);
        let signature_at = |name, text: &str| {
            let point = body(name);
            let context = ValueContext::at(&point, "/", &[]);
            detect(text.as_bytes(), FieldKind::Value, &context).map(|it| it.signature)
        };
        assert_eq!(signature_at("comment", text), None);
        assert_eq!(signature_at("comment", "See http://169.254.169.254/ for the keys"), None);
        assert!(signature_at("image", text).is_some());
        assert_eq!(signature_of("address", "127 Main Street / Berlin"), None);
    }

    #[test]
    fn finds_hosts_disguised_by_lookalike_letters() {
        assert_eq!(signature_of("x", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/"), Some("ssrf-disguised-host"));
        for host in ["⑯⑨.254.169.254", "①㉗.0.0.1", "localhoﬆ", "locaⅼhost", "0ⅹ7f.1", "⑩.0.0.1"]
        {
            let url = format!("http://{host}/");
            assert_eq!(signature_of("x", &url), Some("ssrf-disguised-host"), "{url}");
        }
        for url in
            ["http://münchen.example/", "http://example.com…", "http://shop™.example/", "http://①.example/"]
        {
            assert_eq!(signature_of("x", url), None, "{url}");
        }
    }

    #[test]
    fn finds_schemes_that_no_form_has() {
        for url in [
            "gopher://a.example:70/_x",
            "dict://a.example:11211/stat",
            "ldap://a.example/x",
            "tftp://a.example/x",
            "jar:http://a.example/x!/",
        ] {
            assert_eq!(signature_of("x", url), Some("ssrf-scheme"), "{url}");
        }
    }

    #[test]
    fn finds_bare_hosts_in_parameters_for_addresses() {
        assert_eq!(signature_of("url", "localhost/"), Some("ssrf-loopback"));
        assert_eq!(signature_of("q", "localhost/"), None);
        assert_eq!(signature_of("host", "10.0.0.5"), None);
        assert_eq!(signature_of("ip", "2130706433"), None);
    }

    #[test]
    fn passes_public_addresses() {
        for url in [
            "https://example.com/a?b=http://localhost/",
            "https://8.8.8.8/dns-query",
            "https://hooks.example.com/T0/B0",
            "http://shop.example.com/cart",
            "mailto:a@localhost",
            "see http://localhost:3000 for more",
            "note: 127.0.0.1",
            "urn:isbn:2130706433",
            "tel:2130706433",
            "10:30",
            "http://172.32.0.1/",
            "https://internal.example.com/",
            "http://localhost.example.com/",
        ] {
            assert_eq!(signature_of("x", url), None, "{url}");
        }
    }

    #[test]
    fn passes_returns_to_a_native_application() {
        assert_eq!(signature_of("redirect_uri", "http://127.0.0.1:51004/callback"), None);
        assert_eq!(signature_of("redirect_uri", "http://localhost/callback"), None);
        assert!(signature_of("redirect_uri", "http://127.1:51004/callback").is_some());
        assert!(signature_of("redirect_uri", "http://169.254.169.254/").is_some());
        assert!(signature_of("url", "http://localhost:8080/admin").is_some());
        assert!(signature_of("redirect_uri", "gopher://127.0.0.1:6379/_INFO").is_some());
    }
}
