//! Remote file inclusion: a URL of another site in a query parameter that is not for URLs.
//!
//! A URL alone is weak evidence. It is common in bodies (one in forty recorded API calls) and in
//! query parameters named after URLs (`url`, `next`, `ref`): both pass. No measured benign request
//! has one elsewhere.

use crate::{
    detect::ValueContext,
    token::url::{authority, with_scheme},
    words::WORDS,
};

/// Beacons send URLs of pages in parameters of one or two letters, among many others.
const MAX_OTHERS: usize = 3;

pub(super) fn is_included(value: &[u8], context: &ValueContext<'_>) -> bool {
    if !matches!(value.first(), Some(b'h' | b'H' | b'f' | b'F' | b'/'))
        || value.len() > 500
        || context.header_name().is_some()
    {
        return false;
    }
    let is_foreign = |host: &str| (host.contains('.') || host.starts_with('[')) && !context.is_own(host);
    let is_address = context.is_in_query()
        && with_scheme(value).is_some_and(|url| {
            url.slashes == 2
                && matches!(&*url.scheme, "http" | "https" | "ftp" | "ftps")
                && is_foreign(&url.host)
        });
    if !is_address && !is_script_elsewhere(value, is_foreign) || context.is_in_report() {
        return false;
    }
    let Some(name) = context.name().map(str::to_ascii_lowercase) else { return false };
    let words = &WORDS.ptrav;
    let is_url_parameter = words.letter_parameters.contains(&name)
        || words.address_parameters.iter().any(|it| name.contains(it));
    let is_file_parameter = || {
        !is_address
            || words.file_parameters.iter().any(|it| name.contains(it))
            || context.other_parameters() <= MAX_OTHERS
    };
    !is_url_parameter && !value.iter().any(u8::is_ascii_whitespace) && is_file_parameter()
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
        for name in ["template", "inc", "conf[path]", "x", "abs_path"] {
            assert!(finds(&Point::get(name), "http://files.elsewhere.example/x"), "{name}");
        }
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
    fn passes_beacons() {
        let finds = |name, query: &str| {
            let point = Point::get(name);
            is_included(b"http://elsewhere.test/x", &ValueContext::at(&point, "/", &[]).with_query(query))
        };
        assert!(!finds("dr", "v=1&t=view&dl=a&dr=b&z=1"));
        assert!(finds("dr", "v=1&dr=b") && finds("template", "v=1&t=view&dl=a&template=b&z=1"));
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
