//! What parsers of JSON skip: blanks, comments, and the prefix of a document. Secrets in comments are masked.

use super::{Edit, Scanner};
use engine::json_prefix::{self, Comment};
use std::ops::Range;

impl<'b> Scanner<'b> {
    fn rest(&self) -> &'b [u8] {
        &self.bytes[self.at..]
    }

    /// Skips what precedes a document.
    pub(super) fn prefix(&mut self) {
        loop {
            let start = self.at;
            self.at = self.bytes.len() - json_prefix::after_prefix(self.rest()).len();
            self.blanks(false);
            if self.at == start {
                return;
            }
        }
    }

    /// Skips blanks and comments, as lenient parsers do. A truncated comment ends with the text.
    pub(super) fn blanks(&mut self, is_secret: bool) {
        loop {
            let rest = self.rest().trim_ascii_start();
            self.at = self.bytes.len() - rest.len();
            let truncated = || Some(Comment { text: rest.strip_prefix(b"/*")?, end: rest.len() });
            let Some(Comment { text, end }) = Comment::at(rest).or_else(truncated) else { return };
            let start = self.at + 2;
            self.mask_comment(start..start + text.len(), text, is_secret);
            self.at += end;
        }
    }

    /// Masks secrets in a comment: to another program, it may be a part of the value.
    fn mask_comment(&mut self, place: Range<usize>, text: &[u8], is_secret: bool) {
        let Some((secrets, depth)) = self.secrets else { return };
        let Some(text) = str::from_utf8(text).ok().filter(|text| !text.trim().is_empty()) else { return };
        let by = if is_secret { secrets.shown(text) } else { secrets.nested(text, depth + 1) };
        if by != text {
            self.edits.push(Edit { place, by: by.into_owned() });
        }
    }
}
