//! Lengths of braces, blank variables and character references.

/// Up to here, a bracket is searched for beyond the next opening one.
const MAX_BRACES: usize = 200;

/// The position of the closing brace, if it is the first of the bytes that end the search. From a
/// distance on another opening brace ends it, too, which keeps it linear.
pub(super) fn brace_end(rest: &[u8], ends: impl Fn(u8) -> bool) -> Option<usize> {
    let mut bytes = rest.iter().enumerate();
    let end = bytes.find(|&(at, &byte)| ends(byte) || at >= MAX_BRACES && byte == b'{')?;
    (*end.1 == b'}').then_some(end.0)
}

/// `IFS`, `{IFS}`, with a positional parameter after it that is empty: their length after the
/// dollar sign.
pub(super) fn blank_variable(rest: &[u8]) -> Option<usize> {
    let length = match rest {
        [b'{', b'I' | b'i', b'F' | b'f', b'S' | b's', tail @ ..] => 5 + brace_end(tail, |byte| byte == b'}')?,
        [b'I' | b'i', b'F' | b'f', b'S' | b's', ..] => 3,
        _ => return None,
    };
    let positional = matches!(rest.get(length..), Some([b'$', b'0'..=b'9' | b'@' | b'*', ..]));
    Some(if positional { length + 2 } else { length })
}

/// The length of `lt;` in `&lt;`. Its ampersand and semicolon separate nothing.
pub(super) fn entity(rest: &[u8]) -> Option<usize> {
    const NAMES: &[&[u8]] = &[
        b"lt", b"gt", b"amp", b"quot", b"apos", b"nbsp", b"copy", b"reg", b"hellip", b"mdash", b"ndash",
        b"euro", b"rsquo", b"lsquo", b"ldquo", b"rdquo", b"bull", b"middot", b"laquo", b"raquo", b"times",
        b"deg", b"rarr",
    ];
    const ACCENTS: &[&[u8]] = &[b"acute", b"grave", b"uml", b"circ", b"tilde", b"cedil", b"slash", b"lig"];
    let length = rest.iter().take(10).position(|&byte| byte == b';')?;
    let name = &rest[..length];
    let is_entity = name.first() == Some(&b'#')
        || NAMES.contains(&name)
        || ACCENTS.iter().any(|accent| name.ends_with(accent) && name.len() <= accent.len() + 2);
    is_entity.then_some(length + 1)
}
