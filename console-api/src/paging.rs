//! Lists that are read page by page, the newest first.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Serialize;

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub struct Slice {
    pub limit: u32,
    /// The last item of the page before.
    pub after: Option<Cursor>,
}

impl Slice {
    pub const DEFAULT_LIMIT: u32 = 50;
    pub const MAX_LIMIT: u32 = 200;

    /// The time in milliseconds and the id that items must come after, as stored.
    pub fn bounds(&self) -> Option<(i64, &str)> {
        self.after.as_ref().map(|after| (after.at.as_millisecond(), after.id.as_str()))
    }
}

impl Default for Slice {
    fn default() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, after: None }
    }
}

/// A place in a list sorted by time and id. Opaque to clients, so that its make-up may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub at: Timestamp,
    pub id: String,
}

impl Cursor {
    pub fn parse(text: &str) -> Option<Self> {
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (ms, id) = decoded.split_once(':').filter(|(_, id)| !id.contains('\0'))?;
        Some(Self { at: Timestamp::from_millisecond(ms.parse().ok()?).ok()?, id: id.to_owned() })
    }

    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.at.as_millisecond(), self.id))
    }
}

/// Something a list is sorted by.
pub trait Listed {
    fn cursor(&self) -> Cursor;
}

#[derive(Debug, Serialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T: Listed> Page<T> {
    /// Takes one item more than the limit as the sign that there is a next page.
    pub fn cut(mut items: Vec<T>, limit: u32) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|item| item.cursor().encode());
        Self { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let cursor = Cursor { at: Timestamp::UNIX_EPOCH, id: "a:b".to_owned() };
        assert_eq!(Cursor::parse(&cursor.encode()), Some(cursor));
        assert_eq!(Cursor::parse("%%%"), None);
    }
}
