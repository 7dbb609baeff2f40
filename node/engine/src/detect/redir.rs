//! Open redirects: a disguised URL in a parameter that names the next page.
//!
//! Plain URLs pass, as single sign-on and payments use them. Benign clients do not send `/\host` or
//! `https:host`.

use super::{Match, ValueContext};
use crate::token::url::{Url, authority, with_scheme};
use shared::{AttackType, Severity};

pub(super) fn detect(value: &[u8], context: &ValueContext<'_>) -> Option<Match<'static>> {
    if context.is_path() {
        return leads_away(value).then_some(Match {
            attack_type: AttackType::OpenRedirect,
            signature: "redir-path",
            severity: Severity::Medium,
            span: 0..value.len(),
        });
    }
    let may_lead_away =
        matches!(value.trim_ascii_start(), [b'/' | b'\\', _, ..] | [b'h' | b'H' | b'f' | b'F', ..]);
    if !may_lead_away
        || value.len() > 2_000
        || !context.is_return_target()
        || context.is_page_header()
        || context.is_in_report_field()
    {
        return None;
    }
    let end = value.trim_ascii_end().len();
    let start = value.iter().position(|byte| *byte > b' ')?;
    let bytes = value.get(start..end)?;
    // `//host/path` is also the plain address of a page or picture.
    let is_plain = matches!(bytes, [b'/', b'/', next, ..] if next.is_ascii_alphanumeric());
    if is_plain && (!context.is_return_parameter() || context.is_in_document_format()) {
        return None;
    }
    let signature = if is_plain && has_folder(bytes) { "redir-plain-host" } else { "redir-disguised-url" };
    let (url, is_disguised) = match bytes {
        [b'/' | b'\\', ..] => slashed(bytes)?,
        _ => schemed(bytes, context.host_name())?,
    };
    let is_foreign = url.host.contains('.') && !is_of_site(&url.host, context.host_name());
    (is_disguised && is_foreign && is_host(&url.host)).then_some(Match {
        attack_type: AttackType::OpenRedirect,
        signature,
        severity: Severity::Medium,
        span: start..end,
    })
}

/// The host itself, a subdomain of it, or a domain that it belongs to.
fn is_of_site(host: &str, own: &str) -> bool {
    let (host, own) = (host.to_ascii_lowercase(), own.to_ascii_lowercase());
    let belongs = |one: &str, other: &str| {
        one.strip_suffix(other).is_some_and(|it| it.is_empty() || it.ends_with('.')) && other.contains('.')
    };
    host == own || belongs(&host, &own) || belongs(&own, &host)
}

/// `/\host.example/x`: a server that adds or removes a slash at the end of a path redirects there.
fn leads_away(path: &[u8]) -> bool {
    let host = path.strip_prefix(br"/\").map(authority).map(|url| url.host);
    host.is_some_and(|host| host.contains('.') && is_host(&host))
}

/// `//host/folder/…`, with which beacons go on.
fn has_folder(address: &[u8]) -> bool {
    let mut segments = address[2..].split(|byte| matches!(byte, b'/' | b'?' | b'#')).skip(1);
    segments.next().is_some_and(|it| {
        it.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte)) && it.len() > 1
    })
}

/// `//host`, `/\host`, `///host`: in a browser all of them lead to another site.
fn slashed(bytes: &[u8]) -> Option<(Url<'_>, bool)> {
    let is_slash = |byte: &u8| matches!(byte, b'/' | b'\\' | b'\t' | b'\r' | b'\n');
    let slashes = bytes.iter().take_while(|byte| is_slash(byte)).count();
    (slashes > 1).then(|| (authority(&bytes[slashes..]), true))
}

