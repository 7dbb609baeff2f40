//! Remote file inclusion: the address of another site in a parameter of the query that asks for none.
//!
//! A bare address is weak evidence. In bodies it is everyday (one in forty recorded API calls has one), and in queries it is
//! where the parameter says so (`url`, `next`, `ref`): both pass. What is left was in no innocent request measured.

use crate::{
    detect::Site,
    token::url::{authority, with_scheme},
};

/// Parts of the names of parameters that hold addresses in honest requests; lower-case.
const ADDRESSES: &[&str] = &[
    "url",
    "uri",
    "link",
    "href",
    "redir",
    "return",
    "back",
    "ref",
    "src",
    "loc",
    "host",
    "site",
    "next",
    "goto",
    "go",
    "target",
    "dest",
    "continue",
    "forward",
    "query",
    "search",
    "text",
    "feed",
    "img",
    "image",
    "icon",
    "photo",
    "avatar",
    "logo",
    "picture",
    "media",
    "video",
    "utm",
    "openid",
    "iss",
    "realm",
    "scope",
    "aud",
    "resource",
    "service",
    "domain",
    "origin",
    "schema",
    "xmlns",
    "wreply",
    "wctx",
    "share",
    "from",
    "to",
    "web",
    "hook",
    "endpoint",
    "server",
    "api",
    "proxy",
    "address",
    "issuer",
    "client",
    "context",
    "type",
    "relay",
    "success",
    "cancel",
    "fail",
    "error",
    "exit",
    "login",
    "logout",
    "state",
    "id",
    "content",
    "message",
    "comment",
    "body",
    "title",
    "description",
    "name",
    "value",
    "data",
    "tag",
    "cdn",
    "base_u",
    "repo",
    "upstream",
    "website",
    "profile",
    "homepage",
    "dl",
    "download",
    "embed",
];

/// Single letters by which search fields and sharing buttons go.
const LETTERS: &[&str] = &["q", "u", "s", "r", "p", "k", "w", "l", "d", "t", "v"];

pub(super) fn is_included(value: &[u8], site: &Site<'_>) -> bool {
    if !site.is_in_query()
        || !matches!(value.first(), Some(b'h' | b'H' | b'f' | b'F' | b'/'))
        || value.len() > 500
    {
        return false;
    }
    let Some(name) = site.name().map(str::to_ascii_lowercase) else { return false };
    let is_asked_for = LETTERS.contains(&name.as_str()) || ADDRESSES.iter().any(|it| name.contains(it));
    let is_foreign = |host: &str| (host.contains('.') || host.starts_with('[')) && !site.is_own(host);
    !is_asked_for
        && !value.iter().any(u8::is_ascii_whitespace)
        && (is_script_elsewhere(value, is_foreign)
            || with_scheme(value).is_some_and(|url| {
                url.slashes == 2
                    && matches!(&*url.scheme, "http" | "https" | "ftp" | "ftps")
                    && is_foreign(&url.host)
            }))
}

/// `//files.elsewhere.example/x.php`
fn is_script_elsewhere(value: &[u8], is_foreign: impl Fn(&str) -> bool) -> bool {
    let Some(rest) = value.strip_prefix(b"//") else { return false };
    let path = rest.split(|&byte| byte == b'?').next().unwrap_or_default().to_ascii_lowercase();
    let is_script =
        [b".php".as_slice(), b".txt", b".asp", b".aspx", b".jsp"].iter().any(|it| path.ends_with(it));
    is_script && path.contains(&b'/') && is_foreign(&authority(rest).host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Point;

    fn finds(point: &Point, value: &str) -> bool {
        is_included(value.as_bytes(), &Site::at(point, "/", &[]))
    }

    #[test]
    fn an_address_where_a_file_is_expected_is_an_include() {
        assert!(finds(&Point::get("inc"), "//files.elsewhere.example/x.php"));
        for name in ["template", "inc", "conf[path]", "x", "abs_path"] {
            assert!(finds(&Point::get(name), "http://files.elsewhere.example/x"), "{name}");
        }
    }

    #[test]
    fn addresses_that_are_asked_for_pass() {
        for name in ["url", "return_to", "q", "utm_source", "src", "openid.identity"] {
            assert!(!finds(&Point::get(name), "http://elsewhere.test/x"), "{name}");
        }
        assert!(!finds(&Point::get("inc"), "https://www.example.com/own"));
        assert!(!finds(&Point::get("inc"), "see https://elsewhere.test"));
        assert!(!finds(&Point::new(shared::point::Tag::Post), "http://elsewhere.test/x"));
    }
}
