//! Words of a command and shell patterns.

use std::{borrow::Cow, ops::Range};

/// A word with its quotes and escapes resolved.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent properties of a word")]
pub(crate) struct Word<'v> {
    /// Owned if its bytes are not one part of the value.
    pub text: Cow<'v, [u8]>,
    pub span: Range<usize>,
    /// Wholly or partly in quotes.
    pub quoted: bool,
    /// Whether quotes, escapes or empty variables split its letters, which only hides the word.
    pub disguised: bool,
    /// Whether it contains a variable.
    pub variable: bool,
    /// Whether it names the file of a redirection.
    pub is_target: bool,
}

/// Limit of patterns.
const MAX_GLOB: usize = 80;

/// Whether the shell pattern `glob` (`?`, `*`, `[…]`) matches `name`. Quadratic at worst, in
/// bounded lengths.
pub(crate) fn glob_matches(glob: &[u8], name: &[u8]) -> bool {
    if glob.len() > MAX_GLOB {
        return false;
    }
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        if glob.get(at) == Some(&b'*') {
            star = Some((at, read));
            at += 1;
        } else if let Some(length) = takes(&glob[at..], name[read]) {
            at += length;
            read += 1;
        } else if let Some((back, from)) = star.filter(|&(_, from)| name[from] != b'/') {
            at = back + 1;
            read = from + 1;
            star = Some((back, from + 1));
        } else {
            return false;
        }
    }
    glob[at..].iter().all(|&byte| byte == b'*')
}

/// The length of the pattern that matches this byte.
fn takes(glob: &[u8], byte: u8) -> Option<usize> {
    match glob.first()? {
        b'?' if byte != b'/' => Some(1),
        b'[' => class(glob, byte),
        literal => (*literal == byte).then_some(1),
    }
}

/// The length of a class `[a-z]` that contains this byte.
fn class(glob: &[u8], byte: u8) -> Option<usize> {
    let end = 2 + memchr::memchr(b']', glob.get(2..)?)?;
    let negated = matches!(glob[1], b'!' | b'^');
    let members = &glob[if negated { 2 } else { 1 }..end];
    let in_range = members.windows(3).any(|it| it[1] == b'-' && (it[0]..=it[2]).contains(&byte));
    (negated != (in_range || members.contains(&byte))).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(glob: &str, name: &str) -> bool {
        glob_matches(glob.as_bytes(), name.as_bytes())
    }

    #[test]
    fn matches_patterns_as_in_a_shell() {
        for glob in ["/bin/cat", "/b?n/c?t", "/???/??t", "/b*/cat", "/bin/[a-d]at", "/bin/c[!x]t", "/bin/c*"]
        {
            assert!(fits(glob, "/bin/cat"), "{glob}");
        }
        for glob in ["/bin/ca", "/bin/?", "/*", "/bin/[d-z]at", "/bin/[", "?bin/cat", ""] {
            assert!(!fits(glob, "/bin/cat"), "{glob}");
        }
    }
}
