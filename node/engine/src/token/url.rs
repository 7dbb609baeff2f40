//! The scheme and host of a URL, in any spelling.

use std::borrow::Cow;
use unicode_normalization::char::decompose_compatible;

/// A URL, as lenient clients parse it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Url<'v> {
    /// Lower-case; empty when the value begins with the host.
    pub scheme: Cow<'v, str>,
    /// Lower-case, without what precedes an `@` and without a port.
    pub host: Cow<'v, str>,
    pub has_user: bool,
    /// Whether its host has lookalike letters.
    pub is_disguised: bool,
    /// Slashes and backslashes before the host.
    pub slashes: usize,
}

/// Parses a whole value as a URL with a scheme and any number of slashes.
pub(crate) fn with_scheme(value: &[u8]) -> Option<Url<'_>> {
    let (outer, mut rest) = split_scheme(value)?;
    let mut inner = outer.clone();
    // `url:http://…` and `jar:http://…!/` wrap another URL.
    while matches!(&*inner, "url" | "jar" | "view-source") {
        (inner, rest) = split_scheme(rest)?;
    }
    let slashes = rest.iter().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
    Some(Url { scheme: outer, slashes, ..authority(&rest[slashes..]) })
}

/// The scheme, in lower case, and what follows its colon.
fn split_scheme(value: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let colon = value.iter().take(24).position(|&byte| byte == b':')?;
    let scheme = &value[..colon];
    let is_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let fits = scheme.first().is_some_and(u8::is_ascii_alphabetic) && scheme.iter().all(is_scheme);
    fits.then(|| (lower(scheme), &value[colon + 1..]))
}

/// Parses a whole value that begins with the host.
pub(crate) fn authority(value: &[u8]) -> Url<'_> {
    let ends = |byte: &u8| matches!(byte, b'/' | b'\\' | b'?' | b'#') || byte.is_ascii_whitespace();
    if let Some(escaped) = escaped_host(value) {
        return Url {
            scheme: "".into(),
            host: escaped.into(),
            has_user: false,
            is_disguised: true,
            slashes: 0,
        };
    }
    let authority = &value[..value.iter().position(ends).unwrap_or(value.len())];
    let user = memchr::memrchr(b'@', authority);
    let host = without_port(&authority[user.map_or(0, |at| at + 1)..]);
    let folded = if host.is_ascii() {
        lower(host)
    } else {
        let mut folded = String::with_capacity(host.len());
        for letter in String::from_utf8_lossy(host).chars().filter(|it| !is_ignorable(*it)) {
            fold(letter, &mut folded);
        }
        folded.into()
    };
    let is_disguised = folded.is_ascii() && !host.is_ascii();
    Url { scheme: "".into(), host: folded, has_user: user.is_some(), is_disguised, slashes: 0 }
}

/// `l\o\c\a\l…`: backslashes after each letter, which shells and some clients remove.
fn escaped_host(value: &[u8]) -> Option<String> {
    let end = value.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(value.len());
    memchr::memchr(b'\\', &value[..end])?;
    let mut letters = value[..end].split(|&byte| byte == b'\\').filter(|it| !it.is_empty());
    let host: Vec<u8> = letters.clone().flatten().map(u8::to_ascii_lowercase).collect();
    let is_letter = |it: &[u8]| it.len() <= 2 && it[0].is_ascii_alphanumeric();
    (host.len() > 4 && letters.all(is_letter)).then(|| String::from_utf8_lossy(&host).into_owned())
}

/// ASCII in lower case.
fn lower(text: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(text) {
        Cow::Borrowed(text) if !text.bytes().any(|it| it.is_ascii_uppercase()) => text.into(),
        text => text.to_ascii_lowercase().into(),
    }
}

fn without_port(host: &[u8]) -> &[u8] {
    if host.first() == Some(&b'[') {
        return &host[..memchr::memchr(b']', host).map_or(host.len(), |end| end + 1)];
    }
    &host[..memchr::memchr(b':', host).unwrap_or(host.len())]
}

/// Invisible characters that mappings of host names (UTS 46) remove: the default-ignorable ones.
pub(crate) fn is_ignorable(letter: char) -> bool {
    matches!(
        letter,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// A letter as resolvers read it (UTS 46): circled, full-width, raised and mathematical forms, Roman
/// numerals and ligatures become ASCII. One letter may become several: `⑯` is `16`.
fn fold(letter: char, host: &mut String) {
    decompose_compatible(letter, |it| {
        let letters = if it == '\u{3002}' { '.'.to_lowercase() } else { it.to_lowercase() };
        host.extend(letters);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(value: &str) -> Option<(String, String)> {
        with_scheme(value.as_bytes()).map(|url| (url.scheme.into_owned(), url.host.into_owned()))
    }

    #[test]
    fn parses_the_host_that_a_client_connects_to() {
        for (url, expected) in [
            ("http://a.example@127.0.0.1:80/x", "127.0.0.1"),
            ("http:\\\\Host\\x", "host"),
            ("http:///h/x", "h"),
            ("https:h", "h"),
            ("gopher://h:70/_x", "h"),
            ("http://[::1]:80/", "[::1]"),
            ("jar:http://h!/x", "h!"),
            ("http://①②⑦.⓪.⓪.①/", "127.0.0.1"),
            ("http://ⓛⓄｃａｌhost", "localhost"),
            ("http://169。254。1。2", "169.254.1.2"),
            ("http://l\\o\\c\\a\\l\\h\\o\\s\\t/", "localhost"),
            ("http://h\\a\\b/", "h"),
            ("http://𝟏27.₀.⁰.¹/", "127.0.0.1"),
            ("http://𝐥𝓸calhost/", "localhost"),
            ("http://⑯⑨.254.169.254/", "169.254.169.254"),
            ("http://①㉗.0.0.1/", "127.0.0.1"),
            ("http://⑩.0.0.㊿/", "10.0.0.50"),
            ("http://localhoﬆ/", "localhost"),
            ("http://ℓocalhost/", "localhost"),
            ("http://locaⅼhost/", "localhost"),
            ("http://lºcalhoſt/", "localhost"),
            ("http://0ⅹ7f.1/", "0x7f.1"),
            ("http://\u{1D7D9}27｡0．0.\u{1FBF1}/", "127.0.0.1"),
            ("http://日本.example/", "日本.example"),
            ("http://straße.example/", "straße.example"),
            (&*format!("http://{}@h/", "a".repeat(2_000)), "h"),
            (&*format!("{}http://h/", "url:".repeat(2_000)), "h"),
        ] {
            assert_eq!(host(url).map(|it| it.1).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn invisible_characters_are_no_part_of_a_host() {
        for letter in [
            '\u{AD}',
            '\u{34F}',
            '\u{180B}',
            '\u{180D}',
            '\u{180F}',
            '\u{200B}',
            '\u{200D}',
            '\u{2060}',
            '\u{2064}',
            '\u{FE00}',
            '\u{FE0F}',
            '\u{FEFF}',
            '\u{E0100}',
        ] {
            let url = format!("http://169.254.1{letter}69.254/latest");
            assert_eq!(host(&url).map(|it| it.1).as_deref(), Some("169.254.169.254"), "{letter:?}");
        }
    }

    #[test]
    fn rejects_values_without_a_scheme() {
        for text in ["/a:b", "1:2", "no url", "", "ä:b"] {
            assert_eq!(host(text), None, "{text}");
        }
    }
}
