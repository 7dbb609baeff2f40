//! Remote file inclusion: the URL of another site in a parameter, with evidence that a program would
//! include it.
//!
//! A URL alone is no evidence: beacons, sign-in and embedded players send URLs in parameters of any
//! name.

use crate::{
    detect::ValueContext,
    token::url::{Url, authority, with_scheme},
    words::WORDS,
};

/// Whether the value is the URL of a file that a program would include.
pub(super) fn is_included(value: &[u8], context: &ValueContext<'_>) -> bool {
    if !matches!(value.first(), Some(b'h' | b'H' | b'f' | b'F' | b'/'))
        || value.len() > 500
        || value.iter().any(u8::is_ascii_whitespace)
        || context.header_name().is_some()
        || context.is_in_report()
    {
        return false;
    }
    let is_foreign = |host: &str| (host.contains('.') || host.starts_with('[')) && !context.is_own(host);
    if is_script_elsewhere(value, is_foreign) {
        return !context.is_for_address();
    }
    let url = with_scheme(value).filter(|url| {
        url.slashes == 2 && matches!(&*url.scheme, "http" | "https" | "ftp" | "ftps") && is_foreign(&url.host)
    });
    context.is_in_query() && url.is_some_and(|url| is_evident(&url, value, context))
}

/// Whether the value is the bare URL of another site in a parameter of the query for files.
pub(super) fn is_bare(value: &[u8], context: &ValueContext<'_>) -> bool {
    let starts_like_url = matches!(value.first(), Some(b'h' | b'H' | b'f' | b'F'));
    starts_like_url
        && value.len() <= 500
        && context.is_in_query()
        && context.is_for_file()
        && !context.is_for_address()
        && with_scheme(value).is_some_and(|url| {
            url.slashes == 2 && matches!(&*url.scheme, "http" | "https") && !context.is_own(&url.host)
        })
}

/// A file of a program or a text, from another host, in a parameter that is not for URLs.
fn is_evident(url: &Url<'_>, value: &[u8], context: &ValueContext<'_>) -> bool {
    if context.is_for_address() {
        return false;
    }
    let is_program = WORDS.ptrav.included_endings.contains(ending(value));
    let is_page = || WORDS.ptrav.page_endings.contains(ending(value));
    let is_cut = value.ends_with(b"\0") || value.ends_with(b"%00");
    url.scheme.starts_with("ftp")
        || is_program
        || is_cut
        || context.is_for_file()
            && (is_page() || value.ends_with(b"?") || context.path.to_ascii_lowercase().ends_with("php"))
}

/// The ending of the file in the path of a URL, without its query.
fn ending(url: &[u8]) -> &[u8] {
    let path = url.split(|&byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    let host = path.iter().position(|&byte| byte == b':').map_or(0, |at| at + 3);
    let slashes = path.get(host..).and_then(|rest| memchr::memrchr(b'/', rest));
    let Some(name) = slashes.map(|at| &path[host + at..]) else { return b"" };
    memchr::memrchr(b'.', name).map_or(b"", |at| &name[at + 1..])
}

/// `//files.elsewhere.example/x.php`, `ftp://elsewhere.example/x.txt`,
/// `http:elsewhere.example/x.txt?`: no benign link has this form.
fn is_script_elsewhere(value: &[u8], is_foreign: impl Fn(&str) -> bool) -> bool {
    let path = value.split(|&byte| byte == b'?').next().unwrap_or_default();
    let folder = memchr::memrchr(b'/', path).unwrap_or_default();
    let ending = memchr::memrchr(b'.', &path[folder..]).map(|at| &path[folder + at + 1..]);
    let is_script = ending.is_some_and(|ending| {
        [b"php".as_slice(), b"txt", b"asp", b"aspx", b"jsp"].iter().any(|it| ending.eq_ignore_ascii_case(it))
    });
    if !is_script {
        return false;
    }
    match value.strip_prefix(b"//") {
        Some(rest) => folder > 1 && is_foreign(&authority(rest).host),
        None => with_scheme(value).is_some_and(|url| {
            let is_odd = matches!(&*url.scheme, "ftp" | "ftps")
                || matches!(&*url.scheme, "http" | "https") && url.slashes < 2;
            is_odd && is_foreign(&url.host)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{Point, point::Tag};

    fn finds(point: &Point, value: &str) -> bool {
        is_included(value.as_bytes(), &ValueContext::at(point, "/", &[]))
    }

    #[test]
    fn finds_urls_in_file_parameters() {
        assert!(finds(&Point::get("inc"), "//files.elsewhere.example/x.php"));
        for url in
            ["http://files.elsewhere.example/x.txt", "http://a.elsewhere.example/x.php", "ftp://a.example/x"]
        {
            assert!(finds(&Point::get("template"), url), "{url}");
        }
        let page = ValueContext::at(&Point::get("page"), "/index.php", &[]);
        assert!(is_included(b"http://elsewhere.test/x", &page));
    }

    #[test]
    fn passes_urls_in_url_parameters() {
        for name in ["url", "return_to", "q", "utm_source", "src", "openid.identity"] {
            assert!(!finds(&Point::get(name), "http://elsewhere.test/x"), "{name}");
        }
        assert!(!finds(&Point::get("inc"), "https://www.example.com/own"));
        assert!(!finds(&Point::get("inc"), "see https://elsewhere.test"));
        assert!(!finds(&Point::new(Tag::Post), "http://elsewhere.test/x"));
    }

    #[test]
    fn passes_addresses_without_evidence_of_inclusion() {
        for name in ["SigAlg", "manifest", "page", "dr", "hub.topic", "config", "theme", "mode"] {
            for url in ["https://www.elsewhere.test/a", "http://elsewhere.test/2000/09/xmldsig#rsa-sha1"] {
                assert!(!finds(&Point::get(name), url), "{name}={url}");
            }
        }
    }

    #[test]
    fn finds_scripts_of_other_sites_in_forms() {
        let form = Point::new(Tag::Post).then(Tag::FormUrlencoded).named(Tag::Hash, "x");
        for address in
            ["//elsewhere.test/x.php", "ftp://u:p@elsewhere.test/x.txt", "http:elsewhere.test/x.php?"]
        {
            assert!(finds(&form, address), "{address}");
        }
        for address in ["http://elsewhere.test/x.php", "//elsewhere.test/logo.png", "/a/x.php", "//x.php"] {
            assert!(!finds(&form, address), "{address}");
        }
    }
}
