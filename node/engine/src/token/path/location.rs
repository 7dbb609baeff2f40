//! A value that is one path: its root and its segments.

/// Limit of the path of a file.
const MAX_BYTES: usize = 300;
/// Limit of words in the name of a folder: `System Volume Information`, `MySQL Server 8.0`,
/// `Program Files (x86)`.
const MAX_WORDS: usize = 4;

/// The start of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// `/x`
    Unix,
    /// `c:\x`, `/c:/x`, `%windir%\x`
    Drive,
    /// `~/x`, `$HOME/x`
    Home,
    Relative,
}

/// A path that does not climb, in lower case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Location<'t> {
    pub root: Root,
    rest: &'t str,
}

/// A buffer for a path in lower case.
pub(crate) type Buffer = [u8; MAX_BYTES];

impl<'t> Location<'t> {
    pub(crate) const BUFFER: Buffer = [0; MAX_BYTES];

    /// Parses a whole value up to a null byte or a line break, after which attackers put a suffix
    /// that is cut off.
    pub(crate) fn read(value: &[u8], buffer: &'t mut Buffer) -> Option<Self> {
        let lower = buffer.get_mut(..value.len())?;
        memchr::memchr2(b'/', b'\\', value)?;
        lower.copy_from_slice(value);
        lower.make_ascii_lowercase();
        let end = value.iter().position(|byte| matches!(byte, 0 | b'\r' | b'\n')).filter(|&at| at > 2);
        let text = std::str::from_utf8(&lower[..end.unwrap_or(value.len())]).ok()?;
        let text = text.trim_matches(|it: char| it.is_ascii_whitespace() || matches!(it, '"' | '\'' | '('));
        let text = text.trim_end_matches(['?', '#', '^', ';', ')']);
        if text.contains(['<', '>', '=', '?', '&', '"', '|', '\t', ',', '@']) {
            return None;
        }
        let (root, rest) = root(text.strip_prefix("file:").unwrap_or(text));
        let location = Self { root, rest };
        let is_named = |it: &str| it != ".." && !it.contains(':') && it.split(' ').count() <= MAX_WORDS;
        let may_hold_blanks = root == Root::Drive
            || location.segments().next().is_some_and(|it| it.starts_with("program files"));
        (location.segments().all(is_named) && (may_hold_blanks || !rest.contains(' '))).then_some(location)
    }

    /// The segments from the first folder to the name.
    pub(crate) fn segments(&self) -> impl DoubleEndedIterator<Item = &'t str> + Clone {
        self.rest.split(['/', '\\']).filter(|it| !it.is_empty() && *it != ".")
    }
}

fn root(text: &str) -> (Root, &str) {
    let bare = text.trim_start_matches(['/', '\\']);
    if let [b'a'..=b'z', b':', b'/' | b'\\', ..] = bare.as_bytes() {
        return (Root::Drive, &bare[2..]);
    }
    let variable = text.strip_prefix('%').and_then(|it| it.split_once('%')).filter(|(it, _)| is_word(it));
    if let Some((_, rest)) = variable {
        return (Root::Drive, rest);
    }
    if let Some(rest) = text.strip_prefix("$home").or(text.strip_prefix("${home}")) {
        return (Root::Home, rest);
    }
    match text.strip_prefix('~').and_then(|it| it.split_once('/')) {
        Some((user, rest)) if is_word(user) || user.is_empty() => (Root::Home, rest),
        _ if bare.len() < text.len() => (Root::Unix, bare),
        _ if bare.starts_with("program files") => (Root::Drive, bare),
        _ => (Root::Relative, bare),
    }
}

fn is_word(text: &str) -> bool {
    text.len() > 2 && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<(Root, String)> {
        let mut buffer = Location::BUFFER;
        let location = Location::read(value.as_bytes(), &mut buffer)?;
        Some((location.root, location.segments().collect::<Vec<_>>().join(" > ")))
    }

    #[test]
    fn parses_paths_of_all_systems() {
        assert_eq!(read("//etc/./Passwd"), Some((Root::Unix, "etc > passwd".into())));
        assert_eq!(read(r"/c:/Program Files\x"), Some((Root::Drive, "program files > x".into())));
        assert_eq!(read(r"%WinDir%\win.ini"), Some((Root::Drive, "win.ini".into())));
        assert_eq!(read("~root/.x"), Some((Root::Home, ".x".into())));
        assert_eq!(read("/etc/x\0.png"), Some((Root::Unix, "etc > x".into())));
    }

    #[test]
    fn rejects_texts_and_urls() {
        for text in ["see /etc/x", "https://example.com/x", "/a?b=c", "word", "/a/../b"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
