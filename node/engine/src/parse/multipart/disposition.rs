//! The `Content-Disposition` of a part (RFC 7578, RFC 6266), in the one form that all parsers read
//! alike.
//!
//! A file is judged more leniently than a field, so a head that makes a part a file for one parser
//! and a field for another is unclear: [`parse`] returns `None`.

/// The parameters of a clear disposition.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Disposition<'a> {
    pub name: Option<&'a [u8]>,
    /// The plain `filename`; never blank.
    pub filename: Option<&'a [u8]>,
}

/// Parses the only disposition of a head without folded lines and control bytes.
pub(super) fn parse(head: &[u8]) -> Option<Disposition<'_>> {
    let mut found = None;
    // The first line is the end of the delimiter's.
    for line in head.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)) {
        if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            return None;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        // PHP appends a line without a colon to the header before it.
        let (name, value) = line.split_at(memchr::memchr(b':', line)?);
        if !name.iter().all(|&byte| is_token(byte)) {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-disposition") && found.replace(&value[1..]).is_some() {
            return None;
        }
    }
    parameters(found?)
}

fn parameters(value: &[u8]) -> Option<Disposition<'_>> {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    let kind = value[..end].trim_ascii();
    if kind.is_empty() || !kind.iter().all(|&byte| is_token(byte)) {
        return None;
    }
    let (mut rest, mut is_extended) = (&value[end..], false);
    let mut disposition = Disposition::default();
    while let Some(more) = rest.strip_prefix(b";") {
        let more = more.trim_ascii_start();
        if more.is_empty() {
            rest = more;
            break;
        }
        let (name, value) = more.split_at(memchr::memchr(b'=', more)?);
        let is_filename = name.get(..8).is_some_and(|it| it.eq_ignore_ascii_case(b"filename"));
        let text;
        (text, rest) = parameter_value(&value[1..], name.ends_with(b"*"))?;
        let slot = match name {
            b"name" => &mut disposition.name,
            b"filename" if !text.trim_ascii().is_empty() => &mut disposition.filename,
            // Some parsers let it replace `filename`, even by an empty name.
            b"filename*" if !is_extended && !text.ends_with(b"'") => {
                is_extended = true;
                continue;
            }
            _ if is_filename || !name.iter().all(|&byte| is_token(byte)) => return None,
            _ => continue,
        };
        if slot.replace(text).is_some() {
            return None;
        }
    }
    (rest.is_empty() && (!is_extended || disposition.filename.is_some())).then_some(disposition)
}

/// The value and what follows it: the end, or a semicolon. Parsers differ in escaped quotes, and PHP
/// also takes apostrophes for quotes.
fn parameter_value(value: &[u8], is_extended: bool) -> Option<(&[u8], &[u8])> {
    if let Some(quoted) = value.strip_prefix(b"\"") {
        let (text, rest) = quoted.split_at(memchr::memchr(b'"', quoted)?);
        let rest = rest[1..].trim_ascii_start();
        return (!text.ends_with(b"\\") && matches!(rest, [] | [b';', ..])).then_some((text, rest));
    }
    let (text, rest) = value.split_at(memchr::memchr(b';', value).unwrap_or(value.len()));
    let text = text.trim_ascii_end();
    let apostrophes = memchr::memchr_iter(b'\'', text).count();
    let is_clear =
        !text.starts_with(b" ") && !text.contains(&b'"') && apostrophes == if is_extended { 2 } else { 0 };
    is_clear.then_some((text, rest))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name of the file, or an empty text, if the disposition is clear.
    fn filename(disposition: &str) -> Option<&str> {
        let parsed = parse(disposition.as_bytes())?;
        std::str::from_utf8(parsed.filename.unwrap_or_default()).ok()
    }

    #[test]
    fn clients_upload_files() {
        for (head, name) in [
            (
                "\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\nContent-Type: x/y",
                "a.bin",
            ),
            ("\r\ncontent-disposition: form-data; name=\"f\"; filename=\"it's; a.bin\"", "it's; a.bin"),
            ("Content-Disposition: form-data; name=f; filename=a.bin; filename*=utf-8''a%20b.bin", "a.bin"),
            (
                "Content-Disposition: form-data; name=\"f\"; filename=\"C:\\b\\ä.bin\"; size=7;",
                "C:\\b\\ä.bin",
            ),
            ("Content-Disposition: attachment;filename=\"a.bin\"", "a.bin"),
        ] {
            assert_eq!(filename(head), Some(name), "{head}");
        }
    }

    #[test]
    fn other_headers_and_quoted_values_make_no_file() {
        for head in [
            "X-A: filename\r\nContent-Disposition: form-data; name=\"x\"",
            "Content-Disposition: form-data; name=\"x; filename=a.bin\"",
            "Content-Disposition: form-data; name=\"x\"; a=\"; filename=b.bin\"",
        ] {
            assert_eq!(filename(head), Some(""), "{head}");
        }
    }

    #[test]
    fn heads_that_parsers_read_differently_are_unclear() {
        const DISPOSITION: &str = "Content-Disposition: form-data; name=\"x\"";
        for more in [
            "; filename=\"\"",
            "; filename=\" \"",
            "; filename",
            "; filename=",
            "; filename*=utf-8''a.bin",
            "; filename=a.bin; filename*=utf-8''",
            "; filename=a.bin; filename=",
            "; filename*0=a.bin",
            "; FileName=a.bin",
            "; \"filename\"=a.bin",
            "; filename =a.bin",
            "; filename= a.bin",
            "; a=\"\\\"; filename=\"a.bin\"",
            "; a='; filename=a.bin; b='",
            "; filename=\"a.bin\"x",
            "; filename=\"a.bin",
            "; name=\"y\"; filename=a.bin",
            "\r\n ; filename=a.bin",
            "\r\n; filename=a.bin",
            "\0; filename=a.bin",
            "; filename=a.bin\r\nContent-Disposition: form-data; name=\"x\"",
        ] {
            assert_eq!(filename(&format!("{DISPOSITION}{more}")), None, "{more}");
        }
        assert_eq!(filename("Content-Disposition : form-data; name=x; filename=a.bin"), None);
        assert_eq!(filename("Content-Type: text/plain"), None);
    }
}
