//! The texts of open elements. A comment, an instruction, a section or an element inside of a text
//! makes two tokens of it; parsers join them, so that none shows the value.

use std::ops::Range;

/// The most bytes of joined texts per byte of the document.
const MAX_JOINED: usize = 4;
/// Short documents may join more.
const MIN_JOINED: usize = 64 << 10;

/// All texts of the document so far, and which of them belong to open elements themselves.
#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// The parts that are texts of open elements, those of the innermost last.
    own: Vec<Range<usize>>,
    /// The number of parts that are not blank.
    written: usize,
    joined: usize,
}

/// The state when an element opened.
#[derive(Debug)]
pub(super) struct Start {
    bytes: usize,
    own: usize,
    written: usize,
}

impl Texts {
    pub(super) fn start(&self) -> Start {
        Start { bytes: self.bytes.len(), own: self.own.len(), written: self.written }
    }

    /// Adds a text to the innermost element.
    pub(super) fn push(&mut self, text: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.own.push(start..self.bytes.len());
        self.written += usize::from(!text.trim_ascii().is_empty());
    }

    /// The text of an element with those of the elements in it.
    pub(super) fn whole(&self, start: &Start) -> &[u8] {
        self.bytes.get(start.bytes..).unwrap_or_default().trim_ascii()
    }

    /// What parsers read of an element with several texts: all of them, and its own ones. An element
    /// without a text of its own is a structure of others.
    pub(super) fn joined(&mut self, start: &Start) -> Vec<Vec<u8>> {
        let own = self.own.get(start.own..).unwrap_or_default();
        let parts = || own.iter().map(|range| self.bytes.get(range.clone()).unwrap_or_default());
        let own_written = parts().filter(|part| !part.trim_ascii().is_empty()).count();
        let written = self.written - start.written;
        let mut joined = Vec::new();
        if own_written > 0 && written > 1 {
            joined.push(self.whole(start).to_vec());
        }
        if own_written > 1 && own_written < written {
            joined.push(parts().collect::<Vec<_>>().concat().trim_ascii().to_vec());
        }
        self.joined += joined.iter().map(Vec::len).sum::<usize>();
        joined
    }

    /// Closes an element: its texts remain a part of those around it.
    pub(super) fn end(&mut self, start: &Start) {
        self.own.truncate(start.own);
    }

    /// Whether more was joined than documents do that are not built for it.
    pub(super) fn exceed(&self, document: usize) -> bool {
        self.joined > MAX_JOINED.saturating_mul(document).max(MIN_JOINED)
    }
}
