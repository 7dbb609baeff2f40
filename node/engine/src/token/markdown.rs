//! Quoted code in Markdown documents.

use std::borrow::Cow;

/// Limit of words outside the code below which a value is no document.
const MIN_PROSE_WORDS: usize = 20;

/// A document with blanks in place of its code, at the same length: fenced and indented blocks, and
/// spans between backticks. A value with little besides code is unchanged.
pub(crate) fn without_code(post: &[u8]) -> Cow<'_, [u8]> {
    if !may_hold_code(post) {
        return Cow::Borrowed(post);
    }
    let mut text = post.to_vec();
    blank_blocks(post, &mut text);
    blank_spans(&mut text);
    if text == post || !has_prose(&text) { Cow::Borrowed(post) } else { Cow::Owned(text) }
}

fn may_hold_code(post: &[u8]) -> bool {
    memchr::memchr2(b'`', b'~', post).is_some()
        || is_indented(unquoted(post))
        || memchr::memchr_iter(b'\n', post).any(|at| is_indented(unquoted(&post[at + 1..])))
}

fn has_prose(text: &[u8]) -> bool {
    let is_word = |word: &&[u8]| {
        word.len() > 1 && word.iter().all(|it| it.is_ascii_alphabetic() || b".,'".contains(it))
    };
    text.split(u8::is_ascii_whitespace).filter(is_word).nth(MIN_PROSE_WORDS - 1).is_some()
}

/// A line of three or more backticks or tildes opens a block, the next such line closes it; an
/// indented block follows a blank line.
fn blank_blocks(post: &[u8], text: &mut [u8]) {
    let mut fence: Option<(&[u8], usize)> = None;
    let mut follows_blank = true;
    let mut at = 0;
    for line in post.split_inclusive(|&byte| byte == b'\n') {
        let end = at + line.len();
        let content = unquoted(line);
        let is_blank = content.trim_ascii().is_empty();
        match (fence, fence_of(content)) {
            (None, Some(opened)) => fence = Some((opened, end)),
            (Some((opened, start)), Some(closing)) if closing.starts_with(opened) => {
                blank(&mut text[start..at]);
                fence = None;
            }
            (None, None) if follows_blank && is_indented(content) => blank(&mut text[at..end]),
            _ => {}
        }
        // An indented block continues while its lines are indented.
        follows_blank = is_blank || follows_blank && is_indented(content);
        at = end;
    }
}

/// A line without its quotation marks.
fn unquoted(line: &[u8]) -> &[u8] {
    let mut rest = line;
    while let Some(inner) = rest.strip_prefix(b">") {
        rest = inner.strip_prefix(b" ").unwrap_or(inner);
    }
    rest
}

fn is_indented(line: &[u8]) -> bool {
    line.starts_with(b"    ") || line.starts_with(b"\t")
}

fn fence_of(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii_start();
    let mark = *line.first().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let length = line.iter().take_while(|&&byte| byte == mark).count();
    (length >= 3).then(|| &line[..length])
}

/// `code` on one line.
fn blank_spans(text: &mut [u8]) {
    for line in text.split_mut(|&byte| byte == b'\n') {
        let ticks: Vec<usize> = memchr::memchr_iter(b'`', line).collect();
        for pair in ticks.chunks_exact(2) {
            blank(&mut line[pair[0] + 1..pair[1]]);
        }
    }
}

/// Puts blanks in place of all bytes but line breaks.
pub(crate) fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PROSE: &str = "This is what I wrote about it, and there are so many words here that it is \
                         plainly a post and nothing else at all.\n\n";

    fn left(code: &str) -> String {
        let post = [PROSE, code].concat();
        let text = without_code(post.as_bytes());
        String::from_utf8_lossy(&text[PROSE.len()..]).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn blanks_code() {
        assert_eq!(left("```html\n<b>\n```\nend"), "```html ``` end");
        assert_eq!(left("> ~~~\n> <b>\n> ~~~\n"), "> ~~~ > ~~~");
        assert_eq!(left("see `<b>` and ``c``"), "see ` ` and ``c``");
        assert_eq!(left("    <b>\n    <i>\nend"), "end");
    }

    #[test]
    fn keeps_other_text() {
        assert_eq!(left("<b>\n    <i>"), "<b> <i>");
        assert_eq!(left("```\n<b> never closed"), "``` <b> never closed");
        assert_eq!(left("a ` <b>\n` c"), "a ` <b> ` c");
    }

    #[test]
    fn keeps_values_with_little_besides_code() {
        let value = b"look:\n```\n<b>\n```\n";
        assert!(matches!(without_code(value), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn keeps_lengths_and_lines(value in "[`~> \na<]{0,80}") {
            let post = [PROSE, &value].concat();
            let text = without_code(post.as_bytes());
            prop_assert_eq!(text.len(), post.len());
            let lines = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).collect::<Vec<_>>();
            prop_assert_eq!(lines(&text), lines(post.as_bytes()));
        }
    }
}
