//! Server-side request forgery: a value that is a URL into the network of the origin. Public URLs
//! pass.
//!
//! Only whole values count, as prose and code often mention `http://localhost:3000`.

mod address;

use super::{Match, ValueContext};
use crate::{
    field::FieldKind,
    token::url::{Url, authority, with_scheme},
    words::WORDS,
};
use address::{Internal, classify};
use shared::{
    AttackType,
    Severity::{self, Critical, High, Medium},
};
use std::ops::Range;

pub(super) fn detect(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Option<Match<'static>> {
    let candidate = candidate(value, kind, context)?;
    let bytes = &value[candidate.span.clone()];
    if bytes.iter().any(u8::is_ascii_whitespace) {
        return None;
    }
    let (signature, severity) = match candidate.kind {
        CandidateKind::Url(url) => classify_url(&url, context)?,
        CandidateKind::Address(url) => classify_address(&url)?,
    };
    Some(Match { attack_type: AttackType::Ssrf, signature, severity, span: candidate.span })
}

struct Candidate<'v> {
    kind: CandidateKind<'v>,
    span: Range<usize>,
}

enum CandidateKind<'v> {
    Url(Url<'v>),
    /// A host without a scheme, in a parameter for addresses.
    Address(Url<'v>),
}

/// The part of the value that may be a URL: all of it, or in a path the part from the scheme on.
fn candidate<'v>(value: &'v [u8], kind: FieldKind, context: &ValueContext<'_>) -> Option<Candidate<'v>> {
    let start = match kind {
        FieldKind::ShapedHeader | FieldKind::Name => return None,
        FieldKind::Path => scheme_start(value)?,
        FieldKind::Value if context.is_page_header() => return None,
        FieldKind::Value => value.iter().position(|byte| !byte.is_ascii_whitespace())?,
    };
    let end = value.trim_ascii_end().len().max(start);
    let span = start..end;
    let bytes = &value[span.clone()];
    if let Some(url) = with_scheme(bytes) {
        return Some(Candidate { kind: CandidateKind::Url(url), span });
    }
    let is_address =
        kind == FieldKind::Value && bytes.len() < 300 && context.is_one_of(&WORDS.ssrf.address_parameters);
    let bare = &bytes[bytes.iter().take_while(|byte| **byte == b'/').count()..];
    is_address.then(|| Candidate { kind: CandidateKind::Address(authority(bare)), span })
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
    fn finds_hosts_disguised_by_lookalike_letters() {
        assert_eq!(signature_of("x", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/"), Some("ssrf-disguised-host"));
        assert_eq!(signature_of("x", "http://münchen.example/"), None);
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