/// `https:host`, `https:/host`, `https:\\host`, `https://trusted@host`, `https://own.host`,
/// `https://host#own`.
fn schemed<'v>(bytes: &'v [u8], own: &str) -> Option<(Url<'v>, bool)> {
    let url = with_scheme(bytes)?;
    let separator = bytes.get(url.scheme.len() + 1..)?.get(..2).unwrap_or_default();
    let is_disguised = url.slashes != 2
        || separator != b"//"
        || url.has_user
        || poses_as(&url.host, own)
        || ends_in_mark_and(bytes, own);
    matches!(&*url.scheme, "http" | "https" | "ftp").then_some((url, is_disguised))
}

/// `shop.example.elsewhere.example`: begins with the site's own name.
fn poses_as(host: &str, own: &str) -> bool {
    let start = host.get(..own.len()).filter(|start| own.contains('.') && start.eq_ignore_ascii_case(own));
    let rest = start.and_then(|_| host[own.len()..].strip_prefix('.'));
    rest.is_some_and(|rest| rest.contains('.'))
}

/// `…#shop.example`, `…?shop.example`, `….shop.example` after a backslash: passes checks that
/// compare the end.
fn ends_in_mark_and(bytes: &[u8], own: &str) -> bool {
    let bytes = bytes.strip_suffix(b"/").unwrap_or(bytes);
    let Some((before, end)) = bytes.len().checked_sub(own.len()).and_then(|at| bytes.split_at_checked(at))
    else {
        return false;
    };
    let before = before.strip_suffix(b".").unwrap_or(before);
    own.contains('.')
        && end.eq_ignore_ascii_case(own.as_bytes())
        && matches!(before.last(), Some(b'#' | b'?' | b'\\' | b';' | 0))
}

/// The name or address of a host.
fn is_host(host: &str) -> bool {
    host.len() < 254
        && host
            .chars()
            .all(|it| it.is_alphanumeric() || matches!(it, '.' | '-' | '_' | '%' | '[' | ']' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(name: &str, value: &str) -> bool {
        let point = shared::Point::get(name);
        detect(value.as_bytes(), &ValueContext::at(&point, "/", &[])).is_some()
    }

    #[test]
    fn distinguishes_folders_of_another_host() {
        let signature = |value: &str| {
            let point = shared::Point::get("return");
            detect(value.as_bytes(), &ValueContext::at(&point, "/", &[])).map(|it| it.signature)
        };
        assert_eq!(signature("//sync.example/match/pixel.gif?uid=7"), Some("redir-plain-host"));
        for address in ["//evil.example", "//evil.example/", "//evil.example/%2e%2e", "/\\evil.example/a/b"] {
            assert_eq!(signature(address), Some("redir-disguised-url"), "{address}");
        }
    }

    #[test]
    fn finds_hosts_in_the_path() {
        let finds = |path: &str| {
            detect(path.as_bytes(), &ValueContext::at(&shared::Point::uri(), path, &[])).is_some()
        };
        assert!(finds("/\\evil.example/x") && !finds("/a/b.c/d") && !finds("//index.html"));
    }

    #[test]
    fn finds_disguised_urls_in_return_parameters() {
        for url in [
            "//evil.example",
            "///evil.example/x",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:\\\\evil.example",
            "http:///evil.example",
            "https://shop.example.com@evil.example/",
            "//evil。example",
            "https://shop.example.com.evil.example/",
            "https://evil.example#shop.example.com",
            "https://evil.example?.shop.example.com/",
        ] {
            assert!(finds("next", url), "{url}");
            assert!(!finds("q", url), "{url}");
        }
    }

    #[test]
    fn passes_plain_targets() {
        for url in [
            "/cart",
            "/a//b",
            "https://partner.example/return?x=1",
            "https://partner.example/?return=https://shop.example.com",
            "https://partner.example/shop.example.com",
            "https://shop.example.com.uk/",
            "//shop.example.com/cart",
            "cart",
            "https:",
            "//",
            "// a comment. And more",
            "/search?to=https:x.example",
            "app://callback",
        ] {
            assert!(!finds("redirect_uri", url), "{url}");
        }
    }
}
